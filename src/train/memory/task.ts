// What decides how much memory a step takes: the model, what learns, the batch and where it runs. Plain numbers.
import type { MediaSize, ModelShape } from "../../models/model-shape.ts";
import type { LearnerSettings } from "../learner-settings.ts";
import type { Counterfactuals } from "./counterfactuals.ts";

/** Settings of a learner, those that were left open decided. */
export interface Learner
  extends Pick<LearnerSettings, "trainable" | "parts" | "promptsPerMicroBatch" | "tokensPerChunk"> {
  readonly lora: Pick<LearnerSettings["lora"], "rank" | "targets">;
  readonly dtype: "float32" | "bfloat16";
  readonly recomputes: boolean;
}

/** What the reference reads of one modality: cues of a clip, and tokens of one with what opens the reasoning. */
export const cuesRead = { cues: 4, tokens: 16 } as const;

/** The longest of everything: memory has to be enough for the worst step. */
export interface StepBatch {
  /** Of an optimiser step, over all GPUs. */
  readonly prompts: number;
  /** Completions (or examples) per prompt. */
  readonly groupSize: number;
  /** Of one prompt, media included. */
  readonly promptTokens: number;
  /** Of one completion. */
  readonly newTokens: number;
  /** What towers read of one clip; null: no media. */
  readonly media: MediaSize | null;
  /** Clips that towers encode together. */
  readonly clipsAtOnce: number;
  /** Completions are sampled from the model. */
  readonly samples: boolean;
  /** A frozen start is in memory, beside a policy that is not an adapter over it. */
  readonly hasReference: boolean;
  /** Its distributions are looked at on the full input. */
  readonly usesReference: boolean;
  /** Masked inputs that are compared with the full one: 2 for video and audio. */
  readonly views: number;
  /** Of them in one pass. */
  readonly viewsAtOnce: number;
  /** Of the completions, those that a masked branch has: a drawn half, or 1. */
  readonly maskedShare: number;
  /** Prompts of the whole step: every process encodes their clips, and degrades them, whoever samples of them. */
  readonly shown: number;
  readonly counterfactuals: Counterfactuals;
  /** What a masked branch's other tokens are held to. */
  readonly anchor: "none" | "reference" | "full";
}

export interface Place {
  readonly kind: "cpu" | "cuda";
  /** libtorch has one operator for attention there and in this type (`decoder/fused-attention.ts`). */
  readonly fusesAttention: boolean;
  /** Prompts are spread over so many. */
  readonly gpus: number;
  /** And of full weights gradients, masters and moments over so many (ZeRO-2); left out: over all of them. */
  readonly shards?: number;
}

export interface MemoryTask {
  readonly model: ModelShape;
  readonly learner: Learner;
  readonly batch: StepBatch;
  readonly place: Place;
}

export interface MemoryLine {
  /** Example: "weights" */
  readonly name: string;
  readonly bytes: number;
}

/** A part of a step, with what exists in it beside what always stands. */
export interface MemoryPhase {
  /** Example: "masked backward" */
  readonly name: string;
  readonly lines: readonly MemoryLine[];
  readonly bytes: number;
}

/** Bytes of tensors on one device (every one of the GPUs needs so much). */
export interface MemoryEstimate {
  /** From the first step to the last: weights, reference, adapter, masters, moments. */
  readonly standing: readonly MemoryLine[];
  readonly standingBytes: number;
  readonly phases: readonly MemoryPhase[];
  /** The phase that takes most. */
  readonly largest: MemoryPhase;
  /** Standing and the largest phase together. */
  readonly peakBytes: number;
}
