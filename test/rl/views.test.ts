// Which tokens each perception loss looks at.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ScoredRollout } from "../../src/rl/types.ts";
import { neededViews, viewSelectors } from "../../src/rl/views.ts";
import { scoredRollout, textRollout } from "../support/rollouts.ts";

const rolloutWith = (video: readonly number[], audio: readonly number[]): ScoredRollout =>
  scoredRollout(textRollout("a b c d"), 0, { video, audio });

const shown = (rollout: ScoredRollout, name: keyof typeof viewSelectors) =>
  viewSelectors[name](rollout).map((view) => [view.name, [...view.tokens]]);

test("the relatives differ in their views only", () => {
  const rollout = rolloutWith([1, 2], [3]);
  assert.deepEqual(shown(rollout, "none"), []);
  assert.deepEqual(shown(rollout, "oppo"), [
    ["video", [1, 2]],
    ["audio", [3]],
  ]);
  assert.deepEqual(shown(rollout, "papo"), [["both", [0, 1, 2, 3]]]);
  assert.deepEqual(shown(rollout, "papoDual"), [
    ["video", [0, 1, 2, 3]],
    ["audio", [0, 1, 2, 3]],
  ]);
  assert.deepEqual(shown(rolloutWith([], [3]), "oppo"), [["audio", [3]]]);
  assert.deepEqual(neededViews([rolloutWith([], []), rolloutWith([], [3])], viewSelectors.oppo), ["audio"]);
  assert.deepEqual(neededViews([rollout], viewSelectors.papo), ["both"]);
});

test("the controls take as many tokens from anywhere, or those of the other modality", () => {
  const rollout = rolloutWith([1, 2], [3]);
  assert.deepEqual(shown(rollout, "swapped"), [
    ["video", [3]],
    ["audio", [1, 2]],
  ]);
  assert.deepEqual(shown(rolloutWith([1], []), "swapped"), [["audio", [1]]]);
  const drawn = shown(rollout, "random");
  assert.deepEqual(drawn, shown(rollout, "random"), "the same in every update");
  assert.deepEqual(
    drawn.map(([name, tokens]) => [name, (tokens as number[]).length]),
    [
      ["video", 2],
      ["audio", 1],
    ],
  );
  assert.deepEqual(shown(rolloutWith([], []), "random"), []);
  // Every position is drawn about as often: 400 completions of 12 tokens, 3 of each, 100 +- 4 * 8.7
  const counts = new Array<number>(12).fill(0);
  for (let i = 0; i < 400; i++) {
    const text = Array.from({ length: 12 }, (_, word) => `w${word}`).join(" ");
    const base = textRollout(text);
    const other = { ...base, ids: base.ids.map((id) => id + 7 * i) };
    const [view] = viewSelectors.random(scoredRollout(other, 0, { video: [0, 1, 2] }));
    const tokens = [...view!.tokens];
    assert.deepEqual(
      tokens,
      [...new Set(tokens)].sort((a, b) => a - b),
    );
    for (const token of tokens) counts[token]!++;
  }
  assert.ok(Math.min(...counts) > 65 && Math.max(...counts) < 135, String(counts));
});
