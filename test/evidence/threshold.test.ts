// The best cut, worked out by hand, and what weights and ties do to it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseThreshold, ratesAt, type ScoredPair } from "../../src/evidence/threshold.ts";

function pairs(same: readonly number[], different: readonly number[]): ScoredPair[] {
  return [
    ...same.map((cosine) => ({ cosine, isSame: true, weight: 1 })),
    ...different.map((cosine) => ({ cosine, isSame: false, weight: 1 })),
  ].sort((a, b) => b.cosine - a.cosine);
}

const close = (got: number, want: number) => assert.ok(Math.abs(got - want) < 1e-12, `${got} is not ${want}`);

test("an overlap: three same, three different", () => {
  // F1 after .9 .8 .5 .4 .1 .0: 1/2, 4/5, 2/3, 6/7, 3/4, 2/3
  const choice = chooseThreshold(pairs([0.9, 0.8, 0.4], [0.5, 0.1, 0]));
  close(choice.threshold, 0.25);
  close(choice.f1, 6 / 7);
  close(choice.missed, 0);
  close(choice.leaked, 1 / 3);
  assert.deepEqual(choice.range, [0.1, 0.4]);
  // Above .5: one of three the same is missed, one of three different leaks.
  close(choice.equalError.threshold, 0.45);
  close(choice.equalError.rate, 1 / 3);
  const rates = ratesAt(pairs([0.9, 0.8, 0.4], [0.5, 0.1, 0]), 0.45);
  close(rates.missed, 1 / 3);
  close(rates.leaked, 1 / 3);
});

test("a gap: its middle, and all of it is as good", () => {
  const choice = chooseThreshold(pairs([0.9, 0.7], [0.3, 0.2, 0.1]));
  close(choice.threshold, 0.5);
  assert.deepEqual([choice.f1, choice.missed, choice.leaked], [1, 0, 0]);
  assert.deepEqual(choice.range, [0.3, 0.7]);
  assert.equal(choice.equalError.rate, 0);
});

test("many different pairs do not pull the threshold up; weights count like repeats", () => {
  const few = chooseThreshold(pairs([0.9, 0.8, 0.4], [0.5, 0.1, 0]));
  const many = chooseThreshold(
    pairs(
      [0.9, 0.8, 0.4],
      [0.5, 0.1, 0].flatMap((cosine) => Array(50).fill(cosine)),
    ),
  );
  assert.deepEqual(many, few);
  const heavy = pairs([0.9, 0.8, 0.4], [0.5, 0.1, 0]).map((pair) =>
    pair.cosine === 0.5 ? { ...pair, weight: 2 } : pair,
  );
  assert.deepEqual(chooseThreshold(heavy), chooseThreshold(pairs([0.9, 0.8, 0.4], [0.5, 0.5, 0.1, 0])));
  assert.notDeepEqual(chooseThreshold(heavy), few);
});

test("equal cosines are never cut apart", () => {
  const choice = chooseThreshold(pairs([0.5, 0.5], [0.5, 0.2]));
  close(choice.threshold, 0.35);
  close(choice.leaked, 0.5);
  // Nothing to tell apart: half of everything is wrong.
  close(chooseThreshold(pairs([0.5], [0.5])).equalError.rate, 0.5);
});
