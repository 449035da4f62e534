// What a reasoning says of each modality, apart: the cues that it claims, that there is nothing to tell of it (a plain face, a
// flat voice), or that it cannot be perceived. A model that says "a plain face" of a black picture has made up a face.
import type { Modality } from "../media/clip.ts";
import { type CueBank, ofKind, type StatedCues } from "./cue-bank.ts";
import { type Measure, meanMeasure } from "./measure.ts";
import type { Decomposition } from "./statements.ts";

/** What a statement says of a whole modality without naming a cue of it. */
export interface Absence {
  readonly modality: Modality;
  /** The modality shows nothing, or it cannot be perceived. */
  readonly kind: "neutral" | "unseen";
}

/** null for a statement that is no such thing. */
export type AbsenceOf = (statement: string) => Absence | null;

export interface Said {
  /** Bank indices of the cues that are claimed. */
  readonly cues: readonly number[];
  readonly neutral: boolean;
  readonly unseen: boolean;
}

/**
 * One reasoning, per modality; null where it could not be taken apart.
 * @param stated its cues as bank indices (`statedCues`)
 */
export function saidOf(
  bank: CueBank,
  { statements, problem }: Decomposition,
  stated: StatedCues,
  absenceOf: AbsenceOf,
): Readonly<Record<Modality, Said>> | null {
  if (stated === null || problem !== null) return null;
  const absences = statements.map(({ text }) => absenceOf(text));
  const says = (modality: Modality, kind: Absence["kind"]) =>
    absences.some((absence) => absence?.modality === modality && absence.kind === kind);
  const of = (modality: Modality): Said => ({
    cues: ofKind(bank, stated, modality),
    neutral: says(modality, "neutral"),
    unseen: says(modality, "unseen"),
  });
  return { video: of("video"), audio: of("audio") };
}

/**
 * Under a mask each answer is one of: a claim, else neutral, else unseen, else none of them. So an answer that hedges ("nothing
 * that can be seen, a bright smile") is no refusal.
 */
export function maskedSaidMeasures(modality: Modality, said: readonly (Said | null)[]): Record<string, Measure> {
  const share = (is: (said: Said) => boolean) => said.map((one) => (one === null ? Number.NaN : is(one) ? 1 : 0));
  const suffix = modality === "video" ? "Video" : "Audio";
  const isClaim = ({ cues }: Said) => cues.length > 0;
  return {
    [`saysNeutral${suffix}`]: meanMeasure(
      "congruent",
      share((one) => !isClaim(one) && one.neutral),
    ),
    [`saysUnseen${suffix}`]: meanMeasure(
      "congruent",
      share((one) => !isClaim(one) && !one.neutral && one.unseen),
    ),
  };
}

/** Of intact clips: that the modality cannot be perceived is false however it is hedged. */
export function falseRefusals(modality: Modality, said: readonly (Said | null)[]): Record<string, Measure> {
  const refused = said.map((one) => (one === null ? Number.NaN : one.unseen ? 1 : 0));
  return { [`falselyUnseen${modality === "video" ? "Video" : "Audio"}`]: meanMeasure("congruent", refused) };
}
