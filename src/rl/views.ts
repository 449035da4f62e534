// A perception loss is a choice of views: which masked input, compared on which tokens. OPPO compares on the evidence
// tokens of the masked modality (Eq. 7 to 10), PAPO on all tokens with both modalities masked at once, PAPO-dual on all
// tokens with one modality masked at a time.
import { createRandom, permutation } from "../random.ts";
import { deriveSeed } from "../seeds.ts";
import type { MaskedView, ScoredRollout, ViewName, ViewSelector } from "./types.ts";

function allTokens(rollout: ScoredRollout): Int32Array {
  return Int32Array.from({ length: rollout.rollout.ids.length }, (_, position) => position);
}

/** Ascending; a function of the completion's ids and the view, so that every update and every resumed run draws the same. */
function drawnTokens({ rollout: { ids } }: ScoredRollout, view: ViewName, count: number): Int32Array {
  const order = permutation(ids.length, createRandom(deriveSeed(0, "random-evidence", view, ...ids)));
  return Int32Array.from(order.slice(0, count)).sort();
}

function nonEmpty(...views: readonly MaskedView[]): MaskedView[] {
  return views.filter((view) => view.tokens.length > 0);
}

export const viewSelectors = {
  /** GRPO alone. */
  none: () => [],
  /** Two unimodal views on the evidence tokens of that modality. */
  oppo: ({ evidence }) =>
    nonEmpty({ name: "video", tokens: evidence.video }, { name: "audio", tokens: evidence.audio }),
  /** One joint view on every token. */
  papo: (rollout) => nonEmpty({ name: "both", tokens: allTokens(rollout) }),
  /** Two unimodal views on every token. */
  papoDual: (rollout) =>
    nonEmpty({ name: "video", tokens: allTokens(rollout) }, { name: "audio", tokens: allTokens(rollout) }),
  /** A control of the routing: as many tokens of either view as OPPO's, drawn from the whole completion by what it says. */
  random: (rollout) =>
    nonEmpty(
      { name: "video", tokens: drawnTokens(rollout, "video", rollout.evidence.video.length) },
      { name: "audio", tokens: drawnTokens(rollout, "audio", rollout.evidence.audio.length) },
    ),
  /** A control of the modality: the evidence of what is seen under masked audio, of what is heard under masked video. */
  swapped: ({ evidence }) =>
    nonEmpty({ name: "video", tokens: evidence.audio }, { name: "audio", tokens: evidence.video }),
} satisfies Record<string, ViewSelector>;

export const viewNames = ["video", "audio", "both"] as const satisfies readonly ViewName[];

/** A view whose input the caller makes by masks. */
export type MaskedViewName = (typeof viewNames)[number];

/** Every token of a rollout, on an input that the caller has made already. */
export function alikeView(rollout: ScoredRollout): MaskedView[] {
  const tokens = allTokens(rollout);
  return nonEmpty({ name: "alike", tokens, readable: new Float32Array(tokens.length).fill(1) });
}

/** The views that at least one of the rollouts asks for: those whose masked input the caller has to prepare. */
export function neededViews(rollouts: readonly ScoredRollout[], selector: ViewSelector): MaskedViewName[] {
  const names = new Set(rollouts.flatMap((rollout) => selector(rollout).map((view) => view.name)));
  return viewNames.filter((name) => names.has(name));
}
