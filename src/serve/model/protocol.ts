// What the server and its engine's process say to each other. Media travel as paths of files, everything else by value.
import type { ErrorCode } from "../../error.ts";
import type { VideoFit } from "../../media/fit.ts";
import type { LocalMask } from "../../media/local-mask.ts";

/** Equal keys: the same content. */
export interface KeyedFile {
  readonly key: string;
  readonly path: string;
}

/**
 * A medium of a prompt. Equal keys: the same content, read in the same way. Frames are encoded pictures, one file each; `areAll`: none is left out.
 * `keptAs`: the key of a video without its change, of which more changes will be asked for: what was decoded is kept.
 */
export type MediaFile = { readonly key: string } & (
  | {
      readonly kind: "video";
      readonly path: string;
      readonly withSound: boolean;
      readonly change?: ClipChange;
      readonly keptAs?: string;
    }
  | {
      readonly kind: "frames";
      readonly paths: readonly string[];
      readonly fps: number | null;
      readonly areAll: boolean;
    }
  | { readonly kind: "audio"; readonly path: string }
  | { readonly kind: "image"; readonly path: string }
);

/** What a clip is shown with in place of what it has. */
export interface ClipChange {
  /** Of another file, cut or filled up with silence to the clip's own length; null: the clip's own. */
  readonly sound: KeyedFile | null;
  /** One after another. */
  readonly masks: readonly LocalMask[];
}

/** What a job compares in place of answering: a completion under its clip as it is and under each change of it. */
export interface Comparison {
  readonly completion: readonly number[];
  readonly changes: readonly ClipChange[];
}

export type TurnPart =
  | { readonly type: "text"; readonly text: string }
  /** The index into the job's media. */
  | { readonly type: "media"; readonly media: number };

export interface Turn {
  readonly role: "system" | "user" | "assistant";
  readonly parts: readonly TurnPart[];
}

/** How tokens are chosen. Jobs with equal rules may decode together. */
export interface SamplingRules {
  /** An adapter that was loaded by name; null: the model itself. */
  readonly adapter: string | null;
  readonly numSamples: number;
  readonly temperature: number;
  /** Of the log-probabilities that are told. */
  readonly logprobTemperature: number;
  readonly topP: number | null;
  readonly topK: number | null;
  readonly repetitionPenalty: number | null;
}

export interface Job {
  readonly id: number;
  readonly turns: readonly Turn[];
  readonly media: readonly MediaFile[];
  readonly rules: SamplingRules;
  /** 0: nothing is said, the prompt's ids are all that is wanted. */
  readonly maxNewTokens: number;
  /** In place of turns: text whose ids alone are wanted. */
  readonly plainText?: string;
  /** One per sample. */
  readonly seeds: readonly number[];
  readonly stop: readonly string[];
  /** null: no log-probabilities. */
  readonly numLikeliest: number | null;
  /** Whether the token that ends an answer is told with the others: one log-probability per id. */
  readonly tellsStop: boolean;
  readonly isStreamed: boolean;
  /** Of the job's first medium, which is a video without changes. */
  readonly comparison?: Comparison;
}

export interface TokenText {
  readonly id: number;
  readonly text: string;
  readonly logprob: number;
}

export interface ScoredToken extends TokenText {
  readonly likeliest: readonly TokenText[];
}

/** What a sequence has gained: its new text, and its new tokens where log-probabilities were asked for. */
export interface Delta {
  readonly sample: number;
  readonly text: string;
  readonly tokens: readonly ScoredToken[];
}

export interface Answer {
  readonly text: string;
  /** Generated ids, the stop token included. */
  readonly ids: readonly number[];
  /** Text of every id; joined they are the text and, where one ended it, the stop token. */
  readonly pieces: readonly string[];
  readonly tokens: readonly ScoredToken[];
  readonly finish: "stop" | "length" | "cancelled";
}

/** What a client learns of the model before it asks. */
/** How the model looks at a clip: whoever decodes with it has what the model has. */
export interface ModelLook {
  readonly fitting: VideoFit;
  /** Changes when `fitting` would give something else. */
  readonly fitKey: string;
}

export interface ModelFacts {
  readonly architecture: string;
  readonly dtype: string;
  readonly numParameters: number;
  readonly maxContext: number;
}

export interface StartMessage {
  readonly kind: "start";
  readonly directory: string;
  readonly device: string | null;
  readonly dtype: "float32" | "bfloat16" | null;
  /** One byte per slot: not zero once a running job is not wanted any more. Read between tokens. */
  readonly cancelFile: string;
  /** Longest prompt and answer together. */
  readonly maxContext: number;
  /** Places in the cache that sequences which decode together may take. */
  readonly maxBatchTokens: number;
  /** Of tower outputs that are kept. */
  readonly mediaCacheBytes: number;
  /** For preparing a job, and again for answering what decodes together. */
  readonly maxJobSeconds: number;
}

/** Other weights than those at the start, between batches. Paths were checked. */
export type Change =
  /** @param maxRank larger adapters are refused */
  | { readonly kind: "load"; readonly name: string; readonly path: string; readonly maxRank: number }
  | { readonly kind: "unload"; readonly name: string }
  /** The whole model by another of its kind; adapters stay, over the new one. */
  | { readonly kind: "replace"; readonly path: string };

export type ToEngine =
  | StartMessage
  | { readonly kind: "change"; readonly id: number; readonly change: Change }
  /** Jobs with equal rules; a job's slot of the cancel file is its position. */
  | { readonly kind: "batch"; readonly jobs: readonly Job[] };

export type FromEngine =
  | { readonly kind: "ready"; readonly facts: ModelFacts; readonly look: ModelLook }
  | { readonly kind: "unloadable"; readonly code: ErrorCode; readonly message: string }
  | {
      readonly kind: "changed";
      readonly id: number;
      readonly problem: { readonly code: ErrorCode; readonly message: string } | null;
    }
  | { readonly kind: "begun"; readonly job: number; readonly promptIds: readonly number[] }
  | { readonly kind: "delta"; readonly job: number; readonly delta: Delta }
  /** Divergences in nats of a completion's tokens, of the change with this index. */
  | { readonly kind: "compared"; readonly job: number; readonly change: number; readonly nats: readonly number[] }
  | { readonly kind: "done"; readonly job: number; readonly answers: readonly Answer[] }
  /** `isRequest`: what was asked cannot be answered; otherwise a fault. */
  | {
      readonly kind: "failed";
      readonly job: number;
      readonly isRequest: boolean;
      readonly code: ErrorCode;
      readonly message: string;
    }
  | { readonly kind: "idle" };
