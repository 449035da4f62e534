// Training by several processes: the tokens, losses and gradients of one, whoever has nothing to do in a step.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { op, openSafetensors, scope } from "../../../src/tensor/index.ts";
import { type RankResult, type RankRun, rankRun, trainOn } from "../../support/rank-training.ts";
import { onRanks } from "../../support/ranks.ts";
import { type SmallTheatre, smallTheatre } from "../../support/small-theatre.ts";
import { warmModel } from "../../support/theatre-training.ts";

/** 1e-7, or two roundings of a float32 where a loss is larger. */
const lossTolerance = (loss: number) => Math.max(1e-7, 2 ** -22 * Math.abs(loss));
/**
 * Of the largest difference of two gradients' elements, in shares of the gradient's length. In float32; one process that takes a
 * prompt at a time differs from itself by as much. Products of another shape are other sums: below 1e-6 on most processors, 3.3e-6 of a
 * group of two on an AMD EPYC. Another step differs by more than 1e-2.
 */
const gradientTolerance = 5e-6;
const warmSteps = 32;

let theatre: SmallTheatre;
let model: string;

before(async () => {
  theatre = await smallTheatre(4);
  ({ directory: model } = await warmModel(theatre, warmSteps));
});
after(() => theatre[Symbol.dispose]());

function runOf(name: string, kind: RankRun["kind"], more: Partial<RankRun> = {}): RankRun {
  return rankRun(theatre, model, name, kind, more);
}

/** The largest difference of elements, in shares of the gradient's length, or of its largest element. */
function gradientDistance(one: RankRun, other: RankRun, of: "length" | "largest" = "length"): number {
  return scope(() => {
    using a = openSafetensors(join(one.directory, one.gradients!));
    using b = openSafetensors(join(other.directory, other.gradients!));
    assert.deepEqual([...b.entries.keys()].sort(), [...a.entries.keys()].sort());
    assert.ok(a.entries.size > 10);
    let [distance, squares, largest] = [0, 0, 0];
    for (const name of a.entries.keys()) {
      distance = Math.max(distance, op.amax(a.tensor(name).sub(b.tensor(name)).abs()).item());
      squares += a.tensor(name).pow(2).sum().item();
      largest = Math.max(largest, op.amax(a.tensor(name).abs()).item());
    }
    assert.ok(squares > 0);
    return distance / (of === "length" ? Math.sqrt(squares) : largest);
  });
}

/** Numbers of a step that must be one process': what is counted exactly, and what is added in another order to rounding. */
function requireSameStep(one: RankResult, many: RankResult): void {
  assert.deepEqual(many.texts, one.texts, "the same tokens, rewards and advantages");
  assert.equal(many.log.length, one.log.length);
  for (const [step, row] of one.log.entries()) {
    const got = many.log[step]!;
    assert.deepEqual(Object.keys(got).sort(), Object.keys(row).sort());
    assert.ok(Math.abs(got.loss! - row.loss!) <= lossTolerance(row.loss!), `loss ${row.loss} ${got.loss}`);
    for (const [name, value] of Object.entries(row)) {
      const near = 1e-5 * Math.max(1, Math.abs(value));
      assert.ok(Math.abs(got[name]! - value) <= near, `${name}: ${value} in one process, ${got[name]}`);
    }
  }
}

async function compare(
  name: string,
  size: number,
  kind: RankRun["kind"],
  more: Partial<RankRun> = {},
): Promise<RankResult> {
  const [alone, shared] = [runOf(`${name}-1`, kind, more), runOf(`${name}-${size}`, kind, more)];
  const one = await trainOn(alone);
  const [many] = await onRanks<RankResult>(size, "train", shared);
  requireSameStep(one, many!);
  const distance = gradientDistance(alone, shared);
  assert.ok(distance <= gradientTolerance, `gradients differ by ${distance}`);
  return one;
}

describe("several processes make the step of one", () => {
  for (const kind of ["sft", "baseline", "oppo", "papo"] as const) {
    test(`two processes: ${kind}`, async () => {
      const { log } = await compare(kind, 2, kind);
      assert.ok(log[0]!.grad_norm! > 0);
    });
  }

  test("four processes with three prompts, of which one has parts of two groups", async () => {
    await compare("four", 4, "oppo");
  });

  test("more processes than completions: one has nothing to do and takes part", async () => {
    await compare("idle", 3, "oppo", { overrides: ["promptsPerStep=1", "groupSize=2"] });
    await compare("idle-sft", 3, "sft", { overrides: ["samplesPerStep=2"] });
  });

  test("rewards of the whole step decide: advantages scaled by the batch, views drawn of whole groups", async () => {
    await compare("batch", 2, "oppo", {
      overrides: ["advantageScale=batch", "perception.viewDraw=half-of-rollouts"],
    });
  });

  test("clips without sound, an adapter, towers that learn", async () => {
    await compare("silent-sft", 2, "sft", { videoOnly: true });
    await compare("adapter", 2, "oppo", { overrides: ["trainable=lora", "lora.rank=4"] });
    await compare("towers", 2, "sft", { overrides: ["trainable=full"] });
  });

  test("a prompt at a time, products are the same and gradients differ by the order of their sum alone", async () => {
    const overrides = ["promptsPerStep=4", "promptsPerMicroBatch=1"];
    await compare("prompt", 2, "oppo", { overrides });
    const [one, two] = [runOf("prompt-1", "oppo"), runOf("prompt-2", "oppo")];
    const distance = gradientDistance(one, two, "largest");
    assert.ok(distance <= 2.5e-7, `gradients differ by ${distance} of their largest element`);
  });

  test("more prompts in the place of those that are paid alike, clips as a stream", async () => {
    const streamed = { isStreamed: true, overrides: ["resampleRounds=2", "promptsPerStep=2"] };
    const { log } = await compare("streamed", 2, "oppo", streamed);
    assert.ok(log[0]!["sampling/rounds"]! > 0, "further clips were asked for");
  });

  test("another step is another gradient", async () => {
    const [one, other] = [runOf("control-1", "oppo"), runOf("control-2", "oppo", { overrides: ["seed=1"] })];
    await trainOn(one);
    await onRanks<RankResult>(2, "train", other);
    assert.ok(gradientDistance(one, other) > 1e-2);
  });
});
