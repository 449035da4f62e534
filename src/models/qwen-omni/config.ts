// config.json of a Qwen2.5-Omni thinker, in both Hugging Face dialects (4.5x: rope_theta + rope_scaling, 5.x:
// rope_parameters) and both layouts (whole model with thinker_config, or the thinker alone), read into one typed value.
// Anything that would change numbers and is not implemented (YaRN, sliding windows, other activations) is refused.
import { z } from "zod";
import { CheckpointError } from "../../tensor/index.ts";

export interface TextConfig {
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly numHeads: number;
  readonly numKvHeads: number;
  readonly headDim: number;
  readonly intermediateSize: number;
  readonly vocabSize: number;
  readonly normEps: number;
  readonly ropeTheta: number;
  /** How many of the headDim / 2 rotary angles follow the time, height and width position. */
  readonly ropeSections: readonly [time: number, height: number, width: number];
}

export interface AudioConfig {
  readonly numMels: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly numHeads: number;
  readonly feedForwardSize: number;
  /** Half a chunk: the tower attends within chunks of 2 * windowFrames mel frames. */
  readonly windowFrames: number;
  readonly maxPositions: number;
  readonly outputSize: number;
}

export interface VisionConfig {
  readonly depth: number;
  readonly hiddenSize: number;
  readonly numHeads: number;
  readonly intermediateSize: number;
  readonly numChannels: number;
  readonly patchSize: number;
  readonly temporalPatchSize: number;
  readonly mergeSize: number;
  /** Side of an attention window in pixels. */
  readonly windowSize: number;
  readonly fullAttentionBlocks: readonly number[];
  readonly outputSize: number;
}

/** Ids that carry meaning for the model, not just for the tokenizer. */
export interface SpecialIds {
  readonly audio: number;
  readonly image: number;
  readonly video: number;
  readonly audioStart: number;
  readonly audioEnd: number;
  readonly visionStart: number;
  readonly visionEnd: number;
  readonly pad: number;
}

export interface ThinkerConfig {
  readonly text: TextConfig;
  readonly audio: AudioConfig;
  readonly vision: VisionConfig;
  readonly ids: SpecialIds;
  /** End-of-turn ids as the configuration names them; generation_config.json wins where it has them. */
  readonly stopIds: readonly number[];
  readonly positionsPerSecond: number;
  readonly secondsPerChunk: number;
  /** The thinker's JSON as it was read: what a save writes back. */
  readonly json: Readonly<Record<string, unknown>>;
}

const size = z.number().int().positive();
const id = z.number().int().nonnegative();
const ids = z.union([id, z.array(id)]);

const ropeSchema = z.looseObject({
  rope_theta: z.number().positive().optional(),
  rope_type: z.string().optional(),
  type: z.string().optional(),
  mrope_section: z.tuple([size, size, size]).optional(),
});

const textSchema = z.looseObject({
  hidden_size: size,
  num_hidden_layers: size,
  num_attention_heads: size,
  num_key_value_heads: size,
  head_dim: size.nullish(),
  intermediate_size: size,
  vocab_size: size,
  rms_norm_eps: z.number().positive(),
  hidden_act: z.literal("silu"),
  rope_theta: z.number().positive().nullish(),
  rope_scaling: ropeSchema.nullish(),
  rope_parameters: ropeSchema.nullish(),
  use_sliding_window: z.literal(false).nullish(),
  layer_types: z.array(z.literal("full_attention")).nullish(),
  attention_dropout: z.literal(0).nullish(),
});

const audioSchema = z.looseObject({
  num_mel_bins: size,
  d_model: size,
  encoder_layers: size,
  encoder_attention_heads: size,
  encoder_ffn_dim: size,
  n_window: size,
  max_source_positions: size,
  output_dim: size,
  activation_function: z.literal("gelu"),
  scale_embedding: z.literal(false).nullish(),
  dropout: z.literal(0).nullish(),
  attention_dropout: z.literal(0).nullish(),
  activation_dropout: z.literal(0).nullish(),
});

const visionSchema = z.looseObject({
  depth: size,
  hidden_size: size,
  num_heads: size,
  intermediate_size: size,
  hidden_act: z.literal("silu"),
  in_channels: size.optional(),
  in_chans: size.optional(),
  patch_size: size,
  temporal_patch_size: size,
  spatial_merge_size: size,
  window_size: size,
  fullatt_block_indexes: z.array(z.number().int().nonnegative()),
  out_hidden_size: size,
});

const thinkerSchema = z.looseObject({
  audio_config: audioSchema,
  vision_config: visionSchema,
  text_config: textSchema,
  audio_token_index: id.optional(),
  audio_token_id: id.optional(),
  image_token_index: id.optional(),
  image_token_id: id.optional(),
  video_token_index: id.optional(),
  video_token_id: id.optional(),
  audio_start_token_id: id,
  audio_end_token_id: id,
  vision_start_token_id: id,
  vision_end_token_id: id,
  pad_token_id: id.nullish(),
  eos_token_id: ids.nullish(),
  position_id_per_seconds: size,
  seconds_per_chunk: size,
});

const ARCHITECTURES = ["qwen2_5_omni", "qwen2_5_omni_thinker"];
const DEFAULT_PAD_ID = 151643;
const DEFAULT_STOP_ID = 151645;

/**
 * Reads the parsed config.json of `path` (named in errors).
 * @throws CheckpointError ERR_CHECKPOINT_ARCHITECTURE, ERR_CHECKPOINT_CONFIG
 */
export function parseConfig(json: unknown, path: string): ThinkerConfig {
  const type = (json as { model_type?: unknown } | null)?.model_type;
  if (typeof type !== "string" || !ARCHITECTURES.includes(type)) {
    throw new CheckpointError(
      "ERR_CHECKPOINT_ARCHITECTURE",
      path,
      `expected model_type ${ARCHITECTURES.join(" or ")}, got ${JSON.stringify(type) ?? "none"}. Give a Qwen2.5-Omni directory.`,
    );
  }
  const thinker = type === "qwen2_5_omni" ? (json as { thinker_config?: unknown }).thinker_config : json;
  const parsed = thinkerSchema.safeParse(thinker);
  if (!parsed.success) {
    const issues = parsed.error.issues
      .slice(0, 5)
      .map((issue) => `${issue.path.join(".") || "thinker"}: ${issue.message}`);
    throw new CheckpointError(
      "ERR_CHECKPOINT_CONFIG",
      path,
      `${issues.join("; ")}. This setting is not supported or is missing.`,
    );
  }
  const raw = parsed.data;
  const stop = raw.eos_token_id ?? DEFAULT_STOP_ID;
  return {
    text: textConfig(raw.text_config, path),
    audio: audioConfig(raw.audio_config),
    vision: visionConfig(raw.vision_config, path),
    ids: {
      audio: required(raw.audio_token_index ?? raw.audio_token_id, "audio_token_index", path),
      image: required(raw.image_token_index ?? raw.image_token_id, "image_token_index", path),
      video: required(raw.video_token_index ?? raw.video_token_id, "video_token_index", path),
      audioStart: raw.audio_start_token_id,
      audioEnd: raw.audio_end_token_id,
      visionStart: raw.vision_start_token_id,
      visionEnd: raw.vision_end_token_id,
      pad: raw.pad_token_id ?? DEFAULT_PAD_ID,
    },
    stopIds: typeof stop === "number" ? [stop] : stop,
    positionsPerSecond: raw.position_id_per_seconds,
    secondsPerChunk: raw.seconds_per_chunk,
    json: thinker as Record<string, unknown>,
  };
}

function textConfig(raw: z.infer<typeof textSchema>, path: string): TextConfig {
  const rope = raw.rope_parameters ?? raw.rope_scaling ?? {};
  const kind = rope.rope_type ?? rope.type ?? "default";
  // Hub files of the 4.4x era say "mrope" where later ones say "default"; both are plain angles with sections.
  if (kind !== "default" && kind !== "mrope") {
    throw new CheckpointError(
      "ERR_CHECKPOINT_CONFIG",
      path,
      `text_config rope type: expected "default", got ${JSON.stringify(kind)}. Long-context rope scaling is not implemented.`,
    );
  }
  const headDim = raw.head_dim ?? raw.hidden_size / raw.num_attention_heads;
  const sections = required(rope.mrope_section, "text_config.rope_scaling.mrope_section", path);
  const sum = sections[0] + sections[1] + sections[2];
  if (headDim % 2 !== 0 || sum !== headDim / 2) {
    throw new CheckpointError(
      "ERR_CHECKPOINT_CONFIG",
      path,
      `text_config mrope_section: expected a sum of head_dim / 2 = ${headDim / 2}, got [${sections.join(", ")}].`,
    );
  }
  if (raw.num_attention_heads % raw.num_key_value_heads !== 0) {
    throw new CheckpointError(
      "ERR_CHECKPOINT_CONFIG",
      path,
      `text_config: expected num_attention_heads a multiple of num_key_value_heads, got ${raw.num_attention_heads} and ${raw.num_key_value_heads}.`,
    );
  }
  return {
    hiddenSize: raw.hidden_size,
    numLayers: raw.num_hidden_layers,
    numHeads: raw.num_attention_heads,
    numKvHeads: raw.num_key_value_heads,
    headDim,
    intermediateSize: raw.intermediate_size,
    vocabSize: raw.vocab_size,
    normEps: raw.rms_norm_eps,
    ropeTheta: required(raw.rope_theta ?? rope.rope_theta, "text_config.rope_theta", path),
    ropeSections: sections,
  };
}

function audioConfig(raw: z.infer<typeof audioSchema>): AudioConfig {
  return {
    numMels: raw.num_mel_bins,
    hiddenSize: raw.d_model,
    numLayers: raw.encoder_layers,
    numHeads: raw.encoder_attention_heads,
    feedForwardSize: raw.encoder_ffn_dim,
    windowFrames: raw.n_window,
    maxPositions: raw.max_source_positions,
    outputSize: raw.output_dim,
  };
}

function visionConfig(raw: z.infer<typeof visionSchema>, path: string): VisionConfig {
  return {
    depth: raw.depth,
    hiddenSize: raw.hidden_size,
    numHeads: raw.num_heads,
    intermediateSize: raw.intermediate_size,
    numChannels: required(raw.in_channels ?? raw.in_chans, "vision_config.in_channels", path),
    patchSize: raw.patch_size,
    temporalPatchSize: raw.temporal_patch_size,
    mergeSize: raw.spatial_merge_size,
    windowSize: raw.window_size,
    fullAttentionBlocks: raw.fullatt_block_indexes,
    outputSize: raw.out_hidden_size,
  };
}

function required<T>(value: T | null | undefined, key: string, path: string): T {
  if (value === null || value === undefined) {
    throw new CheckpointError(
      "ERR_CHECKPOINT_CONFIG",
      path,
      `${key}: expected a value, got none. The configuration is incomplete.`,
    );
  }
  return value;
}
