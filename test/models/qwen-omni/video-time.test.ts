// Time positions: 1 s between frame pairs as transformers has it, or what the frames were sampled at; a model keeps what it learned.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { otherSeconds, TimeWatch, timeNotice } from "../../../src/corpus/clips/clip-time.ts";
import { buildTheatreTokenizer } from "../../../src/data/theatre/tokenizer.ts";
import type { MediaClip } from "../../../src/media/clip.ts";
import type { VideoTime } from "../../../src/models/omni-model.ts";
import type { ThinkerTokens } from "../../../src/models/qwen-omni/clips.ts";
import { initTiny } from "../../../src/models/qwen-omni/init.ts";
import { secondsPerGrid } from "../../../src/models/qwen-omni/video-time.ts";
import { loadModel } from "../../../src/models/registry.ts";
import { verySmall } from "../../support/very-small.ts";

let root: string;
let fresh: string;

before(() => {
  root = mkdtempSync(join(tmpdir(), "oppo-video-time-"));
  fresh = join(root, "fresh");
  initTiny(fresh, buildTheatreTokenizer(), 1, verySmall);
});
after(() => rmSync(root, { recursive: true, force: true }));

/** Four frames of 56 x 56, sampled at a rate. */
function clipAt(fps: number, numFrames = 4): MediaClip {
  const frames = new Uint8Array(numFrames * 56 * 56 * 3);
  const sound = { waveform: new Float32Array(0), sampleRateHz: 16000 };
  return { frames, numFrames, height: 56, width: 56, fps, durationSeconds: numFrames / fps, ...sound };
}

/** Time positions of the two grid steps of a clip's prompt, from the first. */
async function stepsOf(directory: string, fps: number, videoTime?: VideoTime): Promise<number> {
  using model = await loadModel(directory, videoTime === undefined ? {} : { videoTime });
  const shape = model.shapeOf(model.features(clipAt(fps)));
  const { ids, positions } = model.promptTokens("x", shape) as ThinkerTokens;
  const times = [...positions.subarray(0, ids.length)];
  // Of the media's placeholders, the most frequent id: four cells per step.
  const counts = new Map<number, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  const [video] = [...counts].sort((a, b) => b[1] - a[1])[0]!;
  const own = times.filter((_, i) => ids[i] === video);
  assert.equal(own.length, 8);
  return own[4]! - own[0]!;
}

test("frame pairs count as 1 s apart, or as far as they were sampled", async () => {
  assert.equal(await stepsOf(fresh, 2), 25);
  assert.equal(await stepsOf(fresh, 4), 25, "as transformers, whatever the sampling was");
  assert.equal(await stepsOf(fresh, 4, "sampled"), 12);
  assert.equal(await stepsOf(fresh, 0.5, "sampled"), 100);
  assert.equal(await stepsOf(fresh, 2, "sampled"), 25, "no difference at two frames per second");
  assert.equal(secondsPerGrid(0, "sampled"), 1, "a picture has no time");
});

test("a model that learned otherwise says so beside its weights, and is asked so by default", async () => {
  const learned = join(root, "learned");
  {
    using model = await loadModel(fresh, { videoTime: "sampled" });
    model.save(learned);
  }
  assert.deepEqual(JSON.parse(readFileSync(join(learned, "oppo_video.json"), "utf8")), {
    ...{ version: 1, videoTime: "sampled" },
  });
  assert.equal(await stepsOf(learned, 4), 12);
  assert.equal(await stepsOf(learned, 4, "fixed"), 25);
  const back = join(root, "back");
  {
    using model = await loadModel(learned, { videoTime: "fixed" });
    model.save(back);
  }
  assert.ok(!existsSync(join(back, "oppo_video.json")));
  writeFileSync(join(learned, "oppo_video.json"), '{"version": 1, "videoTime": "wrong"}');
  await assert.rejects(
    stepsOf(learned, 4),
    /oppo_video\.json: expected the time between frame pairs .*, got videoTime: /,
  );
});

test("clips whose prompt says another time are told of", () => {
  const fixed = { videoTime: "fixed" } as const;
  assert.equal(otherSeconds(fixed, clipAt(2)), null);
  assert.equal(otherSeconds(fixed, clipAt(1.9)), null, "a length that is no whole number of seconds");
  assert.equal(otherSeconds(fixed, clipAt(4)), 0.5);
  assert.equal(otherSeconds(fixed, clipAt(4, 2)), null, "a single pair has no distance");
  assert.equal(otherSeconds({ videoTime: "sampled" }, clipAt(4)), null);
  assert.match(timeNotice(0.5), /^frame pairs lie 0\.50 s apart and are counted as 1 s/);
  const watch = new TimeWatch(fixed);
  assert.deepEqual(watch.lines(), []);
  for (const fps of [2, 4, 0.5]) watch.add(clipAt(fps));
  assert.match(watch.lines()[0]!, /^2 clips have frame pairs 0\.50 to 4\.00 s apart that are counted as 1 s/);
});
