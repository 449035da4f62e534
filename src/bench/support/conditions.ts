// Conditions of a dose-response measurement: which modality, what is done to it, how much of it.
import type { Sample } from "../../data/sample.ts";
import type { Modality } from "../../media/clip.ts";
import { isReplacement, numPartners } from "../../media/degrade/degrade.ts";
import { deriveSeed } from "../../seeds.ts";
import type { ClipView } from "../respondent.ts";

/** Dose 0 is the clip as it is, whatever the kind. */
export interface MaskCondition {
  readonly modality: Modality;
  readonly kind: string;
  readonly dose: number;
}

/** Example: "video blur:0.5" */
export function conditionName({ modality, kind, dose }: MaskCondition): string {
  return `${modality} ${kind}:${dose}`;
}

/** Every kind of a modality at every dose; dose 0 once, under the first kind. */
export function conditionGrid(modality: Modality, kinds: readonly string[], doses: readonly number[]): MaskCondition[] {
  return kinds.flatMap((kind, k) =>
    doses.filter((dose) => dose > 0 || k === 0).map((dose) => ({ modality, kind, dose })),
  );
}

/**
 * A clip under a condition. The mask is a function of seed, condition and clip: every model is shown the same.
 * @param partners whose media the kind takes, where it takes any
 */
export function conditionView(
  sample: Sample,
  { modality, kind, dose }: MaskCondition,
  seed: number,
  partners: readonly Sample[] = [],
): ClipView {
  const whole = { sample, video: sample, audio: sample };
  if (dose === 0) return whole;
  const drawn = deriveSeed(seed, "condition", modality, kind, sample.id);
  return { ...whole, mask: { modality, kind, ratio: dose, seed: drawn, partners } };
}

/** Whose media a condition takes: those of the samples that follow, round the list. */
export type PartnersOf = (sample: Sample, condition: MaskCondition) => readonly Sample[];

/** @param unlike of the others, in order, those that may replace a modality so that following them shows; other kinds take any */
export function partnersAmong(
  samples: readonly Sample[],
  unlike: (others: readonly Sample[], sample: Sample, condition: MaskCondition) => readonly Sample[],
): PartnersOf {
  const places = new Map(samples.map(({ id }, i) => [id, i]));
  return (sample, condition) => {
    const count = condition.dose === 0 ? 0 : numPartners(condition.kind);
    if (count === 0) return [];
    const place = places.get(sample.id)!;
    const next = [...samples.slice(place + 1), ...samples.slice(0, place)];
    return (isReplacement(condition.kind) ? unlike(next, sample, condition) : next).slice(0, count);
  };
}
