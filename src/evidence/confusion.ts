// How well an embedder keeps the concepts of a bank apart, and where the similarity threshold (delta) may lie. Printed when
// a corpus is built: a wrong cue above delta is paid as reward and taken for evidence.
import type { Embedder } from "./cue.ts";
import { cosineMatrix } from "./similarity.ts";

export interface Spread {
  readonly count: number;
  readonly min: number;
  readonly mean: number;
  readonly max: number;
}

/** Example: `{ left: "wide eyes", right: "narrowed eyes", leftConcept: "eyes.wide", rightConcept: "eyes.narrowed", cosine: 0.02 }` */
export interface PhrasePair {
  readonly left: string;
  readonly right: string;
  readonly leftConcept: string;
  readonly rightConcept: string;
  readonly cosine: number;
}

export interface ConfusionReport {
  readonly embedder: string;
  readonly numConcepts: number;
  readonly numPhrases: number;
  /** Cosines of two phrases of one concept; count 0 (and NaN) when no concept has two. */
  readonly same: Spread;
  /** Cosines of phrases of two concepts. */
  readonly different: Spread;
  /** Lowest cosines within a concept, lowest first. */
  readonly worstSame: readonly PhrasePair[];
  /** Highest cosines between concepts, highest first. */
  readonly worstDifferent: readonly PhrasePair[];
  /** Per phrase, [numPhrases]: its highest cosine with a phrase of another concept. */
  readonly wrongCosines: Float32Array;
  /** Whether a threshold separates all pairs. */
  readonly separable: boolean;
  /** Middle of the gap between `different.max` and `same.min` (of their overlap when not separable). */
  readonly threshold: number;
}

const defaultNumWorst = 5;

/** Compares every phrase of the bank with every other one. */
export async function confusion(
  embedder: Embedder,
  bank: readonly { readonly name: string; readonly phrases: readonly string[] }[],
  options: { readonly numWorst?: number } = {},
): Promise<ConfusionReport> {
  const phrases = bank.flatMap(({ name, phrases: texts }) => texts.map((text) => ({ name, text })));
  const vectors = await embedder.embed(phrases.map(({ text }) => text));
  const cosines = cosineMatrix(vectors, vectors, embedder.dimension);
  const same: PhrasePair[] = [];
  const different: PhrasePair[] = [];
  const wrongCosines = new Float32Array(phrases.length).fill(-1);
  phrases.forEach((left, i) => {
    phrases.forEach((right, j) => {
      const cosine = cosines[i * phrases.length + j]!;
      if (left.name !== right.name) wrongCosines[i] = Math.max(wrongCosines[i]!, cosine);
      if (j <= i) return;
      const pair = { left: left.text, right: right.text, leftConcept: left.name, rightConcept: right.name, cosine };
      (left.name === right.name ? same : different).push(pair);
    });
  });
  const numWorst = options.numWorst ?? defaultNumWorst;
  const sameSpread = spreadOf(same);
  const differentSpread = spreadOf(different);
  return {
    embedder: embedder.name,
    numConcepts: bank.length,
    numPhrases: phrases.length,
    same: sameSpread,
    different: differentSpread,
    worstSame: same.sort((a, b) => a.cosine - b.cosine).slice(0, numWorst),
    worstDifferent: different.sort((a, b) => b.cosine - a.cosine).slice(0, numWorst),
    wrongCosines,
    separable: sameSpread.min > differentSpread.max,
    threshold: (sameSpread.min + differentSpread.max) / 2,
  };
}

/** Share of phrases that come above the threshold with a phrase of another concept. */
export function leakShare(report: ConfusionReport, threshold: number): number {
  return report.wrongCosines.filter((cosine) => cosine > threshold).length / Math.max(1, report.numPhrases);
}

/** The report as lines of text, for the threshold that is in use. */
export function formatConfusion(report: ConfusionReport, threshold: number): string[] {
  const spread = ({ count, min, mean, max }: Spread) =>
    count === 0 ? "none" : `${count} pairs, ${min.toFixed(3)} .. ${max.toFixed(3)}, mean ${mean.toFixed(3)}`;
  const pair = ({ left, leftConcept, right, rightConcept, cosine }: PhrasePair) =>
    `  ${cosine.toFixed(3)}  "${left}" (${leftConcept}) - "${right}" (${rightConcept})`;
  const room = `${report.different.max.toFixed(3)} .. ${report.same.min.toFixed(3)}`;
  return [
    `${report.embedder}: ${report.numPhrases} phrases of ${report.numConcepts} concepts`,
    `same concept: ${spread(report.same)}`,
    `other concept: ${spread(report.different)}`,
    report.separable ? `a threshold in ${room} separates them` : `no threshold separates them (overlap ${room})`,
    `above ${threshold} with a wrong concept: ${(100 * leakShare(report, threshold)).toFixed(1)}% of the phrases`,
    "most alike across concepts:",
    ...report.worstDifferent.map(pair),
    "least alike within a concept:",
    ...report.worstSame.map(pair),
  ];
}

function spreadOf(pairs: readonly PhrasePair[]): Spread {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let sum = 0;
  for (const { cosine } of pairs) {
    min = Math.min(min, cosine);
    max = Math.max(max, cosine);
    sum += cosine;
  }
  return pairs.length === 0
    ? { count: 0, min: Number.NaN, mean: Number.NaN, max: Number.NaN }
    : { count: pairs.length, min, mean: sum / pairs.length, max };
}
