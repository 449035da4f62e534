// The one face of a model that the method and the benchmarks see. Architectures implement it; nothing above imports them.
// B prompts, G completions per prompt, N = sum of G, C completion tokens (padded), D width, V vocabulary

import type { MediaClip } from "../media/clip.ts";
import type { Tensor } from "../tensor/index.ts";

/** A clip turned into what the towers read: host arrays, no tensors. */
export interface ClipFeatures {
  /** Patch rows of the video, Float32 [numPatches, patchSize] with its grid in patches; null without video. */
  readonly video: { readonly patches: Float32Array; readonly grid: readonly [t: number, h: number, w: number] } | null;
  /** Log-mel frames, Float32 [numMels, numFrames]; null without audio. */
  readonly audio: { readonly mel: Float32Array; readonly numFrames: number } | null;
}

/** The sizes of a clip's features: all that a prompt needs to know of them. Every ClipFeatures is one. */
export interface ClipShape {
  readonly video: { readonly grid: readonly [t: number, h: number, w: number] } | null;
  readonly audio: { readonly numFrames: number } | null;
}

/** A piece of a turn. Clips and images carry their sizes: what `features` returned serves. */
export type PromptPart =
  | { readonly type: "text"; readonly text: string }
  /** Its video, then its sound; interleaved in time where ChatOptions say so. */
  | { readonly type: "clip"; readonly clip: ClipShape }
  /** A picture that fitImage has fitted. */
  | { readonly type: "image"; readonly image: ClipShape };

/** Example: `{ role: "user", parts: [{ type: "clip", clip: features }, { type: "text", text: "what does she feel?" }] }` */
export interface ChatTurn {
  readonly role: "system" | "user" | "assistant";
  readonly parts: readonly PromptPart[];
}

export interface ChatOptions {
  /** Every clip with a video has its sound inside it, in chunks of two seconds (use_audio_in_video). Default false. */
  readonly audioInVideo?: boolean;
}

/** Tower outputs of one clip, or of all media of a prompt (joinRows): what replaces the placeholders. An owner: dispose it. */
export interface ClipRows extends Disposable {
  /** [videoTokens, D] or null; an image's rows too. */
  readonly video: Tensor | null;
  /** [audioTokens, D] or null. */
  readonly audio: Tensor | null;
}

/** A tokenised prompt: ids with placeholders already expanded, and TMRoPE positions. Plain data. */
export interface PromptTokens {
  readonly ids: Int32Array;
  /** Row-major [3, ids.length]. */
  readonly positions: Int32Array;
}

/** A prompt ready for the language model: tokens plus the rows that fill the placeholders (borrowed, not owned). */
export interface ModelPrompt {
  readonly tokens: PromptTokens;
  readonly rows: ClipRows | null;
}

export interface SampleOptions {
  /** Completions per prompt (G). */
  readonly numSamples: number;
  readonly maxNewTokens: number;
  /** 0 is greedy. */
  readonly temperature: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly repetitionPenalty?: number;
  /** One seed per row, [prompts * numSamples]: every sequence draws from its own stream. Ignored when greedy. */
  readonly seeds?: readonly number[];
  /**
   * Called for every token when it is chosen, while the others are still to come: for streaming. Must not throw. "stop"
   * ends this sequence here; its `truncated` stays true.
   */
  readonly onToken?: (prompt: number, sample: number, token: ChosenToken) => "stop" | undefined;
  /** How many of the likeliest ids come with each token of onToken. */
  readonly numLikeliest?: number;
}

/** A token's id and its log-probability at temperature 1, of the untouched logits. */
export interface TokenLogprob {
  readonly id: number;
  readonly logprob: number;
}

export interface ChosenToken extends TokenLogprob {
  /** The numLikeliest likeliest ids at this position, likeliest first; the chosen one need not be among them. */
  readonly likeliest: readonly TokenLogprob[];
}

/** One sampled sequence, stop token included when it was reached. */
export interface SampledCompletion {
  readonly ids: Int32Array;
  /** log pi(token) under the sampling distribution at temperature 1, one per id. */
  readonly logprobs: Float32Array;
  /** True when maxNewTokens ended it. */
  readonly truncated: boolean;
}

/** Frames per second of the video, between two counts. */
export interface FrameSampling {
  readonly fps: number;
  readonly minFrames: number;
  readonly maxFrames: number;
}

/** A thinker: towers, language model and its own prompt layout. Policies and references are the same type. */
export interface OmniModel extends Disposable {
  readonly vocabSize: number;
  readonly stopIds: readonly number[];
  /** Name (checkpoint key) -> parameter. */
  parameters(): ReadonlyMap<string, Tensor>;
  /** How many frames of a video the model looks at: what decoding has to bring. */
  readonly sampling: FrameSampling;
  /** Resizes a decoded clip to the model's resolution and rate. Masks act on the result. */
  fitClip(clip: MediaClip): MediaClip;
  /** The same for a picture, a clip of one frame. */
  fitImage(image: MediaClip): MediaClip;
  /** Patches and log-mel of what fitClip or fitImage returned. */
  features(fitted: MediaClip): ClipFeatures;
  /** Runs the towers, batched over clips. Honours the current grad mode. */
  encode(features: readonly ClipFeatures[]): ClipRows[];
  /** Chat prompt of one user turn with the clip's placeholders expanded. */
  promptTokens(text: string, shape: ClipShape, options?: { system?: string }): PromptTokens;
  /**
   * Chat prompt of a conversation, with an opened assistant turn at its end. Its rows are those of all clips and images,
   * joined in their order (`joinRows`).
   */
  chatTokens(turns: readonly ChatTurn[], options?: ChatOptions): PromptTokens;
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
  /** [n, D] -> [n, V], float32. */
  logits(hidden: Tensor): Tensor;
  /** One batched decode for all prompts x numSamples, prefill once per prompt. Result [prompt][sample]. */
  sample(prompts: readonly ModelPrompt[], options: SampleOptions): SampledCompletion[][];
}
