// Predictions in the order of the ground truth. Every sample of the set is there: a missing prediction is an error, or an
// empty answer where that was asked for; it is never left out.
import { basename } from "node:path";
import type { GroundTruth, RawLabels } from "../ground-truth.ts";
import type { Predictions } from "./predictions.ts";
import { scoreError } from "./rows.ts";

export interface Aligned {
  /** One per row of the truth. */
  readonly texts: readonly RawLabels[];
  readonly missing: readonly string[];
  /** Predictions for samples that the set does not have. */
  readonly unknown: readonly string[];
  /** Names that only agreed without folder and media extension. */
  readonly numByStem: number;
}

const mediaExtension = /\.(mp4|avi|mkv|mov|webm|wav|mp3|flac|m4a|npy)$/i;
const numShown = 5;

/** @throws DatasetError ERR_SCORE_MISSING, ERR_SCORE_NAMES */
export function alignPredictions(
  truth: GroundTruth,
  predictions: Predictions,
  missingRule: "refuse" | "empty",
): Aligned {
  const stems = stemIndex(truth, predictions);
  const missing: string[] = [];
  const used = new Set<string>();
  let numByStem = 0;
  const texts = [...truth.rows.keys()].map((name): RawLabels => {
    const key = predictions.texts.has(name) ? name : stems.get(name);
    if (key === undefined) {
      missing.push(name);
      return null;
    }
    if (key !== name) numByStem++;
    used.add(key);
    return predictions.texts.get(key)!;
  });
  if (missing.length > 0 && (missingRule === "refuse" || used.size === 0)) {
    const hint = used.size === 0 ? ` Their names look like "${[...predictions.texts.keys()][0]}".` : "";
    const message =
      `expected a prediction for each of the ${truth.rows.size} samples of ${truth.dataset}, got none for ${missing.length}: ` +
      `${shown(missing)}.${hint} Predict them too, or score them as empty answers with --missing empty.`;
    throw scoreError("ERR_SCORE_MISSING", predictions.file, 0, message);
  }
  const unknown = [...predictions.texts.keys()].filter((name) => !used.has(name));
  return { texts, missing, unknown, numByStem };
}

function shown(names: readonly string[]): string {
  const rest = names.length > numShown ? ` and ${names.length - numShown} more` : "";
  return names.slice(0, numShown).join(", ") + rest;
}

/** Sample name -> prediction name, by file stem; two predictions of one stem are refused when the set needs them. */
function stemIndex(truth: GroundTruth, predictions: Predictions): Map<string, string> {
  const stems = new Map<string, string>();
  for (const name of predictions.texts.keys()) {
    const stem = basename(name.replaceAll("\\", "/")).replace(mediaExtension, "");
    if (stem === name || truth.rows.has(name)) continue;
    const other = stems.get(stem);
    if (other !== undefined && truth.rows.has(stem) && !predictions.texts.has(stem)) {
      const message = `expected one prediction for "${stem}", got "${other}" and "${name}". Use the data set's names.`;
      throw scoreError("ERR_SCORE_NAMES", predictions.file, 0, message);
    }
    stems.set(stem, name);
  }
  return stems;
}
