// Clips for a page: small mp4s with their sound while there is room, pictures after that.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { encodeClip } from "../../src/media/encode/encode.ts";
import { decodeClip } from "../../src/media/isolated/index.ts";
import { ClipPreviews, previewDecoding } from "../../src/page/clip-preview.ts";
import { previewView, tryPreview } from "../../src/page/preview-view.ts";
import { videoView } from "../../src/page/video-view.ts";
import { fixtureClip } from "../media/clip-fixture.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

test("a preview has the clip's length, shape and sound; what has no room is a picture", async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, "clip.mp4");
  await encodeClip(file, fixtureClip({ width: 322, height: 180, seconds: 2 }));
  const clip = await decodeClip(file, previewDecoding);
  using previews = new ClipPreviews(60_000);
  const first = await previews.of(clip);
  assert.match(first.posterUri!, /^data:image\/jpeg;base64,/);
  const bytes = Buffer.from(first.mediaUri!.replace(/^data:video\/mp4;base64,/, ""), "base64");
  const copy = join(folder, "copy.mp4");
  writeFileSync(copy, bytes);
  const played = await decodeClip(copy, { fps: 8 });
  assert.deepEqual([played.height, played.width % 2], [144, 0]);
  assert.ok(Math.abs(played.width / played.height - first.ratio) < 0.02);
  assert.ok(Math.abs(played.durationSeconds - 2) < 0.15 && Math.abs(first.seconds - 2) < 0.1);
  const loudness = (samples: Float32Array) =>
    Math.sqrt(samples.reduce((sum, value) => sum + value ** 2, 0) / samples.length);
  const lost = loudness(played.waveform) / loudness(clip.waveform);
  assert.ok(lost > 0.8 && lost < 1.25, `${lost}`);
  using tight = new ClipPreviews(bytes.length);
  const shown = [await tight.of(clip), await tight.of(clip)];
  assert.deepEqual(
    shown.map(({ mediaUri }) => mediaUri !== null),
    [true, false],
  );
  assert.match(shown[1]!.posterUri!, /^data:image/);
  const silent = { ...clip, numFrames: 0, frames: new Uint8Array() };
  assert.deepEqual(await previews.of(silent), {
    posterUri: null,
    mediaUri: null,
    seconds: clip.durationSeconds,
    ratio: 1,
  });
});

test("what plays, what is a frame, and why there is neither", async () => {
  using previews = new ClipPreviews(0);
  const lost = await tryPreview(previews, () => decodeClip("nowhere.mp4", previewDecoding));
  assert.match((previewView("a", "", lost) as { text: string }).text, /no clip to show: nowhere.mp4/);
  await assert.rejects(
    tryPreview(previews, () => Promise.reject(new TypeError("ours"))),
    /ours/,
  );
  const preview = { posterUri: "data:,p", mediaUri: "data:,m", seconds: 1, ratio: 1 };
  const view = (more: Partial<typeof preview> | Record<"mediaUri" | "posterUri", null>) =>
    previewView("<a>", "said", { ...preview, ...more });
  assert.match((view({}) as { text: string }).text, /<video .*the clip &lt;a&gt;.*<track/s);
  assert.match(
    (view({ mediaUri: null } as never) as { text: string }).text,
    /^<img src="data:,p" alt="a frame of &lt;a&gt;">$/,
  );
  assert.equal(view({ mediaUri: null, posterUri: null }), false);
});

test("captions last as long as the clip, and a line cannot end them", () => {
  const clip = { mediaUri: "data:,", posterUri: "data:,", label: "x" };
  const { text } = videoView({ ...clip, subtitle: "a --> b\n\nNOTE <b>", seconds: 3725.5 });
  const track = Buffer.from(/base64,([^"]+)/.exec(text)![1]!, "base64").toString();
  assert.equal(track, "WEBVTT\n\n00:00:00.000 --> 01:02:05.500\na --&gt; b NOTE &lt;b&gt;\n");
  assert.doesNotMatch(videoView({ ...clip, subtitle: "" }).text, /<track/);
});
