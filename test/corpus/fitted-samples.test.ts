// Clips as a recipe gets them: decoded once and kept, bad ones counted, masked ones through the same towers.
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { borrowedRows, ClipLibrary } from "../../src/corpus/clips/clip-library.ts";
import { noticeLines, noticeNotes } from "../../src/corpus/clips/clip-notices.ts";
import { type ClipFitter, type FittedSample, fitSamples } from "../../src/corpus/clips/fitted-samples.ts";
import { noticedOf } from "../../src/corpus/clips/read-corpus.ts";
import { mediaPath } from "../../src/data/jsonl.ts";
import type { Sample } from "../../src/data/sample.ts";
import type { MediaClip } from "../../src/media/clip.ts";
import { encodeClip } from "../../src/media/encode/encode.ts";
import type { OmniModel } from "../../src/models/omni-model.ts";
import { loadModel } from "../../src/models/registry.ts";
import { InterruptedError } from "../../src/run/interrupt.ts";
import { numLiveTensors } from "../../src/tensor/index.ts";
import { fixtureClip } from "../media/clip-fixture.ts";
import { wavFile } from "../support/odd-media.ts";
import { testSample } from "../support/rollouts.ts";
import { skipVideo } from "../support/skip-video.ts";
import { fitAll, type SmallTheatre, smallTheatre } from "../support/small-theatre.ts";

/** Rows of one clip differ by rounding when it is encoded alone or among others. */
const batchTolerance = 1e-4;
/** Rows of different content differ by more than this somewhere. */
const clearDifference = 0.05;

let theatre: SmallTheatre;
let model: OmniModel;
let fitted: FittedSample[];

before(async () => {
  theatre = await smallTheatre(3);
  model = await loadModel(theatre.freshModel(1));
  fitted = await fitAll(theatre, model);
});
after(() => {
  model[Symbol.dispose]();
  theatre[Symbol.dispose]();
});

/** Takes clips as they are. */
const anyFitter: ClipFitter = { fitting: { fps: 2, minFrames: 4, maxFrames: 768 }, fitKey: "any" };

describe("fitSamples", () => {
  test("decodes once: the kept clips are the same bytes, until a file or the model's resolution changes", async () => {
    const cacheFile = join(theatre.root, "kept.safetensors");
    let numDecoded = 0;
    const fit = (fitKey: string) =>
      fitSamples(theatre.corpus, theatre.samples, {
        cacheFile,
        maxSkippedFraction: 0,
        model: {
          fitting: model.fitting,
          fitKey,
          check: () => {
            numDecoded++;
          },
        },
      });
    const first = await fit("a");
    assert.equal(numDecoded, 3);
    assert.deepEqual(
      first.fitted.map(({ clip }) => [clip.numFrames, clip.width, clip.height, clip.sampleRateHz]),
      [1, 2, 3].map(() => [4, 112, 112, 16000]),
    );
    const second = await fit("a");
    assert.equal(numDecoded, 3, "nothing was decoded again");
    assert.deepEqual(second, first);
    await fit("b");
    assert.equal(numDecoded, 6, "another resolution");
    const path = mediaPath(theatre.corpus, theatre.samples[0]!);
    utimesSync(path, 1, 1);
    await fit("b");
    assert.equal(numDecoded, 9, "a changed file");
  });

  test("clips that gave less than they state are told of, also when they come from the kept file", async () => {
    const root = join(theatre.root, "noticed");
    mkdirSync(root);
    const wav = wavFile([fixtureClip().waveform], 16000);
    writeFileSync(join(root, "whole.wav"), wav);
    writeFileSync(join(root, "cut.wav"), wav.subarray(0, 44 + 2 * 16000));
    const samples = ["whole", "cut"].map((id) => testSample(id, { media: `${id}.wav` }));
    const options = { cacheFile: join(root, "kept.safetensors"), maxSkippedFraction: 0, model: anyFitter };
    const want = [{ id: "cut", notices: ["sound: stated 2.00 s, decoded 1.00 s"] }];
    assert.deepEqual(noticedOf((await fitSamples(root, samples, options)).fitted), want);
    assert.deepEqual(noticedOf((await fitSamples(root, samples, options)).fitted), want);
    assert.deepEqual(noticeLines(want), [
      "gave less than they state: 1",
      "  cut: sound: stated 2.00 s, decoded 1.00 s",
    ]);
    assert.deepEqual(noticeLines(Array(5).fill(want[0])).slice(-1), ["  and 2 more"]);
    assert.deepEqual([...noticeLines([]), ...noticeNotes([])], []);
    assert.match(noticeNotes(want)[0]!, /^1 clip gave less than their files state: cut: sound: stated/);
  });

  test("stops at once in the middle of a clip", async () => {
    const root = join(theatre.root, "slow");
    mkdirSync(root);
    const sample = testSample("slow", { media: "slow.h264" });
    writeFileSync(mediaPath(root, sample), skipVideo(1920, 1088, 3000));
    const stop = new AbortController();
    const fitting = fitSamples(root, [sample], {
      ...{ model: anyFitter, maxSkippedFraction: 1, signal: stop.signal },
    });
    setTimeout(() => stop.abort(new InterruptedError()), 300);
    const start = performance.now();
    await assert.rejects(fitting, { code: "ERR_INTERRUPTED" });
    assert.ok(performance.now() - start < 1300, "control: decoding takes several seconds");
  });

  test("counts what cannot be read, with the reason, and takes a clip without sound or without video", async () => {
    const root = join(theatre.root, "bad");
    await makeBadCorpus(root, mediaPath(theatre.corpus, theatre.samples[0]!));
    const names = ["good", "missing", "cut", "empty", "text", "no-sound"];
    const samples = names.map((name): Sample => testSample(name));
    const { fitted: kept, skipped } = await fitSamples(root, samples, {
      model,
      maxSkippedFraction: 0.7,
    });
    assert.deepEqual(
      kept.map(({ sample, clip }) => [sample.id, clip.numFrames > 0, clip.waveform.length > 0]),
      [
        ["good", true, true],
        ["no-sound", true, false],
      ],
    );
    assert.deepEqual(
      skipped.map(({ id }) => id),
      ["missing", "cut", "empty", "text"],
    );
    const reasons = [/no such file/, /cut off/, /an empty file/, /5 bytes that FFmpeg cannot open/];
    for (const [i, { reason }] of skipped.entries()) {
      assert.match(reason, reasons[i]!);
      assert.match(reason, /^\/\S+\.mp4: expected .* got .*\. [A-Z]/, "where, expected, got, what to do");
    }
    const features = model.features(kept[1]!.clip);
    assert.notEqual(features.video, null);
    assert.equal(features.audio, null, "a clip without sound has no sound tokens");
  });

  test("stops when more than the allowed share is unreadable, and not at that share", async () => {
    const root = join(theatre.root, "bad");
    const samples = ["good", "no-sound", "missing", "empty"].map((name): Sample => testSample(name));
    const fit = (maxSkippedFraction: number) => fitSamples(root, samples, { model: anyFitter, maxSkippedFraction });
    assert.equal((await fit(0.5)).skipped.length, 2);
    await assert.rejects(fit(0.49), (error: Error & { code: string }) => {
      assert.equal(error.code, "ERR_TOO_MANY_SKIPPED");
      assert.match(error.message, /bad: expected at most 1 of 4 clips to be unreadable, got 2; the last is empty: /);
      return true;
    });
  });

  test("a stop request ends it between two clips", async () => {
    const controller = new AbortController();
    const fit = fitSamples(theatre.corpus, theatre.samples, {
      model: anyFitter,
      maxSkippedFraction: 0,
      signal: controller.signal,
      onProgress: () => controller.abort(new Error("stopped")),
    });
    await assert.rejects(fit, /stopped/);
  });
});

async function makeBadCorpus(root: string, good: string): Promise<void> {
  mkdirSync(root);
  copyFileSync(good, join(root, "good.mp4"));
  const bytes = readFileSync(good);
  writeFileSync(join(root, "cut.mp4"), bytes.subarray(0, Math.floor(bytes.length / 2)));
  writeFileSync(join(root, "empty.mp4"), "");
  writeFileSync(join(root, "text.mp4"), "hello");
  await encodeClip(join(root, "no-sound.mp4"), { ...fixtureClip(), waveform: new Float32Array(0) });
}

describe("ClipLibrary", () => {
  const maxDifference = (a: readonly number[], b: readonly number[]) => {
    assert.equal(a.length, b.length);
    return Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));
  };
  const values = (rows: { toFloat32Array(): Float32Array } | null) => [...rows!.toFloat32Array()];

  test("masks one modality and leaves the other's rows as they are", () => {
    const before = numLiveTensors();
    {
      using library = new ClipLibrary(model);
      library.add(fitted);
      for (const [modality, other] of [
        ["video", "audio"],
        ["audio", "video"],
      ] as const) {
        for (const ratio of [0.5, 1]) {
          const masks = [{ modality, ratio, seed: 3 }];
          const own = fitted.map(({ sample }) => library.rows(sample.id));
          const masked = library.maskedRows(fitted.map(({ sample }) => ({ sampleId: sample.id, masks })));
          for (const [i, rows] of masked.entries()) {
            assert.equal(rows[other], own[i]![other], `${other} rows are the clip's own under a ${modality} mask`);
            assert.notDeepEqual(values(rows[modality]), values(own[i]![modality]), `${modality} rows change`);
            rows[Symbol.dispose]();
          }
        }
      }
      // the rows of the clips outlive masked views that borrowed them
      assert.equal(values(library.rows(fitted[0]!.sample.id).video).length, 32 * 64);
    }
    assert.equal(numLiveTensors(), before, "the library leaves no tensor behind");
  });

  test("a modality that is masked entirely is the same for every clip; one that is not differs", () => {
    using library = new ClipLibrary(model);
    library.add(fitted);
    const [first, second] = fitted.map(({ sample }) => sample.id) as [string, string];
    for (const modality of ["video", "audio"] as const) {
      const view = (sampleId: string, ratio: number) => {
        const [rows] = library.maskedRows([{ sampleId, masks: [{ modality, ratio, seed: 3 }] }]);
        const numbers = values(rows![modality]);
        rows![Symbol.dispose]();
        return numbers;
      };
      const own = values(library.rows(first)[modality]);
      assert.deepEqual(view(first, 1), view(second, 1));
      assert.deepEqual(view(first, 1), values(library.blankRows(first, modality)));
      assert.ok(maxDifference(view(first, 0), own) < batchTolerance, "ratio 0 is the identity");
      assert.ok(maxDifference(view(first, 0.5), own) > clearDifference, "half a mask is not");
      assert.ok(maxDifference(view(first, 0.5), view(second, 0.5)) > clearDifference, "half a mask leaves half a clip");
      assert.ok(maxDifference(view(first, 0), view(second, 0)) > clearDifference);
    }
  });

  test("fully masked rows are those of a black, silent clip", () => {
    using library = new ClipLibrary(model);
    library.add(fitted);
    const { sample, clip } = fitted[0]!;
    const blank: MediaClip = {
      ...clip,
      frames: new Uint8Array(clip.frames.length),
      waveform: new Float32Array(clip.waveform.length),
    };
    using black = new ClipLibrary(model);
    black.add([{ sample, clip: blank }]);
    for (const modality of ["video", "audio"] as const) {
      const expected = values(black.rows(sample.id)[modality]);
      assert.ok(maxDifference(values(library.blankRows(sample.id, modality)), expected) < batchTolerance);
      assert.ok(maxDifference(values(library.rows(sample.id)[modality]), expected) > clearDifference);
    }
  });

  test("a prompt takes other rows of the same shape; an unknown clip is an error", () => {
    using library = new ClipLibrary(model);
    library.add(fitted);
    const [first, second] = fitted.map(({ sample }) => sample.id) as [string, string];
    const other = borrowedRows(library.rows(second).video, library.rows(first).audio);
    const own = library.prompt(first, "hello");
    const swapped = library.prompt(first, "hello", other);
    assert.equal(swapped.tokens, own.tokens, "the prompt's tokens are made once");
    assert.equal(swapped.rows!.video, library.rows(second).video);
    assert.notDeepEqual(library.prompt(first, "goodbye").tokens.ids, own.tokens.ids);
    assert.throws(() => library.prompt("nobody", "hello"), { code: "ERR_CLIP_MISSING", message: /got "nobody"/ });
  });
});
