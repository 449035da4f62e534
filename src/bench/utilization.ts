// MEP-Bench, utilization: does the reasoning name the cues that are there? A statement states the one cue of the bank that
// it is closest to (cosine above 0.6) or none. Recall is read beside precision, since a model that lists every cue has
// recall 1. `recallCosine` is the paper's form: a cue counts when any statement exceeds 0.6, whatever else it resembles.
// Statements and cues are embedded alike. A response that could not be taken apart counts in no score. And its shadow: who is paid
// for every annotated cue is paid for guessing those that go with the emotion, which recall and precision hardly show.

import type { Sample } from "../data/sample.ts";
import { dot } from "../evidence/similarity.ts";
import type { Modality } from "../media/clip.ts";
import { type CueBank, matchCues, ofKind, type StatedCues, sameCueThreshold, shareIn } from "./cue-bank.ts";
import { type Measure, type Measures, meanMeasure } from "./measure.ts";
import type { Probe } from "./probes.ts";
import type { Decomposition } from "./statements.ts";

/** The cues (bank indices) that each response states; null where it could not be taken apart. */
export async function statedCues(bank: CueBank, responses: readonly Decomposition[]): Promise<StatedCues[]> {
  const stated = await matchCues(
    bank,
    responses.map(({ statements }) => statements.map(({ text }) => text)),
  );
  return responses.map(({ problem }, i) => (problem === null ? stated[i]! : null));
}

/** Per sample; NaN where it has no such cue (recall), states none (precision), or could not be taken apart. */
export interface UtilizationValues {
  readonly recallVideo: number[];
  readonly recallAudio: number[];
  readonly precisionVideo: number[];
  readonly precisionAudio: number[];
}

/** @param stated @param present bank indices per sample */
export function utilizationValues(
  bank: CueBank,
  stated: readonly StatedCues[],
  present: readonly (readonly number[])[],
): UtilizationValues {
  const shares = (kind: "video" | "audio", from: typeof stated, within: typeof stated) =>
    from.map((indices, i) => shareIn(ofKind(bank, indices, kind), within[i] ?? null));
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

/**
 * The paper's recall per sample: the share of all its video and audio cues, counted together, whose best cosine to any
 * statement exceeds 0.6. NaN without a cue.
 */
export async function cosineRecall(
  bank: CueBank,
  samples: readonly Sample[],
  responses: readonly Decomposition[],
  threshold = sameCueThreshold,
): Promise<number[]> {
  const cues = samples.map((sample) => sample.cues.filter((cue) => cue.kind !== "emotion").map((cue) => cue.text));
  const said = responses.map(({ statements }) => statements.map(({ text }) => text));
  const distinct = [...new Set([...cues.flat(), ...said.flat()])];
  const vectors = await bank.embedder.embed(distinct);
  const { dimension } = bank.embedder;
  const rows = new Map(distinct.map((text, i) => [text, vectors.subarray(i * dimension, (i + 1) * dimension)]));
  return cues.map((own, i) => {
    if (own.length === 0 || responses[i]!.problem !== null) return Number.NaN;
    const isRecalled = (cue: string) =>
      said[i]!.some((statement) => dot(rows.get(cue)!, rows.get(statement)!) > threshold);
    return own.filter(isRecalled).length / own.length;
  });
}

/**
 * `suggestedVideo`, `suggestedAudio`: of the cues that adversarial probes ask for, the share that the reasoning claims; fewer is
 * better. A clip's reasoning that could not be taken apart counts in neither. Nothing where a set has no such probes.
 * @param stated bank indices per sample, null where a reasoning could not be taken apart
 */
export function suggestedMeasures(
  bank: CueBank,
  samples: readonly Sample[],
  probes: readonly Probe[],
  stated: readonly StatedCues[],
): Measures {
  const place = new Map(samples.map(({ id }, i) => [id, i]));
  const measures: Record<string, Measures[string]> = {};
  for (const [modality, name] of [
    ["video", "suggestedVideo"],
    ["audio", "suggestedAudio"],
  ] as const) {
    const indexOf = indicesByText(bank, modality);
    const [sums, counts] = [samples.map(() => 0), samples.map(() => 0)];
    for (const { kind, modality: asked, sample, cue } of probes) {
      const at = place.get(sample.id);
      const index = indexOf.get(cue.text);
      if (kind !== "adversarial" || asked !== modality || at === undefined || index === undefined) continue;
      const claims = stated[at];
      if (claims == null) continue;
      counts[at]!++;
      if (claims.includes(index)) sums[at]!++;
    }
    const count = counts.reduce((sum, one) => sum + one, 0);
    if (count > 0) measures[name] = { group: "congruent", parts: [{ sums, counts }], count };
  }
  return measures;
}

function indicesByText(bank: CueBank, modality: Modality): Map<string, number> {
  return new Map(ofKind(bank, [...bank.cues.keys()], modality).map((index) => [bank.cues[index]!.text, index]));
}
