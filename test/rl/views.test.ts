// Which tokens each perception loss looks at, and how masks are drawn.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ScoredRollout } from "../../src/rl/types.ts";
import { drawMasks, drawRatio, neededViews, viewSelectors } from "../../src/rl/views.ts";
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

test("one mask per prompt, modality and step", () => {
  const key = { seed: 1, step: 4, sampleId: "clip" };
  assert.deepEqual(drawMasks(0.7, key, "video"), drawMasks(0.7, key, "video"));
  const [video] = drawMasks(0.7, key, "video");
  assert.deepEqual([video!.modality, video!.ratio], ["video", 0.7]);
  const others = [
    drawMasks(0.7, { ...key, step: 5 }, "video"),
    drawMasks(0.7, { ...key, sampleId: "other" }, "video"),
    drawMasks(0.7, { ...key, seed: 2 }, "video"),
    drawMasks(0.7, key, "audio"),
  ];
  for (const [other] of others) assert.notEqual(other!.seed, video!.seed);
  const both = drawMasks("mixed", key, "both");
  assert.deepEqual(
    both.map((mask) => mask.modality),
    ["video", "audio"],
  );
  assert.equal(both[0]!.ratio, both[1]!.ratio);
});

test("mixed ratios: half are full masks, the rest uniform in [0.5, 0.95)", () => {
  const draws = Array.from({ length: 4000 }, (_, step) =>
    drawRatio("mixed", { seed: 3, step, sampleId: "clip" }, "video"),
  );
  const partial = draws.filter((ratio) => ratio !== 1);
  // standard errors: share .0079, mean .13 / sqrt(2000) = .0029; four of them
  assert.ok(Math.abs(partial.length / draws.length - 0.5) < 0.032);
  assert.ok(Math.min(...partial) >= 0.5 && Math.max(...partial) < 0.95);
  const average = partial.reduce((sum, ratio) => sum + ratio, 0) / partial.length;
  assert.ok(Math.abs(average - 0.725) < 0.012, `mean ${average}`);
});
