// Building a small corpus into real files, in shards, with a restart.
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { loadSamples } from "../../../src/data/jsonl.ts";
import { buildCorpus, isBuilt, placedScenes, readManifest } from "../../../src/data/theatre/corpus.ts";
import { type CorpusPlan, defaultClipFormat, defaultPlan } from "../../../src/data/theatre/plan.ts";
import { decodeClip } from "../../../src/media/decode.ts";

const plan: CorpusPlan = {
  seed: 5,
  splits: [
    { name: "sft", kind: "train", numClips: 4 },
    { name: "conflict", kind: "conflict", numClips: 2 },
  ],
  format: { ...defaultClipFormat, size: 112, preset: "ultrafast" },
};

let root = "";
before(async () => {
  root = await mkdtemp(join(tmpdir(), "oppo-theatre-"));
});
after(() => rm(root, { recursive: true, force: true }));

test("two shards make one corpus; only the last one to finish writes rows and manifest", async () => {
  const seen: number[] = [];
  const first = await buildCorpus(root, plan, {
    shard: { index: 0, count: 2 },
    onProgress: ({ done, total }) => seen.push(done / total),
  });
  assert.deepEqual(first, { numRendered: 3, numReused: 0, isComplete: false });
  assert.deepEqual(seen, [1 / 3, 2 / 3, 1]);
  assert.equal(await readManifest(root), null);
  const second = await buildCorpus(root, plan, { shard: { index: 1, count: 2 } });
  assert.deepEqual(second, { numRendered: 3, numReused: 0, isComplete: true });
  const manifest = (await readManifest(root))!;
  assert.deepEqual(
    manifest.splits.map(({ file, numClips }) => [file, numClips]),
    [
      ["sft.jsonl", 4],
      ["conflict.jsonl", 2],
    ],
  );
  assert.ok(await isBuilt(root, plan));
  assert.ok(!(await isBuilt(root, { ...plan, seed: 6 })), "another seed is another corpus");
});

test("rows describe clips that decode, with subtitles beside them", async () => {
  const { samples, skipped } = await loadSamples(join(root, "sft.jsonl"));
  assert.equal(skipped.length, 0);
  assert.deepEqual(
    samples.map(({ id }) => id),
    ["sft-00000", "sft-00001", "sft-00002", "sft-00003"],
  );
  assert.deepEqual(samples[0]!.meta, { split: "sft", scene: placedScenes(plan)[0]!.scene });
  const sample = samples[0]!;
  const clip = await decodeClip(join(root, sample.media));
  assert.deepEqual([clip.width, clip.height], [112, 112]);
  assert.ok(Math.abs(clip.durationSeconds - 2) < 0.1, `${clip.durationSeconds} s`);
  const track = await readFile(join(root, sample.media.replace("mp4", "vtt")), "utf8");
  assert.equal(track, `WEBVTT\n\n00:00.000 --> 00:02.000\n${sample.subtitle}\n`);
});

test("a second build does nothing, and a lost clip is made again with the same bytes", async () => {
  assert.deepEqual(await buildCorpus(root, plan), { numRendered: 0, numReused: 6, isComplete: true });
  const clips = (await readdir(join(root, "clips"))).filter((name) => name.endsWith(".mp4"));
  const lost = join(root, "clips", clips[0]!);
  const bytes = await readFile(lost);
  const kept = await stat(join(root, "clips", clips[1]!));
  await unlink(lost);
  assert.deepEqual(await buildCorpus(root, plan), { numRendered: 1, numReused: 5, isComplete: true });
  assert.deepEqual(await readFile(lost), bytes);
  assert.equal((await stat(join(root, "clips", clips[1]!))).mtimeMs, kept.mtimeMs);
});

test("a build stops between clips when it is told to, and keeps what it made", async () => {
  const elsewhere = await mkdtemp(join(tmpdir(), "oppo-theatre-"));
  const controller = new AbortController();
  const build = buildCorpus(elsewhere, plan, { signal: controller.signal, onProgress: () => controller.abort() });
  await assert.rejects(build, { name: "AbortError" });
  const clips = (await readdir(join(elsewhere, "clips"))).filter((name) => name.endsWith(".mp4"));
  assert.equal(clips.length, 1);
  await rm(elsewhere, { recursive: true, force: true });
});

test("the default plan has the splits that the demo needs, all different scenes", () => {
  const scenes = placedScenes(defaultPlan);
  assert.equal(scenes.length, 3000);
  assert.equal(new Set(scenes.map(({ scene }) => scene.seed)).size, 3000);
});
