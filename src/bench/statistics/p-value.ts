// How sure a difference is: one formula for resamples, a paired t over seeds, and corrections for many comparisons.
import { twoSidedT } from "./beta.ts";

/**
 * Two-sided, from resampled differences: twice the smaller share at or beyond zero, with one more draw counted on each side,
 * since a finite number of resamples never shows a probability of 0 (Davison and Hinkley 1997, 4.11). NaN draws are left out.
 */
export function resampledPValue(draws: ArrayLike<number>): number {
  let known = 0;
  let atOrBelow = 1;
  let atOrAbove = 1;
  for (let i = 0; i < draws.length; i++) {
    const draw = draws[i]!;
    if (Number.isNaN(draw)) continue;
    known++;
    if (draw <= 0) atOrBelow++;
    if (draw >= 0) atOrAbove++;
  }
  return Math.min(1, (2 * Math.min(atOrBelow, atOrAbove)) / (known + 1));
}

/** The smallest that so many resamples can give. */
export const leastPValue = (numResamples: number): number => 2 / (numResamples + 1);

/** As far as so many resamples can tell. Example: "0.031", "<0.002" */
export function pValueText(pValue: number, numResamples: number): string {
  const least = leastPValue(numResamples);
  return pValue <= least ? `<${(Math.ceil(least * 1000) / 1000).toFixed(3)}` : pValue.toFixed(3);
}

/** Of a mean difference over pairs (seeds): Student's t with n - 1 degrees of freedom. null for fewer than two pairs. */
export function pairedT(differences: readonly number[]): { readonly mean: number; readonly pValue: number } | null {
  const n = differences.length;
  if (n < 2) return null;
  const mean = differences.reduce((sum, value) => sum + value, 0) / n;
  const variance = differences.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  if (variance === 0) return { mean, pValue: mean === 0 ? 1 : 0 };
  return { mean, pValue: twoSidedT(mean / Math.sqrt(variance / n), n - 1) };
}

/**
 * Holm's step-down correction (1979): the family's chance of any false finding stays below the level. In the order given,
 * each at least as large as it was, at most 1.
 */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((_, i) => i).sort((a, b) => pValues[a]! - pValues[b]!);
  const corrected = new Array<number>(pValues.length);
  let largest = 0;
  for (const [rank, i] of order.entries()) {
    largest = Math.max(largest, Math.min(1, (pValues.length - rank) * pValues[i]!));
    corrected[i] = largest;
  }
  return corrected;
}
