// Every warning is tripped by a planted case, once, with its remedy; a run that learns as it should trips none.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type StepNumbers, StepWatch } from "../../../src/train/watch/step-watch.ts";

/** A step at which nothing is wrong. */
const sound: StepNumbers = {
  frac_reward_zero_std: 0.25,
  "omni/frac_rollouts_with_evidence": 0.8,
  "rewards/format/mean": 0.95,
  "rewards/omni/mean": 1.1,
  kl: 0.08,
  grad_norm: 0.7,
  "optim/skipped_steps": 0,
  "completions/clipped_ratio": 0.1,
};

function told(steps: readonly StepNumbers[]): string[] {
  const watch = new StepWatch();
  return steps.flatMap((step) => watch.look({ ...sound, ...step }).map(({ name, line }) => `${name}|${line}`));
}

const repeat = (step: StepNumbers, count: number) => Array.from({ length: count }, () => step);

test("nothing is said of a run that learns, of losses alone, or of numbers that are bad for a step", () => {
  const run = Array.from({ length: 50 }, (_, step) => ({ kl: step / 100, "rewards/format/mean": 0.5 + step / 200 }));
  assert.deepEqual(told(run), []);
  const watch = new StepWatch();
  for (let step = 0; step < 20; step++) assert.deepEqual(watch.look({ loss: 1 / step, grad_norm: 1 }), []);
  const once = [{ kl: 9 }, { grad_norm: 0 }, { "completions/clipped_ratio": 1 }, { frac_reward_zero_std: 1 }];
  assert.deepEqual(told(once.flatMap((step) => [step, {}, {}])), []);
});

const planted: readonly (readonly [name: string, step: StepNumbers, remedy: RegExp])[] = [
  ["rewards equal", { frac_reward_zero_std: 1 }, /for 3 steps.*Raise groupSize or temperature/],
  ["no evidence", { "omni/frac_rollouts_with_evidence": 0 }, /nothing above delta.*oppo embed calibrate/],
  ["gradient zero", { grad_norm: 0 }, /exactly zero.*reward_std/],
  ["updates skipped", { "optim/skipped_steps": 1 }, /not finite.*Lower learningRate/],
  ["truncated", { "completions/clipped_ratio": 1 }, /cut at the limit of tokens.*Raise maxNewTokens/],
];
for (const [name, step, remedy] of planted) {
  test(`${name} (${JSON.stringify(step)}) is told once, with its remedy`, () => {
    const lines = told([{}, ...repeat(step, 30), {}, ...repeat(step, 30)]);
    assert.equal(lines.length, 1, lines.join("\n"));
    assert.ok(lines[0]!.startsWith(`${name}|${name}: `), lines[0]);
    assert.match(lines[0]!, remedy);
  });
}

test("no evidence is not told beside the reward that says why, nor of malformed completions", () => {
  const none = { "omni/frac_rollouts_with_evidence": 0 };
  assert.deepEqual(told(repeat({ ...none, "rewards/omni/mean": 0 }, 10)), []);
  assert.deepEqual(told(repeat({ ...none, "rewards/format/mean": 0.1 }, 10)), []);
});

test("who looks again at the numbers of a run says nothing twice", () => {
  const run = repeat({ ...sound, grad_norm: 0 }, 4);
  const [whole, resumed] = [new StepWatch(), new StepWatch()];
  const lines = (watch: StepWatch, steps: readonly StepNumbers[]) => steps.flatMap((step) => watch.look(step));
  assert.equal(lines(whole, run).length, 1);
  assert.equal(lines(resumed, run.slice(0, 2)).length, 0);
  assert.equal(lines(resumed, run.slice(2)).length, 1);
});
