// The emotion-wheel (EW) set-level F1 of one sample, the accuracy reward R_acc (Eq. 27). Benchmarks average precision and
// recall over a data set before they take F1; a reward has one sample only.
import { normaliseLabels } from "./labels.ts";
import { type EmotionLexicon, resolveGroups, type WheelLevel } from "./wheel.ts";

export interface SetScore {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/** |G and Q| / |Q|, |G and Q| / |G| and their harmonic mean, for predicted groups Q and gold groups G; 0 where undefined. */
export function setScore(predicted: ReadonlySet<string>, gold: ReadonlySet<string>): SetScore {
  let shared = 0;
  for (const group of predicted) if (gold.has(group)) shared++;
  if (shared === 0) return { precision: 0, recall: 0, f1: 0 };
  const precision = shared / predicted.size;
  const recall = shared / gold.size;
  return { precision, recall, f1: (2 * precision * recall) / (precision + recall) };
}

export interface SetF1Options {
  readonly level?: WheelLevel;
  /**
   * A wheel on which no gold label resolves contributes 0 (as the public reward code does, so that even a perfect answer
   * may stay below 1), or is left out of the mean.
   */
  readonly unresolvedGold?: "zero" | "skip";
}

/**
 * R_acc: mean over the lexicon's wheels of the F1 between the groups of the predicted and of the gold labels. Labels may
 * be in any case; unresolved predicted labels cost nothing.
 *
 * @returns 0..1; 0 when no wheel counts.
 */
export function setF1(
  predicted: readonly string[],
  gold: readonly string[],
  lexicon: EmotionLexicon,
  options: SetF1Options = {},
): number {
  const predictedLabels = normaliseLabels(predicted);
  const goldLabels = normaliseLabels(gold);
  let sum = 0;
  let numWheels = 0;
  for (const wheel of lexicon.wheels) {
    const goldGroups = resolveGroups(lexicon, wheel, goldLabels, options.level);
    if (goldGroups.size === 0 && options.unresolvedGold === "skip") continue;
    sum += setScore(resolveGroups(lexicon, wheel, predictedLabels, options.level), goldGroups).f1;
    numWheels++;
  }
  return numWheels === 0 ? 0 : sum / numWheels;
}
