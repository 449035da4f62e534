// The observer of a corpus of nobody's kind: which cues it learns, what it refuses, how it is kept, and that it reads what is there.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ClipLibrary } from "../../../src/corpus/clips/clip-library.ts";
import type { Sample } from "../../../src/data/sample.ts";
import { buildTheatreTokenizer } from "../../../src/data/theatre/tokenizer.ts";
import { OppoError } from "../../../src/error.ts";
import { fitBuiltinEmbedder } from "../../../src/evidence/builtin-embedder.ts";
import type { Cue } from "../../../src/evidence/cue.ts";
import type { OmniModel } from "../../../src/models/omni-model.ts";
import { initTiny } from "../../../src/models/qwen-omni/init.ts";
import { loadModel } from "../../../src/models/registry.ts";
import { type CorpusObserverOptions, openCorpusObserver } from "../../../src/train/observer/corpus-observer.ts";
import { floorOf, learnableCues } from "../../../src/train/observer/learnable-cues.ts";
import { observeAbove, readingObserver } from "../../../src/train/observer/read-cues.ts";
import { plainClips } from "../../support/plain-corpus.ts";
import { verySmall } from "../../support/very-small.ts";

const phrases = ["grey hair", "a broken window", "two chairs", "her hands tremble", "a siren outside"];
const embedder = fitBuiltinEmbedder(phrases.map((name) => ({ name, phrases: [name] })));
const sample = (id: number, cues: readonly Cue[]): Sample => ({
  ...{ id: `${id}`, media: "x.mp4", subtitle: "", labels: [], reasoning: "" },
  cues: [...cues],
});
const video = (...places: number[]) => places.map((place): Cue => ({ kind: "video", text: phrases[place]! }));

describe("which cues can be learnt", () => {
  // of ten clips: cue 0 in all, 1 in six, 2 in four, 3 in one
  const samples = Array.from({ length: 10 }, (_, i) =>
    sample(i, [...video(0), ...(i < 6 ? video(1) : []), ...(i > 5 ? video(2) : []), ...(i === 0 ? video(3) : [])]),
  );

  test("those that enough clips have and enough lack; the rest is counted, and floors are their frequency", async () => {
    const { bank, floors, notes } = await learnableCues(samples, embedder, { minClips: 3, cues: 8 });
    assert.deepEqual(
      bank.cues.map(({ text }) => text),
      [phrases[1], phrases[2]],
    );
    assert.ok(Math.abs(floors[0]! - 0.7) < 1e-12 && Math.abs(floors[1]! - 0.55) < 1e-12, `${floors}`);
    assert.equal(bank.vectors.length, 2 * embedder.dimension);
    // ten of the twenty-one annotations are of cues that are learnt
    assert.deepEqual(notes, [
      "observer, video: learns 2 of 4 cues, 48% of the annotations; left out, and read by nobody: 1 that fewer than 3 clips have, 1 that fewer than 3 clips lack",
    ]);
  });

  test("of many the most frequent, and none is refused with the counts", async () => {
    const { bank, notes } = await learnableCues(samples, embedder, { minClips: 3, cues: 1 });
    assert.deepEqual(
      bank.cues.map(({ text }) => text),
      [phrases[1]],
    );
    assert.match(notes[0]!, /1 beyond the 1 most frequent$/);
    await assert.rejects(learnableCues(samples, embedder, { minClips: 7, cues: 8 }), {
      code: "ERR_OBSERVER_CUES",
      message: /got 3 that fewer than 7 clips have and 1 that fewer than 7 clips lack\. Give it more clips/,
    });
  });
});

test("a benchmark finds a probability's floor at one half", async () => {
  const given = [Float32Array.of(0.9, 0.7, 0.35, 0.55, 0.5)];
  const [moved] = await observeAbove(() => given, [0.7, 0.7, 0.7, 0.5, 0.5])([], "video");
  const expected = [0.5 + (0.2 / 0.3) * 0.5, 0.5, 0.25, 0.55, 0.5];
  for (const [i, value] of expected.entries()) assert.ok(Math.abs(moved![i]! - value) < 1e-6, `${moved}`);
  assert.deepEqual([floorOf(1 / 3), floorOf(0.1)], [0.5, 0.5]);
});

describe("an observer of plain clips", { timeout: 900_000 }, () => {
  const clips = plainClips(80);
  const samples = clips.map((clip) => clip.sample);
  const words = [...new Set(samples.flatMap(({ cues }) => cues.map(({ text }) => text)))];
  const ofWords = fitBuiltinEmbedder(words.map((name) => ({ name, phrases: [name] })));
  let root: string;
  let model: OmniModel;

  before(async () => {
    root = mkdtempSync(join(tmpdir(), "oppo-observer-"));
    initTiny(join(root, "model"), buildTheatreTokenizer(), 3, verySmall);
    model = await loadModel(join(root, "model"));
  });
  after(() => {
    model[Symbol.dispose]();
    rmSync(root, { recursive: true, force: true });
  });

  function options(name: string, over: Partial<CorpusObserverOptions> = {}): CorpusObserverOptions {
    const byId = new Map(clips.map(({ sample: { id }, clip }) => [id, clip]));
    return {
      ...{ folder: join(root, name), embedder: ofWords, kind: null, clips: 80, cues: 8, minClips: 8, seed: 2 },
      maxSkippedFraction: 0.1,
      read: async ({ id }) => model.fitClip(byId.get(id)!),
      stampOf: ({ id }) => [id],
      ...over,
    };
  }

  test("reads what is there and not what is gone, is kept, and says what it left out", async () => {
    let numReads = 0;
    const plain = options("kept");
    const read = (one: Sample) => {
      numReads++;
      return plain.read(one);
    };
    const counting = { ...plain, read };
    using made = await openCorpusObserver(model, samples, counting);
    assert.ok(numReads > 80);
    const { video: ofVideo, audio: ofAudio } = made.observer.report;
    for (const report of [ofVideo!, ofAudio!]) {
      assert.ok(report.intact.accuracy > 0.9, JSON.stringify(report.intact));
      assert.ok(report.intact.readable > 0.9, JSON.stringify(report.intact));
    }
    assert.match(made.notes.join("\n"), /video: learns 2 of 4 cues, .*left out, and read by nobody/);
    assert.match(made.notes.join("\n"), /observer, audio: 2 cues; clips held out: \d+% of 32 answers right/);
    const before = numReads;
    using again = await openCorpusObserver(model, samples, counting);
    assert.equal(numReads, before, "what is kept needs no clip");
    assert.deepEqual(again.notes, made.notes);

    const readCues = await readingObserver(made.observer, samples, made.floors);
    using library = new ClipLibrary(model);
    library.add(clips.slice(0, 6).map((one) => ({ ...one, clip: model.fitClip(one.clip) })));
    for (const one of samples.slice(0, 6)) {
      const cues = one.cues.filter(({ kind }) => kind === "video");
      const at = (rows: ReturnType<typeof library.rows>) => [
        ...readCues({ sample: one, modality: "video", rows, cues }),
      ];
      const blank = library.blankRows(one.id, "video");
      const [whole, gone] = [at(library.rows(one.id)), at({ video: blank, audio: null, [Symbol.dispose]() {} })];
      assert.ok(whole[0]! > 0.25, `${whole}`);
      // A blank is black: that looks like darkness, which it may pass for.
      if (one.labels[0] === "happy") assert.ok(gone[0]! < 0.1, `${gone}`);
      assert.deepEqual(whole.slice(1), [...whole.slice(1)].fill(0), "cues that were left out read nothing");
    }
  });

  test("other clips, another seed and other cues are another observer; one at chance and unreadable clips are refused", async () => {
    const moved = samples.map((one, i) => ({ ...one, cues: samples[(i + 7) % samples.length]!.cues }));
    await assert.rejects(openCorpusObserver(model, moved, options("chance")), { code: "ERR_OBSERVER_CHANCE" });
    assert.equal(existsSync(join(root, "chance")), false);
    const unreadable = (count: number) => {
      const { read } = options("unreadable");
      return async (one: Sample) => {
        if (Number(one.id.split("-")[1]) < count) throw new OppoError("ERR_MEDIA_OPEN", "broken.");
        return read(one);
      };
    };
    await assert.rejects(openCorpusObserver(model, samples, options("unreadable", { read: unreadable(9) })), {
      code: "ERR_TOO_MANY_SKIPPED",
      message: /at most 8 of 80 clips to be unreadable, got 9; the last is plain-\d: broken\./,
    });
    using some = await openCorpusObserver(model, samples, options("unreadable", { read: unreadable(4) }));
    assert.ok(some.observer.report.video!.intact.accuracy > 0.8);
    using other = await openCorpusObserver(model, samples, options("unreadable", { stampOf: () => ["another"] }));
    assert.ok(other.observer.report.video !== undefined);
    assert.equal(readdirSync(join(root, "unreadable")).length, 4);
    await assert.rejects(openCorpusObserver(model, samples.slice(0, 6), options("few", { minClips: 2 })), {
      code: "ERR_OBSERVER_CUES",
    });
  });
});
