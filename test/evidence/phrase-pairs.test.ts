// Which pairs a bank gives, all or a bounded sample of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { bankPairs, requireBoth } from "../../src/evidence/phrase-pairs.ts";

const bank = [
  { name: "smile", phrases: ["a smile", "a grin"] },
  { name: "frown", phrases: ["a frown", "knitted brows", "a scowl"] },
];

test("every pair once, same within a concept, different across", () => {
  const { texts, groups, same, different } = bankPairs(bank);
  assert.deepEqual(texts, ["a smile", "a grin", "a frown", "knitted brows", "a scowl"]);
  assert.deepEqual(groups, [0, 0, 1, 1, 1]);
  assert.deepEqual(same, [
    [0, 1],
    [2, 3],
    [2, 4],
    [3, 4],
  ]);
  assert.deepEqual(
    different.map(([a, b]) => `${a}${b}`),
    ["02", "03", "04", "12", "13", "14"],
  );
});

test("a large bank is sampled, the same way for the same seed", () => {
  const large = Array.from({ length: 60 }, (_, c) => ({
    name: `concept ${c}`,
    phrases: Array.from({ length: 10 }, (_, p) => `phrase ${c} ${p}`),
  }));
  // 60 * 45 same, 60 * 59 / 2 * 100 different
  assert.equal(bankPairs(large, { seed: 0, maxPairs: 1e6 }).same.length, 2700);
  assert.equal(bankPairs(large, { seed: 0, maxPairs: 1e6 }).different.length, 177_000);
  const few = bankPairs(large, { seed: 0, maxPairs: 500 });
  assert.deepEqual([few.same.length, few.different.length], [500, 500]);
  assert.ok(few.same.every(([a, b]) => few.groups[a] === few.groups[b] && a < b));
  assert.ok(few.different.every(([a, b]) => few.groups[a] !== few.groups[b] && a < b));
  for (const sort of [few.same, few.different]) {
    assert.equal(new Set(sort.map(([a, b]) => `${a} ${b}`)).size, 500, "distinct");
    const mean = sort.reduce((sum, [a]) => sum + a, 0) / 500;
    // The lower index of a pair: 300 +- 8 for the same (uniform over 600), 200 +- 6 for the different (a triangle).
    const expected = sort === few.same ? 298 : 200;
    assert.ok(Math.abs(mean - expected) < 35, `${mean} is far from ${expected}`);
  }
  assert.deepEqual(bankPairs(large, { seed: 0, maxPairs: 500 }), few);
  assert.notDeepEqual(bankPairs(large, { seed: 1, maxPairs: 500 }), few);
});

test("a bank without a pair of one sort is refused", () => {
  for (const poor of [[bank[0]!], bank.map(({ name, phrases }) => ({ name, phrases: phrases.slice(0, 1) }))]) {
    assert.throws(() => bankPairs(poor), { code: "ERR_CALIBRATION", message: /--bank BANK\.json/ });
  }
  assert.throws(() => requireBoth({ texts: [], groups: [], same: [], different: [] }, "x"), /expected x, got 0 pairs/);
});
