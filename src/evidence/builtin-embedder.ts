// The built-in sentence embedder: small, deterministic, without dependencies. It is fitted on a bank of concepts with
// their paraphrases and answers one question well: which concept does this phrase state? Vectors have one axis per concept,
// so that a phrase has cosine near 1 with its paraphrases and near 0 with every other concept, however many words they
// share ("wide eyes", "narrowed eyes"); plain averages of word vectors leak there, and a leak is paid as reward.
// What a phrase leaves unexplained goes to separate axes, so partial or strange phrases get small cosines, not wrong ones.
import { OppoError } from "../error.ts";
import type { Embedder } from "./cue.ts";
import { contentRuns, phraseFeatures } from "./phrase-features.ts";
import { fitRidge, type RidgeRow } from "./ridge.ts";

/** Phrases of one meaning. Example: `{ name: "brow.furrowed", kind: "video", phrases: ["a furrowed brow", "a knitted frown"] }` */
export interface Concept {
  readonly name: string;
  /** Words of different kinds side by side ("a tearful voice") count as a recombination. */
  readonly kind?: string;
  readonly phrases: readonly string[];
}

/** An Embedder that needs no waiting. */
export interface BuiltinEmbedder extends Embedder {
  embed(texts: readonly string[]): Float32Array;
}

/** Axes for what the concepts do not explain. */
const numResidualAxes = 64;
const ridgePenalty = 0.01;
const wholePhraseWeight = 20;
/** What one word of a two-word phrase is worth, if only this concept uses it. */
const halfPhraseScore = 0.75;
/**
 * How much an unknown word dilutes the known ones: enough that half a phrase beside an unknown word ("a crooked mouth" where
 * only open mouths are known) stays below a cosine of 0.5, since the unknown word may be what matters.
 */
const unknownWordWeight = 0.6;
/**
 * How much two neighbours dilute that no concept has in common: a lot when they contradict each other (each names one
 * concept, or they are of different kinds: "frowning loudly"), so that neither half passes for its cue.
 */
const contradictionWeight = 1.1;
const mismatchWeight = 0.25;
/** Pair features are weaker than words: they settle what words leave open. */
const pairScale = 0.5;

interface Lexicon {
  readonly featureIndex: ReadonlyMap<string, number>;
  /** Per feature: 1 / number of concepts that use it; a word of many concepts discriminates little. */
  readonly featureScale: Float64Array;
  /** Feature -> concepts that use it. */
  readonly conceptsOf: ReadonlyMap<string, ReadonlySet<number>>;
  /** Kind per concept; concepts without one share the empty kind. */
  readonly kinds: readonly string[];
}

/**
 * Fits the embedder on a bank.
 *
 * Linear scores s = W^T x over word and pair features x are fitted by ridge regression: a whole paraphrase scores 1 for its
 * concept and 0 for the others; a part of one (every run of neighbouring words) scores p^2 times a factor for its length,
 * where p = share of the concepts' paraphrases with these words that are the concept's. Unknown words scale s down. A
 * vector is [max(s, 0), residual], of length 1; a text without a known word is all zero.
 *
 * @throws OppoError ERR_EMBEDDER_EMPTY_PHRASE when a phrase has no content word, ERR_EMBEDDER_AMBIGUOUS_PHRASE when two
 *   concepts have the same phrase (up to word forms, order of two neighbours and ignored words), ERR_EMBEDDER_EMPTY_BANK
 */
export function fitBuiltinEmbedder(bank: readonly Concept[]): BuiltinEmbedder {
  const phrases = bankPhrases(bank);
  const lexicon = buildLexicon(phrases, bank);
  const rows = trainingRows(phrases, lexicon);
  const numConcepts = bank.length;
  const weights = fitRidge(rows, lexicon.featureIndex.size, numConcepts, ridgePenalty);
  const dimension = numConcepts + numResidualAxes;
  return {
    name: `builtin-${numConcepts}-${hashText(JSON.stringify(bank.map(({ name, phrases }) => [name, phrases])))}`,
    dimension,
    embed(texts) {
      const out = new Float32Array(texts.length * dimension);
      texts.forEach((text, row) => {
        embedInto(out.subarray(row * dimension, (row + 1) * dimension), contentRuns(text), lexicon, weights);
      });
      return out;
    },
  };
}

interface BankPhrase {
  readonly concept: number;
  readonly runs: readonly (readonly string[])[];
  /** Equal for phrases that have equal features. */
  readonly key: string;
}

function bankPhrases(bank: readonly Concept[]): BankPhrase[] {
  const seen = new Map<string, { readonly concept: number; readonly text: string }>();
  const phrases: BankPhrase[] = [];
  bank.forEach(({ name, phrases: texts }, concept) => {
    for (const text of texts) {
      const runs = contentRuns(text);
      if (runs.length === 0) {
        throw new OppoError(
          "ERR_EMBEDDER_EMPTY_PHRASE",
          `fitBuiltinEmbedder: expected a phrase with a content word, got ${JSON.stringify(text)} (concept ${name}). Reword it.`,
        );
      }
      const key = featureKey(runs);
      const other = seen.get(key);
      if (other !== undefined && other.concept !== concept) {
        throw new OppoError(
          "ERR_EMBEDDER_AMBIGUOUS_PHRASE",
          `fitBuiltinEmbedder: expected every phrase to name one concept, got ${JSON.stringify(text)} (${name}) and ` +
            `${JSON.stringify(other.text)} (${bank[other.concept]!.name}), which read the same. Reword one of them.`,
        );
      }
      if (other === undefined) phrases.push({ concept, runs, key });
      seen.set(key, { concept, text });
    }
  });
  if (phrases.length > 0) return phrases;
  throw new OppoError(
    "ERR_EMBEDDER_EMPTY_BANK",
    "fitBuiltinEmbedder: expected at least one phrase, got none. Pass the corpus's concepts.",
  );
}

function featureKey(runs: readonly (readonly string[])[]): string {
  return phraseFeatures(runs).sort().join(" ");
}

function buildLexicon(phrases: readonly BankPhrase[], bank: readonly Concept[]): Lexicon {
  const conceptsOf = new Map<string, Set<number>>();
  for (const { concept, runs } of phrases) {
    for (const feature of phraseFeatures(runs)) {
      const concepts = conceptsOf.get(feature);
      if (concepts === undefined) conceptsOf.set(feature, new Set([concept]));
      else concepts.add(concept);
    }
  }
  const featureIndex = new Map([...conceptsOf.keys()].map((feature, index) => [feature, index]));
  const featureScale = Float64Array.from(conceptsOf, ([feature, concepts]) => {
    return (feature.includes("+") ? pairScale : 1) / concepts.size;
  });
  return { featureIndex, featureScale, conceptsOf, kinds: bank.map(({ kind }) => kind ?? "") };
}

/** Whole phrases, then every part of a run that is not a whole phrase itself. */
function trainingRows(phrases: readonly BankPhrase[], lexicon: Lexicon): RidgeRow[] {
  const rows: RidgeRow[] = [];
  const done = new Set(phrases.map(({ key }) => key));
  for (const { concept, runs } of phrases)
    rows.push(ridgeRow(runs, new Map([[concept, 1]]), wholePhraseWeight, lexicon));
  for (const run of phrases.flatMap(({ runs }) => runs)) {
    for (let start = 0; start < run.length; start++) {
      for (let end = start + 1; end <= run.length; end++) {
        const part = run.slice(start, end);
        const key = featureKey([part]);
        if (done.has(key)) continue;
        done.add(key);
        rows.push(ridgeRow([part], partTargets(part, phrases), 1, lexicon));
      }
    }
  }
  return rows;
}

function ridgeRow(
  runs: readonly (readonly string[])[],
  targets: ReadonlyMap<number, number>,
  weight: number,
  lexicon: Lexicon,
): RidgeRow {
  const indices = phraseFeatures(runs).map((feature) => lexicon.featureIndex.get(feature)!);
  return { indices, values: indices.map((index) => lexicon.featureScale[index]!), weight, targets };
}

/** Target per concept of a part of a phrase: p^2, less for a smaller part of the phrases that contain it. */
function partTargets(part: readonly string[], phrases: readonly BankPhrase[]): Map<number, number> {
  const holders = phrases
    .map(({ concept, runs }) => ({ concept, words: runs.flat() }))
    .filter(({ words }) => part.every((word) => words.includes(word)));
  const targets = new Map<number, number>();
  for (const concept of new Set(holders.map((holder) => holder.concept))) {
    const own = holders.filter((holder) => holder.concept === concept);
    const share = own.length / holders.length;
    const coverage = Math.max(...own.map(({ words }) => part.length / words.length));
    // 1 for the whole, halfPhraseScore for a half, linear in between and below.
    targets.set(concept, share * share * (1 - 2 * (1 - halfPhraseScore) * (1 - coverage)));
  }
  return targets;
}

/** Writes [concept scores, residual] of length 1 into `out`; leaves it zero without a known word. */
function embedInto(
  out: Float32Array,
  runs: readonly (readonly string[])[],
  lexicon: Lexicon,
  weights: Float64Array,
): void {
  const words = runs.flat();
  const numKnown = words.filter((word) => lexicon.conceptsOf.has(word)).length;
  if (numKnown === 0) return;
  const numConcepts = lexicon.kinds.length;
  const scores = new Float64Array(numConcepts);
  for (const feature of phraseFeatures(runs)) {
    const index = lexicon.featureIndex.get(feature);
    if (index === undefined) continue;
    const value = lexicon.featureScale[index]!;
    for (let c = 0; c < numConcepts; c++) scores[c]! += value * weights[index * numConcepts + c]!;
  }
  const doubt = (words.length - numKnown) * unknownWordWeight + neighbourDoubt(runs, lexicon);
  let explained = 0;
  for (let c = 0; c < numConcepts; c++) {
    scores[c] = Math.max(0, (scores[c]! * numKnown) / (numKnown + doubt));
    explained += scores[c]! ** 2;
  }
  const scale = explained > 1 ? 1 / Math.sqrt(explained) : 1;
  for (let c = 0; c < numConcepts; c++) out[c] = scores[c]! * scale;
  if (explained < 1) addResidual(out.subarray(numConcepts), words, Math.sqrt(1 - explained));
}

/** Sum of the weights of known neighbours that no concept has in common. */
function neighbourDoubt(runs: readonly (readonly string[])[], lexicon: Lexicon): number {
  let doubt = 0;
  for (const run of runs) {
    for (let i = 0; i + 1 < run.length; i++) {
      const left = lexicon.conceptsOf.get(run[i]!);
      const right = lexicon.conceptsOf.get(run[i + 1]!);
      if (left === undefined || right === undefined || [...left].some((concept) => right.has(concept))) continue;
      const kinds = new Set([...left].map((concept) => lexicon.kinds[concept]!));
      const contradict = (left.size === 1 && right.size === 1) || ![...right].some((c) => kinds.has(lexicon.kinds[c]!));
      doubt += contradict ? contradictionWeight : mismatchWeight;
    }
  }
  return doubt;
}

/** Adds a vector of the given length whose direction depends on the words only: each word has a fixed random one. */
function addResidual(axes: Float32Array, words: readonly string[], length: number): void {
  const direction = new Float64Array(axes.length);
  for (const word of new Set(words)) {
    const own = directionOf(word, axes.length);
    for (let i = 0; i < direction.length; i++) direction[i]! += own[i]!;
  }
  let squares = 0;
  for (const one of direction) squares += one * one;
  const norm = Math.sqrt(squares);
  for (let i = 0; i < direction.length; i++) axes[i] = (direction[i]! * length) / norm;
}

const maxDirections = 20_000;
const directions = new Map<string, Float64Array>();

/** The word's fixed random numbers from -1 to 1; those of the first words that come are remembered. */
function directionOf(word: string, size: number): Float64Array {
  const known = directions.get(word);
  if (known?.length === size) return known;
  const own = new Float64Array(size);
  let state = Number.parseInt(hashText(word), 16);
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    own[i] = state / 2147483648 - 1;
  }
  if (directions.size < maxDirections) directions.set(word, own);
  return own;
}

/** FNV-1a, as 8 hexadecimal digits. */
function hashText(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}
