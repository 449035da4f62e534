// Masters, moments and summed gradients in parts: the weights of whole ones, and a checkpoint that any number of processes reads.
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type RankResult, type RankRun, rankRun, trainOn } from "../../support/rank-training.ts";
import { onRanks, startRanks } from "../../support/ranks.ts";
import { type SmallTheatre, smallTheatre } from "../../support/small-theatre.ts";

let theatre: SmallTheatre;
let model: string;

before(async () => {
  theatre = await smallTheatre(4);
  model = theatre.freshModel(1);
});
after(() => theatre[Symbol.dispose]());

function runOf(name: string, kind: RankRun["kind"], more: Partial<RankRun> = {}): RankRun {
  return rankRun(theatre, model, name, kind, more);
}

describe("a sharded optimizer", () => {
  test("sharded masters and moments give the weights of whole ones, in float32 and in half precision, clipped or not", async () => {
    for (const [i, overrides] of [["maxGradNorm=0.5"], ["dtype=bfloat16", "trainable=full"]].entries()) {
      const run = (name: string, ...more: string[]) =>
        runOf(`${name}-${i}`, "sft", { overrides: ["steps=3", "learningRate=1e-3", ...overrides, ...more] });
      const whole = await onRanks<RankResult>(2, "train", run("whole"));
      const sharded = await onRanks<RankResult>(2, "train", run("sharded", "shardOptimizer=true"));
      // A clipped norm is added up in another order; all else is the same arithmetic.
      const numWeights = new Set([...whole, ...sharded].map(({ weights }) => weights)).size;
      assert.ok(numWeights <= (i === 0 ? 2 : 1), `${numWeights} different results`);
      for (const results of [whole, sharded])
        assert.equal(results[0]!.weights, results[1]!.weights, "ranks agree to the bit");
      for (const [step, row] of whole[0]!.log.entries()) {
        const got = sharded[0]!.log[step]!;
        for (const name of ["loss", "grad_norm"])
          assert.ok(Math.abs(got[name]! - row[name]!) <= 1e-5, `${step} ${name}`);
      }
    }
  });

  test("a checkpoint in parts goes on with as many processes to the bit, with others, and alone", async () => {
    const run = (name: string, more: Partial<RankRun> = {}) =>
      runOf(name, "sft", { overrides: ["steps=4", "learningRate=1e-3", "shardOptimizer=true"], ...more });
    const [whole] = await onRanks<RankResult>(2, "train", run("undisturbed"));
    const go = async (size: number) => {
      const stop = { rank: 1, step: 2 };
      const name = `parts-${size}`;
      const stopped = await startRanks(2, "train", run(name, { stop })).ends;
      for (const { error } of stopped) assert.match(error, /^ERR_INTERRUPTED/);
      const files = readdirSync(join(theatre.root, name, "checkpoints/step-000002")).sort();
      assert.deepEqual(files, ["checkpoint.json", "shard-1-of-2.safetensors", "shard-2-of-2.safetensors"]);
      return size === 1 ? await trainOn(run(name)) : (await onRanks<RankResult>(size, "train", run(name)))[0]!;
    };
    assert.deepEqual(await go(2), whole);
    for (const size of [1, 3]) {
      const { log } = await go(size);
      assert.equal(log.length, 4);
      for (const [step, row] of log.entries())
        assert.ok(Math.abs(row.loss! - whole!.log[step]!.loss!) <= 1e-5, `${size} ${step}`);
    }
  });

  test("a disk that is full for one rank: all say so, and nothing half-written counts", {
    skip: !existsSync("/dev/full"),
  }, async () => {
    const folder = join(theatre.root, "full", "checkpoints");
    for (const { code, error } of await startRanks(2, "fullDisk", folder).ends) {
      assert.equal(code, 1);
      assert.match(error, /^ERR_(DISK_FULL|RANK_LOST): .*rank 1: .*(full|ERR_DISK_FULL)/);
    }
    assert.deepEqual(readdirSync(folder), []);
  });
});
