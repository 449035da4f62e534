// Judged terms: scores come in one batch before scoring, and a judgement that failed is missing in totals, advantages and metrics.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decoupledAdvantages, defaultAdvantageOptions, groupAdvantages } from "../../src/rl/advantage.ts";
import { rolloutMetrics } from "../../src/rl/metrics.ts";
import { recordGroup, TokenDivergences } from "../../src/rl/record.ts";
import { type JudgedTerm, standIn } from "../../src/rl/rewards/judged.ts";
import { type ScoreOptions, scoreGroups } from "../../src/rl/score.ts";
import { testSample, textRollout } from "../support/rollouts.ts";
import { wordEmbedder } from "../support/word-embedder.ts";

const close = (got: readonly number[], want: readonly number[], tolerance = 1e-12) =>
  assert.ok(
    got.length === want.length && got.every((value, i) => Math.abs(value - want[i]!) < tolerance),
    `${got} for ${want}`,
  );

/** A term by what it says of texts. */
function term(scores: Readonly<Record<string, number | null>>, calls: number[] = [], weight = 2): JudgedTerm {
  return {
    name: "context",
    weight,
    async judge(groups) {
      calls.push(groups.flat().length);
      return groups.map((group) => group.map(({ rollout }) => scores[rollout.text]!));
    },
  };
}

const options: ScoreOptions = {
  embedder: wordEmbedder(["brow"]),
  terms: [{ name: "one", weight: 1, score: ({ rollout }) => (rollout.text === "a" ? 1 : 0) }],
  similarityThreshold: 0.5,
  advantage: { ...defaultAdvantageOptions, scale: "none" },
  combination: "sum-then-normalize",
  overlong: null,
  requireWellFormed: false,
};
const groupOf = (id: string, ...texts: string[]) => ({
  sample: testSample(id),
  rollouts: texts.map((text) => textRollout(text)),
});
const scores = { a: 1, b: null, c: 0, d: 0.5, e: null, f: null };

describe("judged terms", () => {
  test("one call for all groups of a step; a missing judgement is worth what the others are on average", async () => {
    const calls: number[] = [];
    const judged = [term(scores, calls)];
    const groups = await scoreGroups([groupOf("x", "a", "b", "c"), groupOf("y", "d", "e")], { ...options, judged });
    assert.deepEqual(calls, [5]);
    const [x, y] = groups;
    // a: 1 + 2, b: 0 + 2 * (1 + 0) / 2, c: 0; the mean is 4 / 3.
    assert.deepEqual(
      x!.rollouts.map(({ rewards }) => rewards.total),
      [3, 1, 0],
    );
    close(
      x!.rollouts.map(({ advantage }) => advantage),
      [3 - 4 / 3, 1 - 4 / 3, -4 / 3],
    );
    // Of one that is known and one that is not, neither gains by it.
    assert.deepEqual(
      y!.rollouts.map(({ advantage }) => advantage),
      [0, 0],
    );
    assert.deepEqual(x!.rollouts[1]!.rewards.parts, { one: 0 });
    assert.deepEqual(x!.rollouts[1]!.rewards.isMissing, { context: true });
    assert.deepEqual(recordGroup(x!, new TokenDivergences()).rollouts[0]!.rewards, { one: 1, context: 1 });
  });

  test("a zero is another thing", async () => {
    const asZero = term({ ...scores, b: 0 });
    const [group] = await scoreGroups([groupOf("x", "a", "b", "c")], { ...options, judged: [asZero] });
    assert.equal(group!.rollouts[1]!.rewards.total, 0);
  });

  test("a group of which nothing is known is left as the other terms have it, to the bit", async () => {
    const judged = [term({ ...scores, a: null })];
    const [without] = await scoreGroups([groupOf("x", "a", "b", "e")], options);
    const [known] = await scoreGroups([groupOf("x", "a", "b", "e")], { ...options, judged });
    assert.deepEqual(
      known!.rollouts.map(({ advantage }) => advantage),
      without!.rollouts.map(({ advantage }) => advantage),
    );
  });

  test("metrics: means over what is known, and the share that is missing", async () => {
    const groups = await scoreGroups([groupOf("x", "a", "b", "c"), groupOf("y", "e")], {
      ...options,
      judged: [term(scores)],
    });
    const metrics = rolloutMetrics(groups).values();
    assert.equal(metrics["rewards/context/mean"], 0.5);
    assert.equal(metrics["rewards/context/missing"], 0.5);
    assert.equal(metrics["rewards/one/mean"], 0.25);
    const plain = rolloutMetrics(await scoreGroups([groupOf("x", "a")], options)).values();
    assert.ok(!Object.keys(plain).some((name) => name.endsWith("/missing")));
  });

  test("terms that are normalised one by one: over the known of a group, 0 for the rest", () => {
    const own = groupAdvantages([[1, 0], [0.5]]);
    const [x, y] = decoupledAdvantages([
      {
        weight: 1,
        groups: [
          [1, null, 0],
          [0.5, null],
        ],
      },
    ]);
    const sums = [own[0]![0]!, 0, own[0]![1]!, 0, 0];
    const std = Math.sqrt(sums.reduce((sum, value) => sum + value ** 2, 0) / 4);
    close(
      [...x!, ...y!],
      sums.map((value) => value / (std + 1e-4)),
    );
  });

  test("normalised one by one in a step: the judged term takes part", async () => {
    const judged = [term({ a: 0, b: 1 }, [], 1)];
    const combined = { ...options, judged, combination: "normalize-then-sum" as const };
    const [group] = await scoreGroups([groupOf("x", "a", "b")], combined);
    close(
      group!.rollouts.map(({ advantage }) => advantage),
      [0, 0],
    );
  });

  test("scores that do not fit end the step", async () => {
    for (const judge of [async () => [], async () => [[1]], async () => [[1, Number.NaN]]]) {
      const judged = [{ name: "odd", weight: 1, judge }];
      await assert.rejects(scoreGroups([groupOf("x", "a", "b")], { ...options, judged }), { code: "ERR_REWARD_JUDGE" });
    }
    assert.equal(standIn([null, null]), 0);
  });
});
