// A wheel from its rows: which word stands for which, and what happens to words that stand in several places.
import assert from "node:assert/strict";
import { test } from "node:test";
import { wheelFromRows } from "../../src/emotion/rings.ts";

test("outer words stand for their middle and inner ones, inner words for the first middle one", () => {
  const { name, levels } = wheelFromRows("w", [
    ["fear", "scared", "helpless"],
    ["fear", "anxious", "worried"],
    ["joy", "content", "free"],
  ]);
  assert.equal(name, "w");
  assert.deepEqual(Object.fromEntries(levels.level1), {
    ...{ fear: "fear", scared: "fear", helpless: "fear", anxious: "fear", worried: "fear" },
    ...{ joy: "joy", content: "joy", free: "joy" },
  });
  assert.deepEqual(Object.fromEntries(levels.level2), {
    ...{ fear: "anxious", scared: "scared", helpless: "scared", anxious: "anxious" },
    ...{ joy: "content", content: "content", free: "content" },
    worried: "anxious",
  });
});

test("a word in several places belongs to the last row", () => {
  const rows = [
    ["anger", "bitter", "violated"],
    ["fear", "scared", "violated"],
  ] as const;
  const violated = (order: Parameters<typeof wheelFromRows>[1]) => {
    const { level1, level2 } = wheelFromRows("w", order).levels;
    return [level1.get("violated"), level2.get("violated")];
  };
  assert.deepEqual(violated(rows), ["fear", "scared"]);
  assert.deepEqual(violated(rows.toReversed()), ["anger", "bitter"]);
});
