// MEP-Bench, utilization: does the reasoning name the cues that are there? A clause states the one cue of the bank that
// it is closest to (cosine above 0.6) or none. Recall is read beside precision, since a model that lists every cue has
// recall 1. `recallCosine` is the paper's form: a cue counts when any clause exceeds 0.6, whatever else it resembles.

import type { Sample } from "../data/sample.ts";
import type { TextRole } from "../evidence/cue.ts";
import { splitClauses } from "../text/clauses.ts";
import { type CueBank, matchCues, ofKind, sameCueThreshold, shareIn } from "./cue-bank.ts";
import { type Measure, meanMeasure } from "./measure.ts";
import { reasoningSpan } from "./respondent.ts";

/** Clause texts of one response's reasoning. */
export function reasoningClauses(text: string): string[] {
  return splitClauses([text], reasoningSpan(text)).map((clause) => clause.text);
}

/** The cues (bank indices) that each response states. */
export async function statedCues(bank: CueBank, texts: readonly string[]): Promise<number[][]> {
  return matchCues(bank, texts.map(reasoningClauses));
}

/** Per sample; NaN where the sample has no such cue (recall) or states none (precision). */
export interface UtilizationValues {
  readonly recallVideo: number[];
  readonly recallAudio: number[];
  readonly precisionVideo: number[];
  readonly precisionAudio: number[];
}

/** @param stated @param present bank indices per sample */
export function utilizationValues(
  bank: CueBank,
  stated: readonly (readonly number[])[],
  present: readonly (readonly number[])[],
): UtilizationValues {
  const shares = (kind: "video" | "audio", from: typeof stated, within: typeof stated) =>
    from.map((indices, i) => shareIn(ofKind(bank, indices, kind), within[i]!));
  return {
    recallVideo: shares("video", present, stated),
    recallAudio: shares("audio", present, stated),
    precisionVideo: shares("video", stated, present),
    precisionAudio: shares("audio", stated, present),
  };
}

/** Recall is the mean of the video mean and the audio mean: neither modality hides behind the other's number of cues. */
export function utilizationMeasures(values: UtilizationValues): Record<string, Measure> {
  return {
    recall: meanMeasure("congruent", values.recallVideo, values.recallAudio),
    recallVideo: meanMeasure("congruent", values.recallVideo),
    recallAudio: meanMeasure("congruent", values.recallAudio),
    precisionVideo: meanMeasure("congruent", values.precisionVideo),
    precisionAudio: meanMeasure("congruent", values.precisionAudio),
  };
}

/** Phrases that a response states, with what they are to an embedder; null where they could not be taken from it. */
export interface StatedPhrases {
  readonly phrases: readonly (readonly string[] | null)[];
  readonly role: TextRole;
}

/** Every clause of the reasoning as one phrase. */
export function clausePhrases(texts: readonly string[]): StatedPhrases {
  return { phrases: texts.map(reasoningClauses), role: "clause" };
}

/** The paper's recall per sample: share of its video and audio cues whose best cosine to any stated phrase exceeds 0.6. */
export async function cosineRecall(
  bank: CueBank,
  samples: readonly Sample[],
  { phrases, role }: StatedPhrases,
  threshold = sameCueThreshold,
): Promise<number[]> {
  const cues = samples.map((sample) => sample.cues.filter((cue) => cue.kind !== "emotion").map((cue) => cue.text));
  const rows = async (texts: readonly string[], of: TextRole) => {
    const distinct = [...new Set(texts)];
    const vectors = await bank.embedder.embed(distinct, of);
    const { dimension } = bank.embedder;
    return new Map(distinct.map((text, i) => [text, vectors.subarray(i * dimension, (i + 1) * dimension)]));
  };
  const cueRows = await rows(cues.flat(), "cue");
  const phraseRows = await rows(
    phrases.flatMap((own) => own ?? []),
    role,
  );
  return cues.map((own, i) => {
    const said = phrases[i]?.map((phrase) => phraseRows.get(phrase)!);
    if (own.length === 0 || said === undefined) return Number.NaN;
    const recalled = own.filter((cue) => said.some((vector) => dot(cueRows.get(cue)!, vector) > threshold));
    return recalled.length / own.length;
  });
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += a[d]! * b[d]!;
  return sum;
}
