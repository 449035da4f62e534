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
