// From the settings of a run to what decides its memory.
import { numElements } from "../../models/checkpoint/parameter-spec.ts";
import type { MediaSize, ModelShape } from "../../models/model-shape.ts";
import type { MaskedViewName } from "../../rl/views.ts";
import type { DeepReadonly } from "../../run/config.ts";
import { defaultsBySize } from "../by-size.ts";
import type { TrainConfig } from "../config.ts";
import type { LearnerSettings } from "../learner-settings.ts";
import type { SftConfig } from "../sft-config.ts";
import { countCounterfactuals, noCounterfactuals } from "./counterfactuals.ts";
import { sum } from "./standing.ts";
import type { Learner, MemoryTask, Place, StepBatch } from "./task.ts";

/** Tokens of a prompt that are no media: the template, the question, a subtitle. */
export const textTokens = 128;

/** A completion's tokens that are no media, of a clip's conversation that is learnt from. */
const learntTokens = 512;
const unimodal = ["video", "audio"] as const;
/** Masked inputs that a selector compares on (rl/views.ts). */
const viewsOf = {
  ...{ none: [], oppo: unimodal, papo: ["both"], papoDual: unimodal, random: unimodal, swapped: unimodal },
} as const satisfies Record<string, readonly MaskedViewName[]>;
/** As a run encodes them (corpus/clips/open-clips.ts). */
const clipsAtOnce = 1;

/** The longest prompt: text and the tokens of its clip. */
export function promptTokens({ towers }: ModelShape, media: MediaSize | null): number {
  if (media === null || towers === null) return textTokens;
  return textTokens + sum(towers.map((tower) => tower.loadOf(media)?.tokens ?? 0));
}

export function numParameters({ parameters }: ModelShape): number {
  return sum(parameters.map(({ shape }) => numElements(shape)));
}

/** @param place left open: one processor */
export function grpoTask(
  model: ModelShape,
  config: DeepReadonly<TrainConfig>,
  media: MediaSize | null,
  place: Place,
): MemoryTask {
  const { perception } = config;
  const defaults = defaultsBySize(numParameters(model), config.trainable);
  const weighs =
    perception.perceptionLossWeight !== 0 || perception.anchorWeight !== 0 || perception.entropyWeight !== 0;
  const names = weighs ? viewsOf[perception.views] : [];
  const views = names.length;
  const batch: StepBatch = {
    ...{ prompts: config.promptsPerStep, groupSize: config.groupSize },
    newTokens: config.maxNewTokens ?? defaults.maxNewTokens,
    promptTokens: promptTokens(model, media),
    ...{ media, clipsAtOnce, samples: true, hasReference: true },
    usesReference: config.referenceKlWeight !== 0,
    ...{ views, viewsAtOnce: perception.viewPasses === "one" ? 2 : 1 },
    maskedShare: perception.viewDraw === "half-of-rollouts" ? 0.5 : 1,
    shown: config.promptsPerStep,
    counterfactuals: countCounterfactuals(config, config.promptsPerStep, names),
    anchor: views === 0 || perception.anchorWeight === 0 ? "none" : perception.anchorTo,
  };
  return { model, learner: learnerOf(model, config), batch, place };
}

/** @param examples that share a clip: 1 of most corpora */
export function sftTask(
  model: ModelShape,
  config: DeepReadonly<SftConfig>,
  media: MediaSize | null,
  place: Place,
  examples = 1,
): MemoryTask {
  const tokens = promptTokens(model, media);
  const batch: StepBatch = {
    ...{ prompts: config.samplesPerStep, groupSize: examples, promptTokens: tokens },
    newTokens:
      config.maxTokens === null ? learntTokens : Math.max(1, Math.min(learntTokens, config.maxTokens - tokens)),
    ...{
      media,
      clipsAtOnce,
      samples: false,
      hasReference: false,
      usesReference: false,
    },
    ...{ views: 0, viewsAtOnce: 1, maskedShare: 1, anchor: "none" },
    ...{ shown: config.samplesPerStep, counterfactuals: noCounterfactuals },
  };
  return { model, learner: learnerOf(model, config), batch, place };
}

function learnerOf(model: ModelShape, settings: DeepReadonly<LearnerSettings>): Learner {
  const { trainable, parts, lora, dtype, recompute, promptsPerMicroBatch, tokensPerChunk } = settings;
  const isRecomputed =
    recompute === "auto" ? defaultsBySize(numParameters(model), trainable).recomputes : recompute === "on";
  return {
    ...{ trainable, parts, promptsPerMicroBatch, tokensPerChunk },
    ...{ lora: { rank: lora.rank, targets: lora.targets }, dtype: dtype ?? model.dtype, recomputes: isRecomputed },
  };
}
