// Claims under masks that no arm of the demo was trained with: a grey picture, white noise in place of the sound. Black and
// silence are the very masks of training, so what a model has learnt of them need not be what it knows about seeing.
import { ofKind } from "../../bench/cue-bank.ts";
import { countMeasure, type Measures, meanMeasure } from "../../bench/measure.ts";
import type { Respondent } from "../../bench/respondent.ts";
import { saidOf } from "../../bench/said.ts";
import { clauseStatements } from "../../bench/statements.ts";
import { conditionView, type MaskCondition } from "../../bench/support/conditions.ts";
import { statedCues } from "../../bench/utilization.ts";
import { theatreKind } from "../../corpus/theatre-kind.ts";
import type { ModelUnderTest } from "../../train/theatre/measure.ts";

/** Black frames and silence are what training shows. */
export const heldOutMasks: Readonly<Record<"video" | "audio", MaskCondition>> = {
  video: { modality: "video", kind: "grey", dose: 1 },
  audio: { modality: "audio", kind: "noise", dose: 1 },
};

/** Of the masks, the same for every arm. */
const maskSeed = 0;

/** Per modality: claims about it per clip, and the share of clips of which it is said that it cannot be perceived. */
export async function measureHeldOutMasks(
  { bank, congruent }: Pick<ModelUnderTest, "bank" | "congruent">,
  respondent: Respondent,
): Promise<Measures> {
  const measures: Record<string, Measures[string]> = {};
  for (const [modality, suffix] of [
    ["video", "Video"],
    ["audio", "Audio"],
  ] as const) {
    const views = congruent.map((sample) => conditionView(sample, heldOutMasks[modality], maskSeed));
    const responses = await respondent.respond(views.map((view) => ({ prompt: theatreKind.question, view })));
    const decompositions = responses.map(clauseStatements);
    const stated = await statedCues(bank, decompositions);
    const said = decompositions.map((one, i) => saidOf(bank, one, stated[i]!, theatreKind.absenceOf)![modality]);
    measures[`heldOutMask${suffix}`] = countMeasure(
      "congruent",
      stated.map((cues) => ofKind(bank, cues, modality)!.length),
    );
    measures[`heldOutUnseen${suffix}`] = meanMeasure(
      "congruent",
      said.map(({ cues, neutral, unseen }) => (unseen && !neutral && cues.length === 0 ? 1 : 0)),
    );
  }
  return measures;
}
