// What became of an ordering that somebody stated: it holds here, its opposite does, or these runs cannot tell.
import { holm } from "./p-value.ts";

export type Verdict = "holds" | "does not hold" | "cannot tell";

/** Below this, after correction, chance is a poor explanation. */
const significance = 0.05;

export interface Unjudged {
  /** better - worse, in the direction in which the statement is true where it is above 0. */
  readonly difference: { readonly value: number | null };
  /** Two-sided. */
  readonly pValue: number;
}

/** Judges a family of statements together; the p values become those after Holm's correction. */
export function judgeOrderings<T extends Unjudged>(family: readonly T[]): (T & { readonly verdict: Verdict })[] {
  const corrected = holm(family.map(({ pValue }) => pValue));
  return family.map((one, i) => {
    const isAbove = (one.difference.value ?? 0) > 0;
    const isClear = corrected[i]! < significance;
    return { ...one, pValue: corrected[i]!, verdict: isClear ? (isAbove ? "holds" : "does not hold") : "cannot tell" };
  });
}
