// What an observer takes, counted by hand, and the settings of one that a run learns.
import assert from "node:assert/strict";
import { test } from "node:test";
import { observerSettings } from "../../../src/train/observer/settings.ts";
import { maxDevClips, numDevOf, numObservedViews } from "../../../src/train/observer/sizes.ts";

test("towers encode each clip and two masked views of it, and clips that are held out under every kind", () => {
  assert.equal(numObservedViews({ clips: 8, dev: 2 }, 3), 8 * 3 + 2 + 2 * 3);
  assert.equal(numObservedViews({ clips: 0, dev: maxDevClips + 50 }, 1), maxDevClips + 50 + maxDevClips);
  assert.deepEqual([4, 5, 14, 15].map(numDevOf), [0, 1, 2, 3]);
});

test("a cue that one clip has tells nothing: refused", () => {
  assert.deepEqual(observerSettings.parse({}), { clips: 600, cues: 128, minClips: 10 });
  assert.equal(observerSettings.safeParse({ minClips: 1 }).success, false);
  assert.equal(observerSettings.safeParse({ clip: 5 }).success, false);
});
