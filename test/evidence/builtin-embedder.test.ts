// The built-in embedder: paraphrases meet, wrong cues stay far below the threshold, strange phrases get little.

import assert from "node:assert/strict";
import { test } from "node:test";
import { phraseGroups } from "../../src/data/theatre/script.ts";
import { type BuiltinEmbedder, type Concept, fitBuiltinEmbedder } from "../../src/evidence/builtin-embedder.ts";
import { confusion, leakShare } from "../../src/evidence/confusion.ts";
import { contentRuns } from "../../src/evidence/phrase-features.ts";
import { cosineMatrix } from "../../src/evidence/similarity.ts";
import { createRandom, permutation } from "../../src/random.ts";
import { phraseBank } from "../support/phrase-bank.ts";

const threshold = 0.5;
const float32Tolerance = 1e-6;
const minSameCosine = 0.95;
const maxWrongCosine = 0.1;
/** The order of sums differs when concepts are listed in another order. */
const reorderTolerance = 1e-4;
const embedder = fitBuiltinEmbedder(phraseBank);

function norm(vector: Float32Array): number {
  return Math.hypot(...vector);
}

/** Highest cosine of a text with the phrases of every concept. */
function conceptCosines(
  text: string,
  on: BuiltinEmbedder = embedder,
  bank: readonly Concept[] = phraseBank,
): Map<string, number> {
  const result = new Map<string, number>();
  for (const { name, phrases } of bank) {
    result.set(name, Math.max(...cosineMatrix(on.embed(phrases), on.embed([text]), on.dimension)));
  }
  return result;
}

/** Names of the concepts above the threshold. */
function matched(text: string): string[] {
  return [...conceptCosines(text)].filter(([, cosine]) => cosine > threshold).map(([name]) => name);
}

test("paraphrases have cosine near 1, phrases of different concepts near 0, although they share their nouns", async () => {
  const report = await confusion(embedder, phraseBank);
  assert.ok(report.same.min > minSameCosine, `same ${report.same.min}`);
  assert.ok(report.different.max < maxWrongCosine, `different ${report.different.max}`);
  assert.ok(report.separable && report.threshold > maxWrongCosine && report.threshold < minSameCosine);
});

test("control: plain bags of words leak on the same bank", async () => {
  const words = [
    ...new Set(phraseBank.flatMap(({ phrases }) => phrases.flatMap((phrase) => contentRuns(phrase).flat()))),
  ];
  const bags = {
    name: "bags",
    dimension: words.length,
    embed(texts: readonly string[]): Float32Array {
      return Float32Array.from(
        texts.flatMap((text) => {
          const own = new Set(contentRuns(text).flat());
          return words.map((word) => (own.has(word) ? 1 / Math.sqrt(own.size) : 0));
        }),
      );
    },
  };
  const report = await confusion(bags, phraseBank);
  assert.equal(report.separable, false);
  assert.ok(leakShare(report, 0.49) > 0.3, `leak ${leakShare(report, 0.49)}`);
});

test("the theatre's own phrases are separable with room around the threshold", async () => {
  const bank = phraseGroups();
  const report = await confusion(fitBuiltinEmbedder(bank), bank);
  assert.ok(report.numPhrases >= 80);
  assert.ok(report.same.min > minSameCosine && report.different.max < maxWrongCosine);
  assert.equal(leakShare(report, threshold), 0);
});

test("every vector has length 1, or is zero when nothing is known", () => {
  const texts = [
    "wide eyes",
    "the eyes",
    "the video shows a voice of thunder",
    "wide eyes, a smile, a loud voice",
    "purple elephants",
    "",
  ];
  const vectors = embedder.embed(texts);
  texts.forEach((text, i) => {
    const length = norm(vectors.subarray(i * embedder.dimension, (i + 1) * embedder.dimension));
    const expected = text === "purple elephants" || text === "" ? 0 : 1;
    assert.ok(Math.abs(length - expected) < float32Tolerance, `${text}: ${length}`);
  });
});

test("carrier words, word forms and the order of neighbours do not change a phrase", () => {
  const same = [
    ["a furrowed brow", "the video shows a furrowed brow", "furrowed brows are visible", "the brow is furrowed"],
    ["the person is furious", "this suggests the person is furious", "furious"],
    ["a loud voice", "the audio carries a loud voice", "does the audio contain a loud voice?"],
  ];
  for (const [first, ...others] of same) {
    for (const other of others) assert.deepEqual(embedder.embed([other]), embedder.embed([first!]), other);
  }
});

test("partial phrases: a telling word matches its concept, a shared one matches none", () => {
  assert.deepEqual(
    matched("the video shows a frown"),
    ["brow.furrowed"].filter(() => matched("a frown").length > 0),
  );
  assert.deepEqual(matched("trembling"), ["quality.trembling"]);
  assert.deepEqual(matched("squinting"), ["eyes.narrowed"]);
  for (const shared of ["eyes", "the mouth", "a voice", "a tone", "brows", "head", "high", "low", "words"]) {
    assert.deepEqual(matched(shared), [], shared);
  }
});

test("recombinations of two cues' words match neither, lists match less each", () => {
  for (const odd of ["a tearful volume", "a raised speech", "squinting whispering", "a bowed pitch"]) {
    assert.deepEqual(matched(odd), [], `${odd}: ${[...conceptCosines(odd)].filter(([, c]) => c > 0.3)}`);
  }
  const both = conceptCosines("furious and scared");
  for (const name of ["angry", "scared"])
    assert.ok(Math.abs(both.get(name)! - Math.SQRT1_2) < 0.05, `${name} ${both.get(name)}`);
  const three = conceptCosines("wide eyes narrowed eyes tearful eyes");
  assert.ok(Math.max(...three.values()) < 0.65);
});

test("unknown words lower a match without turning it into another", () => {
  const clean = conceptCosines("wide eyes").get("eyes.wide")!;
  const few = conceptCosines("wide eyes beneath messy hair").get("eyes.wide")!;
  const many = conceptCosines("wide purple elephants dancing under green umbrellas yesterday").get("eyes.wide")!;
  assert.ok(clean > few && few > threshold, `${clean} ${few}`);
  assert.ok(many < threshold, `${many}`);
  assert.deepEqual(matched("wide eyes beneath messy hair"), ["eyes.wide"]);
});

test("an unseen state of a known noun is not the noun's known state", () => {
  const bank = [
    { name: "mouth.open", phrases: ["an open mouth"] },
    { name: "head.bowed", phrases: ["a bowed head"] },
  ];
  const cosines = conceptCosines("a crooked mouth", fitBuiltinEmbedder(bank), bank);
  assert.ok(cosines.get("mouth.open")! < threshold, `${cosines.get("mouth.open")}`);
  assert.ok(conceptCosines("the mouth", fitBuiltinEmbedder(bank), bank).get("mouth.open")! > threshold, "control");
});

test("negated cues are not the cue", () => {
  for (const text of ["no smile", "the person is not angry", "the eyes aren't wide"])
    assert.deepEqual(matched(text), [], text);
});

test("deterministic; the name changes with the bank; order of the concepts does not matter", () => {
  const again = fitBuiltinEmbedder(phraseBank);
  assert.equal(again.name, embedder.name);
  assert.deepEqual(again.embed(["a shaky, wide mouth"]), embedder.embed(["a shaky, wide mouth"]));
  assert.notEqual(fitBuiltinEmbedder(phraseBank.slice(1)).name, embedder.name);
  const mixedBank = permutation(phraseBank.length, createRandom(4)).map((i) => phraseBank[i]!);
  const mixed = fitBuiltinEmbedder(mixedBank);
  for (const text of ["a trembling tone", "wide eyes of worry", "low words", "a frown"]) {
    const expected = conceptCosines(text);
    for (const [name, cosine] of conceptCosines(text, mixed, mixedBank)) {
      assert.ok(Math.abs(cosine - expected.get(name)!) < reorderTolerance, `${text} ${name}`);
    }
  }
});

test("unusable banks are refused with the phrase", () => {
  assert.throws(() => fitBuiltinEmbedder([]), {
    code: "ERR_EMBEDDER_EMPTY_BANK",
    message: /expected at least one phrase/,
  });
  assert.throws(() => fitBuiltinEmbedder([{ name: "x", phrases: ["the person is"] }]), {
    code: "ERR_EMBEDDER_EMPTY_PHRASE",
    message: /expected a phrase with a content word, got "the person is" \(concept x\)/,
  });
  const twice = [
    { name: "x", phrases: ["a raised brow"] },
    { name: "y", phrases: ["brows raising"] },
  ];
  assert.throws(() => fitBuiltinEmbedder(twice), {
    code: "ERR_EMBEDDER_AMBIGUOUS_PHRASE",
    message: /got "brows raising" \(y\) and "a raised brow" \(x\), which read the same/,
  });
});
