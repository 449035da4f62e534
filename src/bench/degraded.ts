// A benchmark whose masked streams are degraded in another way than black and silent: the same questions, other masks.
import type { Sample } from "../data/sample.ts";
import type { Modality } from "../media/clip.ts";
import type { KindAndDose } from "../media/degrade/mask-text.ts";
import { deriveSeed } from "../seeds.ts";
import type { ClipView, Respondent } from "./respondent.ts";

/** How a masked stream of a modality is shown; left out: black frames, silence. */
export type MaskedStreams = Readonly<Partial<Record<Modality, KindAndDose>>>;

/** Of the masks: they belong to the set, so that every model is shown the same. */
const maskSeed = 1;

/** @param partnersOf clips whose voices a kind may mix in */
export function degradedRespondent(
  respondent: Respondent,
  masks: MaskedStreams,
  partnersOf: (sample: Sample, kind: string) => readonly Sample[],
): Respondent {
  return {
    name: respondent.name,
    respond: (queries) =>
      respondent.respond(queries.map(({ prompt, view }) => ({ prompt, view: degradedView(view, masks, partnersOf) }))),
  };
}

/** A view hides one modality at most. */
function degradedView(view: ClipView, masks: MaskedStreams, partnersOf: Parameters<typeof degradedRespondent>[2]) {
  const { sample } = view;
  for (const modality of ["video", "audio"] as const) {
    const chosen = masks[modality];
    if (view[modality] !== null || chosen === undefined) continue;
    const { kind, dose } = chosen;
    const seed = deriveSeed(maskSeed, "mep-mask", modality, kind, sample.id);
    return {
      ...view,
      [modality]: sample,
      mask: { modality, kind, ratio: dose, seed, partners: partnersOf(sample, kind) },
    } satisfies ClipView;
  }
  return view;
}

/** As many clips after the sample as a kind takes, in the order of the list, from its start again. */
export function nextOf(samples: readonly Sample[], sample: Sample, count: number): Sample[] {
  const at = samples.indexOf(sample);
  return Array.from({ length: Math.min(count, samples.length - 1) }, (_, i) => samples[(at + 1 + i) % samples.length]!);
}

/** Example: "blur:0.5" */
export function kindText({ kind, dose }: KindAndDose): string {
  return `${kind}:${dose}`;
}
