// Where a threshold on cosines should lie, from pairs that are the same and pairs that are not. Both sorts weigh the same
// in all (there are always far more different pairs than same ones, in numbers that say nothing), so with T = share of
// same pairs above the threshold and F = share of different pairs above it: precision T / (T + F), F1 = 2 T / (T + F + 1).

/** A pair that was measured, with its weight among those of its sort. */
export interface ScoredPair {
  readonly cosine: number;
  readonly isSame: boolean;
  readonly weight: number;
}

export interface ThresholdChoice {
  /** Middle between the two cosines that the best cut separates. */
  readonly threshold: number;
  readonly f1: number;
  /** Same pairs that are not above the threshold. */
  readonly missed: number;
  /** Different pairs that are above it. */
  readonly leaked: number;
  /** Thresholds whose F1 is within `f1Slack` of the best one. */
  readonly range: readonly [low: number, high: number];
  /** Where as large a share of the same is missed as of the different leaks. */
  readonly equalError: { readonly threshold: number; readonly rate: number };
}

/** A threshold that costs less than this is as good as the best. */
export const f1Slack = 0.01;

/** Shares are sums of fractions. */
const rounding = 1e-12;

/** A place between two neighbouring cosines: thresholds in [below, above) do the same. */
interface Cut {
  readonly above: number;
  readonly below: number;
  readonly hit: number;
  readonly leaked: number;
  readonly f1: number;
}

/** @param pairs of both sorts, by falling cosine */
export function chooseThreshold(pairs: readonly ScoredPair[]): ThresholdChoice {
  const cuts = cutsOf(pairs);
  let best = cuts[0]!;
  for (const cut of cuts) if (cut.f1 > best.f1) best = cut;
  const fine = cuts.filter((cut) => cut.f1 >= best.f1 - f1Slack);
  const crossing = cuts.find(({ hit, leaked }) => leaked >= 1 - hit - rounding)!;
  return {
    threshold: (best.above + best.below) / 2,
    f1: best.f1,
    missed: 1 - best.hit,
    leaked: best.leaked,
    range: [Math.min(...fine.map(({ below }) => below)), Math.max(...fine.map(({ above }) => above))],
    equalError: {
      threshold: (crossing.above + crossing.below) / 2,
      rate: (crossing.leaked + 1 - crossing.hit) / 2,
    },
  };
}

/** Shares that a given threshold misses and lets through. */
export function ratesAt(pairs: readonly ScoredPair[], threshold: number): { missed: number; leaked: number } {
  const total = { same: 0, different: 0 };
  const over = { same: 0, different: 0 };
  for (const { cosine, isSame, weight } of pairs) {
    total[isSame ? "same" : "different"] += weight;
    if (cosine > threshold) over[isSame ? "same" : "different"] += weight;
  }
  return { missed: 1 - over.same / total.same, leaked: over.different / total.different };
}

function cutsOf(pairs: readonly ScoredPair[]): Cut[] {
  let totalSame = 0;
  let totalDifferent = 0;
  for (const { isSame, weight } of pairs) {
    if (isSame) totalSame += weight;
    else totalDifferent += weight;
  }
  const cuts: Cut[] = [];
  let same = 0;
  let different = 0;
  for (const [index, { cosine, isSame, weight }] of pairs.entries()) {
    if (isSame) same += weight;
    else different += weight;
    const below = pairs[index + 1]?.cosine ?? Math.min(-1, cosine);
    if (below === cosine && index + 1 < pairs.length) continue;
    const hit = same / totalSame;
    const leaked = different / totalDifferent;
    cuts.push({ above: cosine, below, hit, leaked, f1: (2 * hit) / (hit + leaked + 1) });
  }
  return cuts;
}
