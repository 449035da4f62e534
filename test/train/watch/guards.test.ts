// Every collapse is planted by numbers and tells its cause; what it asks to be halved is halved, and a run that goes on from its log
// has the same coefficients; sound numbers, and one bad step, trip nothing.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Average } from "../../../src/train/watch/averages.ts";
import { type GuardOptions, Guards } from "../../../src/train/watch/guards.ts";
import type { StepNumbers } from "../../../src/train/watch/step-watch.ts";

/** A step of a sound run of OPPO. */
const sound: StepNumbers = {
  "rewards/format/mean": 0.95,
  "omni/entropy_masked": 0.5,
  "omni/kl_video": 0.3,
  "omni/kl_audio": 0.6,
  "completions/distinct_clauses": 0.97,
  "completions/repeated_words": 0.01,
  "completions/clipped_ratio": 0.05,
  "clip_ratio/region_mean": 0.02,
  kl: 0.05,
};

const start = Array.from({ length: 8 }, (): StepNumbers => ({}));
const repeat = (step: StepNumbers, count: number) => Array.from({ length: count }, () => step);

function look(guards: Guards, steps: readonly StepNumbers[]): string[] {
  return steps.flatMap((step) => guards.look({ ...sound, ...step }).map(({ name, line }) => `${name}|${line}`));
}

const halving: GuardOptions = { action: "halve", weighsPerception: true };

const planted: readonly (readonly [
  name: string,
  step: StepNumbers,
  cause: RegExp,
  halved: "perception" | "learningRate",
])[] = [
  ["format", { "rewards/format/mean": 0.1 }, /well-formed completions fell from 0\.95/, "perception"],
  ["masked branch narrows", { "omni/entropy_masked": 0.02 }, /says one thing/, "perception"],
  ["masked branch babbles", { "omni/entropy_masked": 4 }, /says anything/, "perception"],
  ["divergence", { "omni/kl_audio": 14 }, /beyond 8: it is paid for forgetting/, "perception"],
  ["repetition", { "completions/distinct_clauses": 0.2 }, /distinct clauses from 0\.97/, "perception"],
  ["repetition", { "completions/repeated_words": 0.8 }, /words said twice in a row from 0\.01/, "perception"],
  ["kl", { kl: 1.75 }, /above 1 nat a token \(now 1\.75/, "learningRate"],
  ["kl", { kl: null }, /now NaN/, "learningRate"],
  ["clipped", { "clip_ratio/region_mean": 0.6 }, /the clip holds back/, "learningRate"],
  ["endless", { "completions/clipped_ratio": 1 }, /they end no more/, "learningRate"],
];

describe("a planted collapse", () => {
  for (const [name, step, cause, halved] of planted) {
    test(`${name} (${JSON.stringify(step)}): one line with its cause and remedy; halved; stopped`, () => {
      const lines = look(new Guards(), [...start, ...repeat(step, 40)]);
      assert.equal(lines.length, 1, lines.join("\n"));
      assert.ok(lines[0]!.startsWith(`${name}|${name}: `), lines[0]);
      assert.match(lines[0]!, cause);
      assert.match(lines[0]!, /Lower .*guards\.action halve or stop/);

      const guards = new Guards(halving);
      const told = look(guards, [...start, ...repeat(step, 40)]);
      assert.ok(told.length >= 2, "as long as it lasts it is halved again");
      const scale = 2 ** -told.length;
      const expected = halved === "perception" ? [scale, 1] : [1, scale];
      assert.deepEqual([guards.perceptionScale, guards.learningRateScale], expected);
      assert.match(told[1]!, new RegExp(`^${name} 2\\|.* is now 0\\.25 of what was set`));

      const stopping = new Guards({ action: "stop", weighsPerception: true });
      look(stopping, start);
      const before = stopping.collapse;
      assert.equal(before, null);
      look(stopping, repeat(step, 40));
      const { code, message } = stopping.collapse!;
      assert.equal(code, "ERR_COLLAPSE");
      assert.match(message, /--from RUN\/checkpoints\/step-N and a lower (perception|learningRate)/);
    });
  }
});

describe("guards", () => {
  test("say nothing of a sound run, of one bad step, of an objective without these numbers", () => {
    const drifting = Array.from({ length: 100 }, (_, step) => ({
      "omni/entropy_masked": 0.5 - step / 400,
      "omni/kl_video": step / 50,
      "rewards/format/mean": 0.8 + step / 600,
      kl: step / 300,
    }));
    assert.deepEqual(look(new Guards(), drifting), []);
    for (const [, step] of planted) {
      if (Object.values(step).includes(null)) continue;
      assert.deepEqual(look(new Guards(), [...start, step, {}, {}, {}, {}, step, {}, {}]), [], JSON.stringify(step));
    }
    const guards = new Guards(halving);
    for (let step = 0; step < 20; step++) assert.deepEqual(guards.look({ loss: 1 / step, grad_norm: 1 }), []);
    assert.deepEqual([guards.perceptionScale, guards.learningRateScale, guards.collapse], [1, 1, null]);
  });

  test("a step without tokens of a view says nothing about views", () => {
    const none = { "omni/view_tokens": 0, "omni/entropy_masked": 0, "omni/kl_video": 0 };
    assert.deepEqual(look(new Guards(), [...start, ...repeat(none, 40)]), []);
    assert.equal(look(new Guards(), [...start, ...repeat({ ...none, "omni/view_tokens": 3 }, 40)]).length, 1);
  });

  test("a form that is lost with the first updates is told too", () => {
    const lost = [{}, ...repeat({ "rewards/format/mean": 0.05 }, 20)];
    assert.match(look(new Guards(), lost)[0]!, /^format\|.* fell from 0\.950 to 0\.09/);
  });

  test("a form that was never there is no collapse", () => {
    assert.deepEqual(look(new Guards(), repeat({ "rewards/format/mean": 0.1 }, 40)), []);
  });

  test("without a perception loss the learning rate is what is halved", () => {
    const guards = new Guards({ action: "halve", weighsPerception: false });
    look(guards, [...start, ...repeat({ "rewards/format/mean": 0.1 }, 7)]);
    assert.deepEqual([guards.perceptionScale, guards.learningRateScale], [1, 0.5]);
  });

  test("a run that goes on from its log has the coefficients of one that was not stopped, to the bit", () => {
    const run = [...start, ...repeat({ "omni/kl_video": 20, kl: Number.NaN }, 25), {}, ...repeat({ kl: 3 }, 9)];
    const whole = new Guards(halving);
    const lines = look(whole, run);
    for (let at = 0; at < run.length; at++) {
      const resumed = new Guards(halving);
      // As the log has them: what is not finite is null.
      look(resumed, JSON.parse(JSON.stringify(run.slice(0, at))));
      const rest = look(resumed, run.slice(at));
      assert.deepEqual(rest, lines.slice(lines.length - rest.length));
      assert.deepEqual(resumed.metrics(), whole.metrics());
    }
    assert.ok(whole.perceptionScale < 1 && whole.learningRateScale < 1);
    assert.deepEqual(new Guards().metrics(), {}, "where nothing is halved nothing is logged");
  });
});

test("averages: a start, a present and a best; what is not finite is no part of them", () => {
  const average = new Average();
  for (const value of [1, 2, 3, 4, 5]) average.add(value);
  assert.deepEqual([average.start, average.isStanding, average.last], [3, false, 5]);
  average.add(Number.NaN);
  assert.ok(Number.isNaN(average.last) && !average.isStanding);
  average.add(10);
  assert.ok(average.isStanding);
  // weights 1, .8, .64, ... of 10, 5, 4, 3, 2, 1
  const weights = [10, 5, 4, 3, 2, 1].map((value, i) => [value * 0.8 ** i, 0.8 ** i] as const);
  const expected = weights.reduce((sum, [v]) => sum + v, 0) / weights.reduce((sum, [, w]) => sum + w, 0);
  assert.ok(Math.abs(average.now - expected) < 1e-12);
  assert.equal(average.best, average.now);
  average.add(0);
  assert.ok(average.best > average.now);
});
