// An observer of rows that are made by hand, and of a small theatre: what it reads, what it says of itself, and when it refuses.
import assert from "node:assert/strict";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { calibrationOf, skillOf } from "../../../src/bench/support/calibration.ts";
import { cueQuestions, rightAnswers } from "../../../src/bench/support/cue-question.ts";
import { ClipLibrary } from "../../../src/corpus/clips/clip-library.ts";
import { theatreKind } from "../../../src/corpus/theatre-kind.ts";
import { loadModel } from "../../../src/models/registry.ts";
import { createRandom } from "../../../src/random.ts";
import { keep, numLiveTensors, scope, type Tensor, tensor } from "../../../src/tensor/index.ts";
import { CueReader } from "../../../src/train/observer/cue-reader.ts";
import { drawViews } from "../../../src/train/observer/draw-views.ts";
import { fitReader, type LabelledView } from "../../../src/train/observer/fit-reader.ts";
import { observeViews } from "../../../src/train/observer/observe-views.ts";
import { drawProjection, pooledRows } from "../../../src/train/observer/pooled-rows.ts";
import { maxPlaces, maxWidth } from "../../../src/train/observer/sizes.ts";
import { observerKey, openObserver, stampedMaterial } from "../../../src/train/observer/stored-observer.ts";
import { fitAll, smallTheatre } from "../../support/small-theatre.ts";
import { tensorTest } from "../../support/tensor-test.ts";

const questions = [{ cues: [0, 1] }, { cues: [2] }];
const [numPlaces, width] = [5, 8];

/** Rows of noise in which one place says the answer of each question, as loud as `loudness`. */
function views(count: number, seed: number, loudness: number, shuffled = false): LabelledView[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => {
    const answers = Int32Array.of(random.int(3), random.int(2));
    const rows = Float32Array.from({ length: numPlaces * width }, () => 0.3 * random.normal());
    const place = random.int(numPlaces);
    rows[place * width + answers[0]!]! += loudness;
    rows[((place + 1) % numPlaces) * width + 4 + answers[1]!]! += loudness;
    const told = shuffled ? Int32Array.of(random.int(3), random.int(2)) : answers;
    return { pooled: scope(() => keep(tensor(rows, [numPlaces, width]))), answers: told };
  });
}

function judged(reader: CueReader, list: readonly LabelledView[]) {
  const read = reader.answers(list.map(({ pooled }) => pooled));
  return list.map(({ answers }, i) => read[i]!.map((probabilities, q) => ({ probabilities, answer: answers[q]! })));
}

async function trained(shuffled: boolean) {
  const train = views(600, 1, 4, shuffled);
  const held = views(200, 2, 4, shuffled);
  const reader = CueReader.fresh(
    questions,
    train.map(({ pooled }) => pooled),
    null,
    7,
  );
  await fitReader(reader, train, held, 3);
  for (const { pooled } of [...train, ...held]) pooled.dispose();
  return reader;
}

const priors = [
  [1 / 3, 1 / 3, 1 / 3],
  [1 / 2, 1 / 2],
];

describe("a reader of cues", () => {
  test("reads what is there, is calibrated, and doubts what is faint; on shuffled answers it is at chance", async () => {
    const before = numLiveTensors();
    {
      using reader = await trained(false);
      using shuffled = await trained(true);
      const clear = views(400, 5, 4);
      const gone = views(400, 6, 0);
      const on = (one: CueReader, list: readonly LabelledView[]) => ({
        ...calibrationOf(judged(one, list).flat()),
        ...skillOf(judged(one, list), priors),
      });
      const good = on(reader, clear);
      assert.ok(good.accuracy > 0.95 && good.calibrationError < 0.05 && good.readable > 0.95, JSON.stringify(good));
      assert.ok(good.bits > 3 * good.standardError, JSON.stringify(good));
      const chance = on(shuffled, clear);
      assert.ok(!(chance.bits > 3 * chance.standardError), JSON.stringify(chance));
      const nothing = on(reader, gone);
      assert.ok(nothing.readable < 0.7 * good.readable, JSON.stringify(nothing));
      for (const { pooled } of [...clear, ...gone]) pooled.dispose();
    }
    assert.equal(numLiveTensors(), before);
  });

  tensorTest("answers of a clip do not depend on longer clips beside it, and sum to one", () => {
    using reader = CueReader.fresh(
      questions,
      [tensor(new Float32Array(numPlaces * width).fill(1), [numPlaces, width])],
      null,
      7,
    );
    const random = createRandom(3);
    const rows = (count: number) =>
      tensor(
        Float32Array.from({ length: count * width }, () => random.normal()),
        [count, width],
      );
    const short = rows(2);
    const [alone] = reader.answers([short]);
    const [beside] = reader.answers([short, rows(5)]);
    for (const [q, own] of alone!.entries()) {
      for (const [a, p] of own.entries()) assert.ok(Math.abs(p - beside![q]![a]!) < 1e-6);
      assert.ok(Math.abs(own.reduce((sum, p) => sum + p, 0) - 1) < 1e-5);
      assert.equal(own.length, questions[q]!.cues.length + 1);
    }
  });

  tensorTest("an answer that is not known is not learnt from", () => {
    const pooled = [tensor(new Float32Array(numPlaces * width).fill(1), [numPlaces, width])];
    using reader = CueReader.fresh(questions, pooled, null, 7);
    const both = reader.loss(pooled, [Int32Array.of(1, 0)]).item();
    const first = reader.loss(pooled, [Int32Array.of(1, -1)]).item();
    const second = reader.loss(pooled, [Int32Array.of(-1, 0)]).item();
    assert.ok(Math.abs(both - (first + second) / 2) < 1e-6, `${both} ${first} ${second}`);
  });
});

tensorTest("rows of a large model are averaged and narrowed, of a small one kept as they are", () => {
  const small = tensor(
    Float32Array.from({ length: 12 }, (_, i) => i),
    [3, 4],
  );
  assert.deepEqual([...pooledRows(small, null).toFloat32Array()], [...small.toFloat32Array()]);
  const large = tensor(new Float32Array(2 * maxPlaces * 2 * maxWidth).fill(1), [2 * maxPlaces, 2 * maxWidth]);
  using projection = drawProjection(2 * maxWidth, 1) as Tensor;
  assert.deepEqual(pooledRows(large, projection).shape, [maxPlaces, maxWidth]);
  assert.equal(drawProjection(maxWidth, 1), null);
});

test("views: every clip as it is, then under kinds and doses that the seed draws", () => {
  const clips = Array.from({ length: 40 }, (_, i) => ({ sample: { id: `clip ${i}` }, clip: null as never }));
  const drawn = drawViews(clips, "video", 3, 5);
  assert.equal(drawn.length, 160);
  assert.ok(drawn.slice(0, 40).every(({ mask }) => mask === null));
  const masks = drawn.slice(40).map(({ mask }) => mask!);
  assert.ok(new Set(masks.map(({ kind }) => kind)).size > 6);
  const full = masks.filter(({ ratio }) => ratio === 1).length / masks.length;
  assert.ok(full > 0.1 && full < 0.45, `${full}`);
  assert.deepEqual(drawViews(clips, "video", 3, 5), drawn);
  assert.notDeepEqual(drawViews(clips, "video", 3, 6), drawn);
});

describe("an observer of a small theatre", () => {
  test("is refused at chance, else kept, the same from the disk, and damaged files are named", {
    timeout: 600_000,
  }, async () => {
    using theatre = await smallTheatre(64, "decorrelated");
    using model = await loadModel(theatre.freshModel(1));
    const fitted = await fitAll(theatre, model);
    const bank = await theatreKind.bank(theatreKind.embedder());
    const material = { clips: fitted.slice(0, 48), dev: fitted.slice(48) };
    const folder = join(theatre.root, "observers");
    const options = { seed: 1, attributeOf: theatreKind.attributeOf };
    await assert.rejects(openObserver(folder, model, bank, { ...material, dev: [] }, options), {
      code: "ERR_OBSERVER_DATA",
    });
    // Cues of another clip each: nothing to learn.
    const wrong = fitted.map((clip, i) => ({ ...clip, sample: fitted[(i + 5) % fitted.length]!.sample }));
    const shuffled = { clips: wrong.slice(0, 48), dev: wrong.slice(48) };
    await assert.rejects(openObserver(folder, model, bank, shuffled, options), { code: "ERR_OBSERVER_CHANCE" });
    assert.equal(existsSync(folder), false);
    // Checked on clips that it has learnt from, it is no better than its memory: good enough to be kept.
    const known = { clips: material.clips, dev: material.clips };
    using observer = await openObserver(folder, model, bank, known, options);
    using again = await openObserver(folder, model, bank, known, options);
    assert.equal(readdirSync(folder).length, 2);
    assert.deepEqual(again.report, observer.report);
    using library = new ClipLibrary(model);
    library.add(fitted);
    const shown = fitted.slice(0, 3).map(({ sample }) => ({ sample, video: sample, audio: sample }));
    const grey = shown.map((view) => ({
      ...view,
      mask: { modality: "video", kind: "grey", ratio: 1, seed: 0, partners: [] } as const,
    }));
    const live = numLiveTensors();
    const [first, second] = [observer, again].map((one) => observeViews(one, library)([...shown, ...grey], "video"));
    assert.equal(numLiveTensors(), live);
    assert.deepEqual(second, await first);
    const read = await first!;
    assert.notDeepEqual(read[0], read[3]);
    const perAttribute = cueQuestions(bank, "video", theatreKind.attributeOf);
    for (const { cues } of perAttribute) assert.ok(cues.reduce((sum, cue) => sum + read[0]![cue]!, 0) <= 1 + 1e-5);
    const ofAudio = bank.cues.flatMap(({ kind }, i) => (kind === "audio" ? [read[0]![i]!] : []));
    assert.deepEqual(new Set(ofAudio), new Set([0]));
    assert.equal(rightAnswers(perAttribute, []).length, 4);
    const other = { ...known, clips: known.clips.slice(1) };
    const keyOf = (one: typeof known) => observerKey(model, bank, stampedMaterial(one), options);
    assert.notEqual(keyOf(other), keyOf(known));
    const report = readdirSync(folder).find((name) => name.endsWith(".json"))!;
    writeFileSync(join(folder, report), "{}");
    await assert.rejects(openObserver(folder, model, bank, known, options), { code: "ERR_OBSERVER_FILE" });
  });
});
