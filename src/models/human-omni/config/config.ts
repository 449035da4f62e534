// config.json of HumanOmni and the configurations of its towers, read into typed values. Settings that would give other
// numbers are refused by name; SigLIP's own file leaves out what is its class' default.
import { z } from "zod";
import { CheckpointError } from "../../../tensor/error.ts";
import { requireKnownFields } from "../../checkpoint/config-fields.ts";
import { type DecoderConfig, decoderConfig, decoderSchema, depth, size, unsupported } from "../../decoder/config.ts";
import type { Json, Towers } from "./towers.ts";

/** SigLIP. */
export interface VisionConfig {
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly numHeads: number;
  readonly feedForwardSize: number;
  /** Pixels of a side. */
  readonly imageSize: number;
  readonly patchSize: number;
  readonly normEps: number;
  /** Layers that run: the projector reads what this many give, without a norm. */
  readonly numUsedLayers: number;
}

/** Whisper's encoder. */
export interface AudioConfig {
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly numHeads: number;
  readonly feedForwardSize: number;
  readonly numMels: number;
  /** Rows of a window, half its mel frames. */
  readonly maxPositions: number;
  /** Width of the classifier that nothing reads. */
  readonly classifierSize: number;
}

/** BERT. */
export interface QuestionConfig {
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly numHeads: number;
  readonly feedForwardSize: number;
  readonly vocabSize: number;
  readonly maxPositions: number;
  readonly numTypes: number;
  readonly normEps: number;
}

/** From patches to tokens. */
export interface ProjectorConfig {
  /** Blocks per stage. */
  readonly depth: number;
  /** Of the convolution between the stages: time, height, width. */
  readonly padding: readonly [number, number, number];
  /** Whether the tokens of a frame are pooled, and those of every fourth kept beside (the 7B). */
  readonly compresses: boolean;
}

export interface HumanOmniConfig {
  readonly text: DecoderConfig;
  readonly isTied: boolean;
  readonly vision: VisionConfig;
  readonly audio: AudioConfig;
  readonly question: QuestionConfig;
  readonly projector: ProjectorConfig;
  /** Frames that a video is looked at by; null: one of every second. */
  readonly numFrames: number | null;
  /** End-of-turn ids as config.json names them; generation_config.json wins where it has them. */
  readonly stopIds: readonly number[];
  /** The JSON as it was read: what a save writes back. */
  readonly json: Json;
}

const MODEL_TYPE = "HumanOmni_qwen2";
const DEFAULT_STOP_ID = 151645;
const MAX_FRAMES = 512;

const id = z.number().int().nonnegative();
const off = z.literal(0).nullish();

const schema = decoderSchema.extend({
  tie_word_embeddings: z.boolean().nullish(),
  eos_token_id: z.union([id, z.array(id)]).nullish(),
  mm_hidden_size: size,
  audio_hidden_size: size,
  mm_projector_type: z.enum(["all_in_one_small", "all_in_one"]),
  mm_audio_projector_type: z.literal("mlp2x_gelu"),
  mm_vision_select_layer: z.number().int().negative().default(-2),
  mm_vision_select_feature: z.literal("patch").default("patch"),
  mm_use_x_start_end: z.literal(true).default(true),
  num_frames: z.number().int().positive().max(MAX_FRAMES).nullish(),
});

/** Where weights came from, how they were trained, and what nobody reads. */
const WITHOUT_EFFECT = [
  ...["mm_vision_tower", "mm_audio_tower", "text_model_path", "use_local_models", "hyper_layers", "use_mm_proj"],
  ...["freeze_mm_mlp_adapter", "tune_mm_mlp_adapter", "mm_tunable_parts", "mm_projector_lr", "image_aspect_ratio"],
  ...["tokenizer_model_max_length", "tokenizer_padding_side", "audio_select_layer", "mm_audio_select_layer"],
  ...["mm_patch_merge_type", "mm_use_im_start_end", "mm_use_im_patch_token", "vision_config", "attention_bias"],
];

const PROJECTORS: Readonly<Record<string, ProjectorConfig>> = {
  all_in_one_small: { depth: 2, padding: [1, 0, 0], compresses: false },
  all_in_one: { depth: 4, padding: [1, 1, 1], compresses: true },
};

/**
 * @param path of config.json, for errors
 * @throws CheckpointError ERR_CHECKPOINT_CONFIG
 */
export function parseConfig(json: Json, path: string, towers: Towers): HumanOmniConfig {
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw unsupported(parsed.error.issues, path, MODEL_TYPE);
  const raw = parsed.data;
  requireKnownFields(json, [...Object.keys(schema.shape), ...WITHOUT_EFFECT], path, MODEL_TYPE);
  const config = {
    text: decoderConfig(raw, path, { where: MODEL_TYPE, axes: 1 }),
    isTied: raw.tie_word_embeddings ?? false,
    vision: visionConfig(towers.vision.json, raw.mm_vision_select_layer, path),
    audio: audioConfig(towers.audio.json, path),
    question: questionConfig(towers.question.json, path),
    projector: PROJECTORS[raw.mm_projector_type]!,
    numFrames: raw.num_frames ?? null,
    stopIds: [raw.eos_token_id ?? DEFAULT_STOP_ID].flat(),
    json,
  };
  requireSide(config.vision, config.projector, raw.mm_projector_type, path);
  requireWidth("mm_hidden_size", raw.mm_hidden_size, config.vision.hiddenSize, towers.vision.folder, path);
  requireWidth("audio_hidden_size", raw.audio_hidden_size, config.audio.hiddenSize, towers.audio.folder, path);
  return config;
}

/** Where the convolutions and the resizing of a projector give equally many tokens. */
function requireSide({ imageSize, patchSize }: VisionConfig, { padding }: ProjectorConfig, type: string, path: string) {
  const side = Math.floor(imageSize / patchSize);
  if (side % 2 === padding[1]) return;
  throw new CheckpointError(
    "ERR_CHECKPOINT_CONFIG",
    path,
    `${type}: expected ${padding[1] === 0 ? "an even" : "an odd"} number of patches on a side, got ${side}. The tower is of another model.`,
  );
}

function requireWidth(field: string, stated: number, found: number, folder: string, path: string): void {
  if (stated === found) return;
  throw new CheckpointError(
    "ERR_CHECKPOINT_CONFIG",
    path,
    `${field}: expected the width of ${folder}, ${found}, got ${stated}. The tower is of another model.`,
  );
}

const visionSchema = z.looseObject({
  hidden_size: size.default(768),
  intermediate_size: size.default(3072),
  num_hidden_layers: depth.default(12),
  num_attention_heads: size.default(12),
  image_size: size.default(224),
  patch_size: size.default(16),
  num_channels: z.literal(3).default(3),
  hidden_act: z.literal("gelu_pytorch_tanh").default("gelu_pytorch_tanh"),
  layer_norm_eps: z.number().positive().default(1e-6),
  attention_dropout: off,
});

function visionConfig(json: Json, selected: number, path: string): VisionConfig {
  const own = (json.vision_config ?? json) as Json;
  const raw = parsed(visionSchema, own, path, "vision tower");
  const numUsedLayers = raw.num_hidden_layers + 1 + selected;
  if (numUsedLayers < 0) {
    throw new CheckpointError(
      "ERR_CHECKPOINT_CONFIG",
      path,
      `mm_vision_select_layer: expected at least ${-raw.num_hidden_layers - 1}, got ${selected}. The tower has no such layer.`,
    );
  }
  requireHeads(raw.hidden_size, raw.num_attention_heads, path, "vision tower");
  return {
    hiddenSize: raw.hidden_size,
    numLayers: raw.num_hidden_layers,
    numHeads: raw.num_attention_heads,
    feedForwardSize: raw.intermediate_size,
    imageSize: raw.image_size,
    patchSize: raw.patch_size,
    normEps: raw.layer_norm_eps,
    numUsedLayers,
  };
}

const audioSchema = z.looseObject({
  d_model: size,
  encoder_layers: depth,
  encoder_attention_heads: size,
  encoder_ffn_dim: size,
  num_mel_bins: z.literal(128),
  max_source_positions: size,
  activation_function: z.literal("gelu").default("gelu"),
  scale_embedding: z.literal(false).nullish(),
  classifier_proj_size: size.default(256),
});

function audioConfig(json: Json, path: string): AudioConfig {
  const raw = parsed(audioSchema, json, path, "audio tower");
  requireHeads(raw.d_model, raw.encoder_attention_heads, path, "audio tower");
  return {
    hiddenSize: raw.d_model,
    numLayers: raw.encoder_layers,
    numHeads: raw.encoder_attention_heads,
    feedForwardSize: raw.encoder_ffn_dim,
    numMels: raw.num_mel_bins,
    maxPositions: raw.max_source_positions,
    classifierSize: raw.classifier_proj_size,
  };
}

const questionSchema = z.looseObject({
  hidden_size: size,
  num_hidden_layers: depth,
  num_attention_heads: size,
  intermediate_size: size,
  vocab_size: size,
  max_position_embeddings: size,
  type_vocab_size: size.default(2),
  hidden_act: z.literal("gelu").default("gelu"),
  layer_norm_eps: z.number().positive().default(1e-12),
  position_embedding_type: z.literal("absolute").default("absolute"),
});

function questionConfig(json: Json, path: string): QuestionConfig {
  const raw = parsed(questionSchema, json, path, "question encoder");
  requireHeads(raw.hidden_size, raw.num_attention_heads, path, "question encoder");
  return {
    hiddenSize: raw.hidden_size,
    numLayers: raw.num_hidden_layers,
    numHeads: raw.num_attention_heads,
    feedForwardSize: raw.intermediate_size,
    vocabSize: raw.vocab_size,
    maxPositions: raw.max_position_embeddings,
    numTypes: raw.type_vocab_size,
    normEps: raw.layer_norm_eps,
  };
}

function parsed<T extends z.ZodType>(expected: T, json: Json, path: string, where: string): z.output<T> {
  const result = expected.safeParse(json);
  if (result.success) return result.data;
  throw unsupported(result.error.issues, path, where);
}

function requireHeads(width: number, heads: number, path: string, where: string): void {
  if (width % heads === 0) return;
  throw new CheckpointError(
    "ERR_CHECKPOINT_CONFIG",
    path,
    `${where}: expected a width that its heads divide, got ${width} and ${heads}. The configuration is damaged.`,
  );
}
