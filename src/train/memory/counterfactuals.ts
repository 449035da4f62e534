// The clips of a step beside those as they are, counted from the settings that draw them (train/step-prompts.ts, rl/mask-draws.ts,
// rl/draw-views.ts, train/masked-inputs.ts): how many towers encode, completions are compared on, and somebody reads. Averages over the
// draws are for time; what a step can have at most is for memory.
import type { Modality } from "../../media/clip.ts";
import { swapKind, unitsKind } from "../../media/degrade/degrade.ts";
import { goneKinds, takesAll, wholeDoseShare } from "../../rl/mask-draws.ts";
import { maskedModalities } from "../../rl/types.ts";
import type { MaskedViewName } from "../../rl/views.ts";
import type { DeepReadonly } from "../../run/config.ts";
import type { TrainConfig } from "../config.ts";

type Perception = DeepReadonly<TrainConfig>["perception"];

/** Changed modalities of one prompt. */
export interface ChangedClips {
  /** That a tower encodes again: a blank is kept by its shape, another clip's are there. */
  readonly encoded: Readonly<Record<Modality, number>>;
  /** Of which it is asked what can still be read. */
  readonly read: number;
}

export interface Counterfactuals {
  /** Share of a step's prompts that are about a degraded clip. */
  readonly degradedShare: number;
  /** Share of them that ask about one cue. */
  readonly probeShare: number;
  /** Of such a prompt, on average; `alike`: ways in which its modality is gone that its completions are compared on too. */
  readonly degraded: ChangedClips & { readonly alike: number };
  /** The most of them, where it is this modality that is gone. */
  readonly mostAlike: Readonly<Record<Modality, number>>;
  /** Of a prompt that asks the task's question about a clip as it is, on average; `inputs`: masked inputs that are made of it. */
  readonly views: ChangedClips & { readonly inputs: number };
  /** Who reads what is left, where that is more than looking at the mask. */
  readonly reader: "none" | "observer" | "reference";
}

const modalities = ["video", "audio"] as const;
const nothing: ChangedClips = { encoded: { video: 0, audio: 0 }, read: 0 };

export const noCounterfactuals: Counterfactuals = {
  ...{ degradedShare: 0, probeShare: 0, reader: "none", mostAlike: { video: 0, audio: 0 } },
  ...{ degraded: { ...nothing, alike: 0 }, views: { ...nothing, inputs: 0 } },
};

/** Of a step's prompts. */
export function usualShare({ degradedShare, probeShare }: Counterfactuals): number {
  return 1 - degradedShare - probeShare;
}

/** @param prompts of a step @param views that are compared, by name */
export function countCounterfactuals(
  { perception, probeShare }: Pick<DeepReadonly<TrainConfig>, "perception" | "probeShare">,
  prompts: number,
  views: readonly MaskedViewName[],
): Counterfactuals {
  const { rolloutShare, support, viewDraw } = perception;
  // Of an odd number one more or one less.
  const drawn = viewDraw === "half-of-views" ? 0.5 : 1;
  const masked = views.flatMap((view) => maskedModalities[view]);
  return {
    degradedShare: Math.round(rolloutShare * prompts) / prompts,
    probeShare: Math.round(probeShare * prompts) / prompts,
    degraded: { ...added(modalities.map((modality) => degradedOf(perception, modality))), alike: alikeOf(perception) },
    mostAlike: {
      video: perception.alikeWeight === 0 ? 0 : compared(perception, "video"),
      audio: perception.alikeWeight === 0 ? 0 : compared(perception, "audio"),
    },
    views: {
      ...scaled(added(masked.map((modality) => viewOf(perception, modality))), drawn),
      inputs: views.length * drawn,
    },
    reader: support === "observer" || support === "reference" ? support : "none",
  };
}

/** How likely each kind of mask is, and whether it takes all. */
function draws(perception: Perception, modality: Modality): { kind: string; isWhole: boolean; chance: number }[] {
  const kinds = perception.maskFamily[modality];
  const whole = wholeDoseShare(perception);
  return kinds.flatMap((kind) => [
    { kind, isWhole: true, chance: whole / kinds.length },
    { kind, isWhole: false, chance: (1 - whole) / kinds.length },
  ]);
}

/** Half of the degraded clips: one modality each. */
function degradedOf(perception: Perception, modality: Modality): ChangedClips {
  const own = draws(perception, modality).map(({ kind, isWhole, chance }) =>
    scaled(
      isGone(perception, kind, isWhole)
        ? { encoded: { ...nothing.encoded, [modality]: compared(perception, modality) }, read: 1 }
        : changedBy(modality, kind, isWhole),
      chance / 2,
    ),
  );
  return added(own);
}

function viewOf(perception: Perception, modality: Modality): ChangedClips {
  return added(
    draws(perception, modality).map(({ kind, isWhole, chance }) => scaled(changedBy(modality, kind, isWhole), chance)),
  );
}

function changedBy(modality: Modality, kind: string, isWhole: boolean): ChangedClips {
  if (kind === swapKind) return nothing;
  const isBlank = kind === unitsKind && isWhole;
  return { encoded: { ...nothing.encoded, [modality]: isBlank ? 0 : 1 }, read: 1 };
}

/** Then the clip is shown with a blank. */
function isGone({ alikeWeight }: Perception, kind: string, isWhole: boolean): boolean {
  return alikeWeight > 0 && isWhole && takesAll({ kind, ratio: 1 });
}

/** Clips that a blank is compared with. */
function compared({ maskFamily, alikeKinds }: Perception, modality: Modality): number {
  return Math.min(alikeKinds, goneKinds(maskFamily, modality).length);
}

function alikeOf(perception: Perception): number {
  return total(
    modalities.flatMap((modality) =>
      draws(perception, modality).map(({ kind, isWhole, chance }) =>
        isGone(perception, kind, isWhole) ? (chance / 2) * compared(perception, modality) : 0,
      ),
    ),
  );
}

function scaled({ encoded, read }: ChangedClips, by: number): ChangedClips {
  return { encoded: { video: encoded.video * by, audio: encoded.audio * by }, read: read * by };
}

function added(all: readonly ChangedClips[]): ChangedClips {
  return {
    encoded: {
      video: total(all.map(({ encoded }) => encoded.video)),
      audio: total(all.map(({ encoded }) => encoded.audio)),
    },
    read: total(all.map(({ read }) => read)),
  };
}

/** Example: "1 masked input of a prompt's clip, on average, compared for all completions" @param maskedShare of completions */
export function comparedText({
  maskedShare,
  counterfactuals,
}: {
  readonly maskedShare: number;
  readonly counterfactuals: Counterfactuals;
}): string {
  const { degradedShare, probeShare, degraded, views } = counterfactuals;
  const inputs = (count: number) => `${Number(count.toPrecision(2))} masked input${count === 1 ? "" : "s"}`;
  const parts = [
    views.inputs === 0
      ? "no completion about a clip as it is has a masked branch"
      : `${inputs(views.inputs)} of a prompt's clip, on average, compared for ${maskedShare < 1 ? "half of its" : "all"} completions`,
  ];
  if (degradedShare > 0) {
    const share = `${Math.round(100 * degradedShare)}% of the prompts are about a degraded clip`;
    parts.push(
      degraded.alike === 0
        ? share
        : `${share}, whose completions are compared on ${inputs(degraded.alike)} more, on average`,
    );
  }
  if (probeShare > 0) parts.push(`${Math.round(100 * probeShare)}% ask about one cue`);
  return parts.join("; ");
}

const total = (numbers: readonly number[]): number => numbers.reduce((all, number) => all + number, 0);
