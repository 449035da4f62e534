// What a model is made of, without its weights: every parameter's shape and place, the decoder, the towers. What a folder's
// config.json and headers tell, or a published name. Memory and time are reckoned from it.
import type { VideoFit } from "../media/fit.ts";
import type { ParameterSpec } from "./checkpoint/parameter-spec.ts";
import type { DecoderConfig } from "./decoder/config.ts";
import type { LinearShape } from "./lora/adapter.ts";
import type { ModelPart } from "./omni-model.ts";

/** A clip as a model's towers get it, brought to the model's resolution. */
export interface MediaSize {
  /** Even; 0: no video. */
  readonly frames: number;
  readonly height: number;
  readonly width: number;
  /** 0: no sound. */
  readonly audioSeconds: number;
}

/** What a clip is to a tower. */
export interface TowerLoad {
  /** Numbers that it reads, made on the host. */
  readonly inputs: number;
  /** That go through its layers. */
  readonly rows: number;
  /** Rows that it gives, each a token of the prompt. */
  readonly tokens: number;
  /** Rows that see one another, by layers. */
  readonly segments: readonly { readonly layers: number; readonly length: number }[];
}

export interface TowerShape {
  readonly modality: "video" | "audio";
  readonly part: ModelPart;
  readonly width: number;
  readonly numHeads: number;
  readonly feedForward: number;
  /** The feed-forward has a gate beside it. */
  readonly isGated: boolean;
  /** null: nothing of the clip is for this tower. */
  loadOf(media: MediaSize): TowerLoad | null;
}

export interface ModelShape {
  /** Example: "Qwen2.5-Omni thinker" */
  readonly title: string;
  readonly parameters: readonly ParameterSpec[];
  readonly partOf: (parameter: string) => ModelPart;
  readonly isProjector: (parameter: string) => boolean;
  /** That an adapter may change. */
  readonly linearLayers: readonly LinearShape[];
  readonly decoder: DecoderConfig;
  /** null: the architecture does not say, and towers are not reckoned. */
  readonly towers: readonly TowerShape[] | null;
  /** How it looks at a video; null: nobody says. */
  readonly fitting: VideoFit | null;
  /** Of the weights as they are stored; of a name, as it was published. */
  readonly dtype: "float32" | "bfloat16";
}
