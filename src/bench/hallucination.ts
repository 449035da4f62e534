// Free reasoning under a mask: with black frames (or silence) every visual (or audible) cue that is stated is invented.
// Counted per clip, beside the share of responses that still have the format: a model that babbles when it sees nothing
// invents nothing, and must not win by that. Goes beyond the paper, which asks yes/no questions only.

import type { Modality } from "../media/clip.ts";
import { type CueBank, ofKind, type StatedCues, shareIn } from "./cue-bank.ts";
import { formatScores } from "./emotion-score.ts";
import type { AnswerStyle } from "./faithfulness.ts";
import { countMeasure, type Measure, meanMeasure } from "./measure.ts";

/** Per clip, for the modality that was masked. */
export interface HallucinationValues {
  /** Distinct cues of the masked modality that are stated; NaN where the response could not be taken apart. */
  readonly hallucinated: number[];
  /** Share of the clip's own hidden cues that are not stated: they can only be guessed. NaN without cues. */
  readonly withheld: number[];
  /** 1 for a well-formed response; NaN for free answers. */
  readonly format: number[];
}

/** @param stated cues (bank indices) of the responses under mask. @param present the clips' own cues. */
export function hallucinationValues(
  bank: CueBank,
  modality: Modality,
  texts: readonly string[],
  stated: readonly StatedCues[],
  present: readonly (readonly number[])[],
  style: AnswerStyle,
): HallucinationValues {
  return {
    hallucinated: stated.map((indices) => ofKind(bank, indices, modality)?.length ?? Number.NaN),
    withheld: present.map((own, i) => 1 - shareIn(ofKind(bank, own, modality), stated[i]!)),
    format: formatScores(texts, style),
  };
}

export function hallucinationMeasures(modality: Modality, values: HallucinationValues): Record<string, Measure> {
  const suffix = modality === "video" ? "Video" : "Audio";
  return {
    [`hallucinated${suffix}`]: countMeasure("congruent", values.hallucinated),
    [`withheld${suffix}`]: meanMeasure("congruent", values.withheld),
    [`formatMasked${suffix}`]: meanMeasure("congruent", values.format),
  };
}
