// The one face of a model that the method and the benchmarks see. Architectures implement it; nothing above imports them.
// B prompts, G completions per prompt, N = sum of G, C completion tokens (padded), D width, V vocabulary

import type { MediaClip, ModalityMask } from "../media/clip.ts";
import type { PictureFit, VideoFit } from "../media/fit.ts";
import type { FrameSamplingOptions } from "../media/sampling.ts";
import type { DType, Tensor } from "../tensor/index.ts";
import type { SampledCompletion, SampleOptions } from "./decoder/sampling.ts";
import type { Trunk, TrunkOptions } from "./decoder/trunk.ts";
import type { LinearShape, LoraAdapter } from "./lora/adapter.ts";

export type { ChosenToken, SampledCompletion, SampleOptions, TokenLogprob } from "./decoder/sampling.ts";
export type { Trunk, TrunkOptions, TrunkStart } from "./decoder/trunk.ts";

/** Marks what only the architecture that made it can make and read. */
declare const inside: unique symbol;

/** The size of one modality of a clip. */
export interface ModalityShape {
  /** Equal keys, equal sizes: prompts and blank rows serve all clips of one key. */
  readonly key: string;
}

/** One modality of a clip as its tower reads it: host arrays, no tensors. */
export interface ModalityFeatures extends ModalityShape {
  readonly [inside]: "features";
}

/** A clip turned into what the towers read; null without that modality. Modalities may be left out or come from two clips. */
export interface ClipFeatures {
  readonly video: ModalityFeatures | null;
  readonly audio: ModalityFeatures | null;
}

/** The sizes of a clip's features: all that a prompt needs to know of them. Every ClipFeatures is one. */
export interface ClipShape {
  readonly video: ModalityShape | null;
  readonly audio: ModalityShape | null;
}

/** A piece of a turn. Clips and images carry their sizes: what `features` returned serves. */
export type PromptPart =
  | { readonly type: "text"; readonly text: string }
  /** Its video and its sound, as ChatOptions lay them out. */
  | { readonly type: "clip"; readonly clip: ClipShape }
  /** A picture that fitImage has fitted. */
  | { readonly type: "image"; readonly image: ClipShape };

/** Example: `{ role: "user", parts: [{ type: "clip", clip: features }, { type: "text", text: "what does she feel?" }] }` */
export interface ChatTurn {
  readonly role: "system" | "user" | "assistant";
  readonly parts: readonly PromptPart[];
}

export interface ChatOptions {
  /** How the media of a clip lie in the prompt: one of the model's `layouts`; left out, the first. */
  readonly layout?: string;
}

/**
 * Tower outputs of one clip, or of all media of a prompt (joinRows): what the placeholders' rows are made of. An owner:
 * dispose it.
 */
export interface ClipRows extends Disposable {
  /** [videoTokens, width] or null; an image's rows too. The width is the architecture's: D, or several lists of D beside one another that a prompt weighs. */
  readonly video: Tensor | null;
  /** [audioTokens, D] or null. */
  readonly audio: Tensor | null;
}

/** A tokenised prompt: ids with placeholders already expanded, and what else the architecture needs. Plain data. */
export interface PromptTokens {
  /** Placeholders are ids of the architecture's, negative ones where the vocabulary has none for them. */
  readonly ids: Int32Array;
  /** How it sees its rows: prompts that begin alike can share a beginning with rows where this is equal. Of most models "". */
  readonly lens: string;
  readonly [inside]: "prompt";
}

/** A prompt ready for the language model: tokens plus the rows that fill the placeholders (borrowed, not owned). */
export interface ModelPrompt {
  readonly tokens: PromptTokens;
  readonly rows: ClipRows | null;
}

/** A completion without the stop token that ended it: what was said, whatever that token is called. */
export function withoutStop({ stopIds }: Pick<OmniModel, "stopIds">, ids: Int32Array): Int32Array {
  const last = ids.at(-1);
  return last !== undefined && stopIds.includes(last) ? ids.subarray(0, -1) : ids;
}

/** What a prompt takes for the time between two frame pairs: 1 s, or what they were sampled at. */
export type VideoTime = "fixed" | "sampled";

/** Where a parameter belongs. */
export type ModelPart =
  | ("audio tower" | "vision tower" | "language model" | "head")
  /** What decides from the question how a prompt sees its rows: an encoder of texts, and what it steers. */
  | ("question encoder" | "gate")
  /** Of files alone. */
  | "unused heads";

/** Towers, language model and their own prompt layout. Policies and references are the same type. */
export interface OmniModel extends Disposable {
  /** Where it was loaded from. */
  readonly directory: string;
  /** What of its directory is not followed or not read, one line each. */
  readonly notices: readonly string[];
  /** Of its weights. */
  readonly device: string;
  /** The same: what it computes with. */
  readonly dtype: DType;
  readonly vocabSize: number;
  readonly stopIds: readonly number[];
  /** Name (checkpoint key) -> parameter. */
  parameters(): ReadonlyMap<string, Tensor>;
  partOf(parameter: string): ModelPart;
  /** Whether it is of a tower's last layers, which give rows of the language model's width; they count as the tower's. */
  isProjector(parameter: string): boolean;
  /** How many frames of a video the model looks at: what decoding has to bring. */
  readonly sampling: FrameSamplingOptions;
  /** The same with the sizes of frames: what decoding can do at once. Its result is fitted, and is not fitted again. */
  readonly fitting: VideoFit;
  /** Changes when `fitting` would give something else of the same clip: names what is kept of it. */
  readonly fitKey: string;
  /** Decides the time positions of its prompts; null: they count places alone. */
  readonly videoTime: VideoTime | null;
  /** The size that a picture gets. */
  readonly imageRange: PictureFit;
  /** Resizes a clip of native size to the model's resolution and rate. Masks act on the result. */
  fitClip(clip: MediaClip): MediaClip;
  /** The same for a picture, a clip of one frame. */
  fitImage(image: MediaClip): MediaClip;
  /**
   * What the towers read of a clip that fitClip or fitImage returned, with masks over it (Eq. 6). Borrows the frames, which
   * `encode` brings to the device as they are and masks, normalises and cuts there.
   * @throws OppoError ERR_FRAME_SIZE, ERR_AUDIO_TOO_SHORT, ERR_MASK_RATIO
   */
  features(fitted: MediaClip, masks?: readonly ModalityMask[]): ClipFeatures;
  /** The sizes alone, to keep when the features go. */
  shapeOf(features: ClipFeatures): ClipShape;
  /** Runs the towers, batched over clips. Honours the current grad mode. */
  encode(features: readonly ClipFeatures[]): ClipRows[];
  /** Ways to lay out the video and sound of a clip, the usual one first. Example: ["separate", "audio-in-video"] */
  readonly layouts: readonly string[];
  /** Chat prompt of one user turn with the clip's placeholders expanded. */
  promptTokens(text: string, shape: ClipShape, options?: { system?: string }): PromptTokens;
  /**
   * Chat prompt of a conversation, with an opened assistant turn at its end. Its rows are those of all clips and images,
   * joined in their order (`joinRows`).
   * @throws OppoError ERR_PROMPT_MEDIA for a layout that the model does not have, or that the media do not fit
   */
  chatTokens(turns: readonly ChatTurn[], options?: ChatOptions): PromptTokens;
  /** The first `length` tokens of a prompt. */
  promptHead(prompt: PromptTokens, length: number): PromptTokens;
  /** Completion text <-> ids. decode gives every id's text, so that concatenation is the completion's text. */
  encodeText(text: string): Int32Array;
  decodePieces(ids: Int32Array): string[];
  /**
   * Final hidden states that predict the completions: row (i, c) predicts completion i's token c. Prefix work is shared:
   * every prompt runs once, its completions attend to it as branches.
   * @param completions completions[b] are the G_b completions of prompts[b].
   * @returns [N, C, D], C = longest completion; rows past a completion's end are undefined values, never read them.
   */
  hidden(prompts: readonly ModelPrompt[], completions: readonly (readonly Int32Array[])[]): Tensor;
  /**
   * The same to learn from: with its graph, or, recomputed, with as little kept as is needed to go back. An adapter's dropout
   * acts here alone.
   */
  trunk(
    prompts: readonly ModelPrompt[],
    completions: readonly (readonly Int32Array[])[],
    options?: TrunkOptions,
  ): Trunk;
  /** [n, D] -> [n, V], float32. */
  logits(hidden: Tensor): Tensor;
  /** One batched decode for all prompts x numSamples, prefill once per prompt. Result [prompt][sample]. */
  sample(prompts: readonly ModelPrompt[], options: SampleOptions): SampledCompletion[][];
  /** The layers that an adapter may change. */
  linearLayers(): readonly LinearShape[];
  /** This model with an adapter over its weights: it borrows the model, which must outlive it, and owns the adapter. */
  withAdapter(adapter: LoraAdapter): AdaptedModel;
  /** Writes a directory that can be loaded: what `parameters` gives, and all that belongs to it. */
  save(directory: string): void;
}

/** A model with a LoRA adapter. Its parameters, and what `save` writes, are the adapter's. */
export interface AdaptedModel extends OmniModel {
  /** The same model with the adapter off: the reference at no cost. */
  readonly base: OmniModel;
  readonly adapter: LoraAdapter;
  /** Writes the whole model with the adapter merged into its weights, one at a time. */
  saveMerged(directory: string): void;
}
