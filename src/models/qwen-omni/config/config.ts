// config.json of a Qwen2.5-Omni thinker, in both Hugging Face dialects (4.5x: rope_theta + rope_scaling, 5.x:
// rope_parameters) and both layouts (whole model with thinker_config, or the thinker alone), read into one typed value.
// Anything that would change numbers and is not implemented (YaRN, sliding windows, other activations) is refused.
import { z } from "zod";
import { CheckpointError } from "../../../tensor/error.ts";
import { requireKnownFields } from "../../checkpoint/config-fields.ts";
import {
  type DecoderConfig,
  decoderConfig,
  decoderSchema,
  depth,
  required,
  size,
  unsupported,
} from "../../decoder/config.ts";

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
  readonly text: DecoderConfig;
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

const id = z.number().int().nonnegative();
const ids = z.union([id, z.array(id)]);

const audioSchema = z.looseObject({
  num_mel_bins: size,
  d_model: size,
  encoder_layers: depth,
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
  num_hidden_layers: depth.nullish(),
});

const visionSchema = z.looseObject({
  depth,
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
  rope_parameters: z
    .looseObject({ rope_theta: z.literal(10000).nullish(), rope_type: z.enum(["axial", "default"]).nullish() })
    .nullish(),
});

const thinkerSchema = z.looseObject({
  audio_config: audioSchema,
  vision_config: visionSchema,
  text_config: decoderSchema,
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

/** Fields that are there and change nothing: of other readers, or said again elsewhere. */
const WITHOUT_EFFECT = {
  whole: ["enable_audio_output", "enable_talker", "thinker_config", "talker_config", "token2wav_config"],
  // Whether there is a head is told by the weights.
  thinker: ["user_token_id", "vision_token_id", "tie_word_embeddings"],
  audio: ["tie_word_embeddings"],
  vision: ["embed_dim", "spatial_patch_size", "tokens_per_second", "tie_word_embeddings"],
  text: ["tie_word_embeddings"],
};

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
      `expected model_type ${ARCHITECTURES.join(" or ")}, got ${JSON.stringify(type) ?? "none"}. Give a Qwen2.5-Omni folder.`,
    );
  }
  const thinker = type === "qwen2_5_omni" ? (json as { thinker_config?: unknown }).thinker_config : json;
  const parsed = thinkerSchema.safeParse(thinker);
  if (!parsed.success) {
    throw unsupported(parsed.error.issues, path, "thinker");
  }
  const raw = parsed.data;
  if (type === "qwen2_5_omni") requireKnownFields(json as Json, WITHOUT_EFFECT.whole, path, type);
  requireThinkerFields(raw, path);
  const stop = raw.eos_token_id ?? DEFAULT_STOP_ID;
  return {
    text: decoderConfig(raw.text_config, path, { where: "text_config", axes: 3 }),
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

type Json = Readonly<Record<string, unknown>>;

function requireThinkerFields(raw: z.infer<typeof thinkerSchema>, path: string): void {
  const { audio_config: audio, vision_config: vision, text_config: text } = raw;
  for (const [where, json, schema, others] of [
    ["thinker", raw, thinkerSchema, WITHOUT_EFFECT.thinker],
    ["audio_config", audio, audioSchema, WITHOUT_EFFECT.audio],
    ["vision_config", vision, visionSchema, WITHOUT_EFFECT.vision],
    ["text_config", text, decoderSchema, WITHOUT_EFFECT.text],
  ] as const) {
    requireKnownFields(json, [...Object.keys(schema.shape), ...others], path, where);
  }
  const layers = audio.num_hidden_layers ?? audio.encoder_layers;
  if (layers === audio.encoder_layers) return;
  const got = `${audio.encoder_layers} and ${layers}`;
  const message = `audio_config: expected encoder_layers and num_hidden_layers alike, got ${got}. They mean the same.`;
  throw new CheckpointError("ERR_CHECKPOINT_CONFIG", path, message);
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
