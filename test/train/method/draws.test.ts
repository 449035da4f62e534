// Dynamic sampling and mini-batches on the host: what is drawn in whose place, when it ends, and which prompts an update sees.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { defaultAdvantageOptions } from "../../../src/rl/advantage.ts";
import type { CompareOptions } from "../../../src/rl/rewards/compare.ts";
import type { ScoredGroup } from "../../../src/rl/types.ts";
import { miniBatches } from "../../../src/train/method/mini-batches.ts";
import { type Drawn, drawGroups, type SpreadOptions } from "../../../src/train/method/spread-groups.ts";
import { referenceKlAt } from "../../../src/train/method/update-settings.ts";
import { scoredRollout, testSample, textRollout } from "../../support/rollouts.ts";

const compare: CompareOptions = {
  terms: [{ name: "accuracy", weight: 1 }],
  advantage: { ...defaultAdvantageOptions, scale: "batch" },
  combination: "sum-then-normalize",
  spans: [],
};

const samples = Array.from({ length: 10 }, (_, i) => testSample(`clip-${i}`));

function group(id: string, totals: readonly number[]): ScoredGroup {
  const rollouts = totals.map((total) => ({
    ...scoredRollout(textRollout("a b"), 0),
    rewards: { total, parts: { accuracy: total } },
  }));
  return { sample: testSample(id), rollouts };
}

/** Groups of these samples have a spread; which samples were asked for, round by round. */
function world(spread: readonly string[], change: Partial<SpreadOptions<string>> = {}) {
  const rounds: string[][] = [];
  const of = (id: string): Drawn<string> => ({
    prompt: id,
    group: group(id, spread.includes(id) ? [0, 1, 1] : [1, 1, 1]),
  });
  const options: SpreadOptions<string> = {
    ...{ samples, rounds: 5, seed: 3, step: 7, compare },
    draw: async (some) => {
      rounds.push(some.map(({ id }) => id));
      return some.map(({ id }) => of(id));
    },
    ...change,
  };
  const run = async (...first: string[]) => {
    const { drawn, metrics } = await drawGroups(first.map(of), options);
    return { ids: drawn.map(({ prompt }) => prompt), drawn, metrics: metrics.values() };
  };
  return { run, rounds };
}

describe("dynamic sampling", () => {
  test("puts prompts with a spread in the place of those without, and counts them", async () => {
    const { run, rounds } = world(["clip-0", "clip-4", "clip-5", "clip-6"]);
    const { ids, metrics, drawn } = await run("clip-0", "clip-1", "clip-2");
    assert.equal(ids.length, 3);
    assert.equal(ids[0], "clip-0");
    assert.ok(
      ids.every((id) => ["clip-0", "clip-4", "clip-5", "clip-6"].includes(id)),
      String(ids),
    );
    const asked = rounds.flat();
    assert.equal(new Set([...asked, "clip-0", "clip-1", "clip-2"]).size, asked.length + 3, "no prompt twice");
    assert.equal(rounds[0]!.length, 2, "as many as are missing");
    assert.deepEqual(metrics, {
      "sampling/rounds": rounds.length,
      "sampling/replaced_prompts": 2,
      "sampling/dropped_prompts": asked.length,
    });
    // A step's spread is that of the groups which stay: two of three rewards are 1 in each.
    const std = Math.sqrt((3 * (4 / 9) + 6 * (1 / 9)) / 8);
    assert.ok(Math.abs(drawn[2]!.group.rollouts[1]!.advantage - 1 / 3 / (std + 1e-4)) < 1e-12);
  });

  test("is a function of seed and step, and ends after its rounds with the step's own prompts first", async () => {
    const first = world(["clip-9"], { rounds: 1 });
    const again = world(["clip-9"], { rounds: 1 });
    assert.deepEqual(await first.run("clip-0", "clip-1"), await again.run("clip-0", "clip-1"));
    assert.deepEqual(first.rounds, again.rounds);
    const orders = [1, 2, 3, 4].map((step) => world([], { step }));
    for (const { run } of orders) await run("clip-0", "clip-1");
    assert.ok(new Set(orders.map(({ rounds }) => String(rounds))).size > 1, "another step draws others");
    assert.equal(first.rounds.length, 1);
    const { ids, metrics } = await world([], { rounds: 2 }).run("clip-0", "clip-1");
    assert.deepEqual(ids, ["clip-0", "clip-1"], "all equal: the step as it was");
    assert.deepEqual([metrics["sampling/replaced_prompts"], metrics["sampling/rounds"]], [0, 2]);
  });

  test("ends when every sample was tried, when none can be read, and does nothing where it is off or not needed", async () => {
    const all = world([], { rounds: 99 });
    await all.run("clip-0", "clip-1");
    assert.equal(all.rounds.flat().length, 8);
    const unreadable = world([], { rounds: 3, draw: async () => [] });
    assert.deepEqual((await unreadable.run("clip-0")).ids, ["clip-0"]);
    const off = world([], { rounds: 0 });
    assert.deepEqual((await off.run("clip-0")).metrics, {});
    assert.deepEqual(off.rounds, []);
    const enough = world(["clip-0"]);
    const { metrics } = await enough.run("clip-0");
    assert.deepEqual([enough.rounds, metrics["sampling/rounds"]], [[], 0]);
  });
});

describe("mini-batches", () => {
  const items = ["a", "b", "c", "d", "e"];
  const plan = { updatesPerRollout: 4, miniBatches: 2, seed: 1, step: 3 };

  test("every round goes through all prompts once, in an order of its own", () => {
    const parts = miniBatches(items, plan);
    assert.deepEqual(
      parts.map((part) => part.length),
      [2, 3, 2, 3],
    );
    for (const round of [parts.slice(0, 2), parts.slice(2)]) assert.deepEqual(round.flat().sort(), items);
    assert.notDeepEqual(parts.slice(0, 2), parts.slice(2));
    assert.deepEqual(miniBatches(items, plan), parts);
    assert.notDeepEqual(miniBatches(items, { ...plan, step: 4 }), parts);
  });

  test("one part is everything as it stands; parts without a prompt are left out", () => {
    assert.deepEqual(miniBatches(items, { ...plan, updatesPerRollout: 2, miniBatches: 1 }), [items, items]);
    assert.deepEqual(miniBatches(["a"], { ...plan, updatesPerRollout: 3, miniBatches: 3 }), [["a"]]);
  });
});

test("the KL's weight falls over half of the run to a quarter, as HumanOmni-V2's", () => {
  const config = { referenceKlWeight: 0.04, referenceKlFloor: 0.25, referenceKlFall: 0.5, steps: 100 };
  const weights = [0, 25, 50, 99].map((step) => referenceKlAt(config, step));
  for (const [i, expected] of [0.04, 0.025, 0.01, 0.01].entries()) assert.ok(Math.abs(weights[i]! - expected) < 1e-15);
  assert.equal(referenceKlAt({ ...config, referenceKlFloor: 1 }, 70), 0.04);
  assert.equal(referenceKlAt({ ...config, referenceKlFloor: 0, referenceKlFall: 1 }, 50), 0.02);
});
