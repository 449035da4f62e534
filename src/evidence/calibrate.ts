// Calibration of delta for one embedder: cosines of phrases that state the same cue and of phrases that do not, the
// threshold that tells them apart best, and how sure that is. An asymmetric embedder is measured as it is used: one phrase
// as a cue, the other as a clause.
import { createRandom } from "../random.ts";
import { deriveSeed } from "../seeds.ts";
import type { Embedder } from "./cue.ts";
import type { IndexPair, PhrasePairs } from "./phrase-pairs.ts";
import { dot, matrixRows } from "./similarity.ts";
import { chooseThreshold, ratesAt, type ScoredPair, type ThresholdChoice } from "./threshold.ts";

export interface CosineSpread {
  readonly count: number;
  readonly mean: number;
  /** 0, 5, 25, 50, 75, 95 and 100 %. */
  readonly quantiles: readonly number[];
}

/** Example: `{ left: "wide eyes", right: "narrowed eyes", cosine: 0.61 }` */
export interface MeasuredPair {
  readonly left: string;
  readonly right: string;
  readonly cosine: number;
}

export interface Histogram {
  /** Lower edge of the first bin; bins are `binWidth` wide. */
  readonly start: number;
  readonly binWidth: number;
  /** Shares of the same and of the different pairs, per bin. */
  readonly same: readonly number[];
  readonly different: readonly number[];
}

export interface Calibration extends Omit<ThresholdChoice, "threshold"> {
  readonly embedder: string;
  readonly numTexts: number;
  readonly same: CosineSpread;
  readonly different: CosineSpread;
  /** Where the threshold should lie. */
  readonly delta: number;
  /** 95 % of the deltas that other draws of groups would give. */
  readonly interval: readonly [low: number, high: number];
  /** What the paper's 0.5 would miss and let through with this embedder. */
  readonly atPaper: { readonly delta: number; readonly missed: number; readonly leaked: number };
  readonly histogram: Histogram;
  /** Lowest first. */
  readonly worstSame: readonly MeasuredPair[];
  /** Highest first. */
  readonly worstDifferent: readonly MeasuredPair[];
}

export interface CalibrateOptions {
  readonly seed?: number;
  readonly numResamples?: number;
  readonly numWorst?: number;
}

export const paperDelta = 0.5;
const binWidth = 0.05;
const quantiles = [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1];
const tail = 0.025;
/** A threshold is a share of the way from "nothing in common" to "equal"; 1 would let nothing through. */
const highestDelta = 0.99;

interface Measured {
  readonly pair: IndexPair;
  readonly cosine: number;
  readonly isSame: boolean;
}

export async function calibrate(
  embedder: Embedder,
  pairs: PhrasePairs,
  { seed = 0, numResamples = 200, numWorst = 5 }: CalibrateOptions = {},
): Promise<Calibration> {
  const { texts, groups } = pairs;
  const cues = await embedder.embed(texts, "cue");
  const clauses = embedder.isAsymmetric ? await embedder.embed(texts, "clause") : cues;
  const cueRows = matrixRows(cues, embedder.dimension);
  const clauseRows = matrixRows(clauses, embedder.dimension);
  const measure = (pair: IndexPair, isSame: boolean): Measured => ({
    pair,
    isSame,
    cosine: Math.min(1, Math.max(-1, dot(cueRows[pair[0]]!, clauseRows[pair[1]]!))),
  });
  const all = [
    ...pairs.same.map((pair) => measure(pair, true)),
    ...pairs.different.map((pair) => measure(pair, false)),
  ];
  all.sort((a, b) => b.cosine - a.cosine);
  const weighted = all.map((one): ScoredPair => ({ ...one, weight: 1 }));
  const { threshold, ...choice } = chooseThreshold(weighted);
  const delta = clampDelta(threshold);
  const same = all.filter(({ isSame }) => isSame);
  const different = all.filter(({ isSame }) => !isSame);
  const named = ({ pair, cosine }: Measured): MeasuredPair => ({
    left: texts[pair[0]]!,
    right: texts[pair[1]]!,
    cosine,
  });
  return {
    embedder: embedder.name,
    numTexts: texts.length,
    same: spreadOf(same),
    different: spreadOf(different),
    delta,
    ...choice,
    range: [Math.max(0, choice.range[0]), choice.range[1]],
    interval: resampledInterval(all, groups, { seed, numResamples }),
    atPaper: { delta: paperDelta, ...ratesAt(weighted, paperDelta) },
    histogram: histogramOf(same, different),
    worstSame: same.slice(-numWorst).reverse().map(named),
    worstDifferent: different.slice(0, numWorst).map(named),
  };
}

function clampDelta(threshold: number): number {
  return Math.min(highestDelta, Math.max(0, threshold));
}

/** Draws groups with replacement: a pair counts as often as both of its groups were drawn. */
function resampledInterval(
  all: readonly Measured[],
  groups: readonly number[],
  { seed, numResamples }: { seed: number; numResamples: number },
): [number, number] {
  const numGroups = Math.max(...groups) + 1;
  const deltas: number[] = [];
  for (let draw = 0; draw < numResamples; draw++) {
    const random = createRandom(deriveSeed(seed, "calibrate", draw));
    const times = new Float64Array(numGroups);
    for (let i = 0; i < numGroups; i++) times[random.int(numGroups)]! += 1;
    const drawn = all.flatMap(({ pair: [left, right], cosine, isSame }): ScoredPair[] => {
      const [a, b] = [groups[left]!, groups[right]!];
      const weight = a === b ? times[a]! : times[a]! * times[b]!;
      return weight > 0 ? [{ cosine, isSame, weight }] : [];
    });
    const hasBoth = drawn.some(({ isSame }) => isSame) && drawn.some(({ isSame }) => !isSame);
    if (hasBoth) deltas.push(clampDelta(chooseThreshold(drawn).threshold));
  }
  deltas.sort((a, b) => a - b);
  return [quantileOf(deltas, tail), quantileOf(deltas, 1 - tail)];
}

/** Of ascending values, nearest rank. */
function quantileOf(sorted: readonly number[], share: number): number {
  return sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
}

/** @param measured by falling cosine */
function spreadOf(measured: readonly Measured[]): CosineSpread {
  const ascending = measured.map(({ cosine }) => cosine).reverse();
  return {
    count: ascending.length,
    mean: ascending.reduce((sum, cosine) => sum + cosine, 0) / ascending.length,
    quantiles: quantiles.map((share) => quantileOf(ascending, share)),
  };
}

function histogramOf(same: readonly Measured[], different: readonly Measured[]): Histogram {
  const lowest = Math.min(same.at(-1)!.cosine, different.at(-1)!.cosine);
  const firstBin = Math.floor(Math.min(lowest, 0) / binWidth + 1e-9);
  const numBins = Math.round(1 / binWidth) - firstBin;
  const shares = (measured: readonly Measured[]) => {
    const bins = new Array<number>(numBins).fill(0);
    for (const { cosine } of measured) {
      const bin = Math.min(numBins - 1, Math.max(0, Math.floor(cosine / binWidth) - firstBin));
      bins[bin]! += 1 / measured.length;
    }
    return bins;
  };
  return { start: firstBin * binWidth, binWidth, same: shares(same), different: shares(different) };
}
