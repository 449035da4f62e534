// The decoder's part of a Hugging Face config.json, shared by all architectures that have one: both dialects (4.5x:
// rope_theta + rope_scaling, 5.x: rope_parameters), read into one typed value. Long-context rope scaling, sliding windows
// and other activations are refused, because ignoring them would give other numbers.
import { z } from "zod";
import { CheckpointError } from "../../tensor/error.ts";
import { requireKnownFields } from "../checkpoint/config-fields.ts";

export interface DecoderConfig {
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly numHeads: number;
  readonly numKvHeads: number;
  readonly headDim: number;
  readonly intermediateSize: number;
  readonly vocabSize: number;
  readonly normEps: number;
  readonly ropeTheta: number;
  /**
   * How many of the headDim / 2 rotary angles follow each position axis: one entry where a token has one position, three
   * where it has one in time, height and width (TMRoPE).
   */
  readonly ropeSections: readonly number[];
}

/** A length, a width, a count: bounded, so that a damaged file is refused before anything of that size is made. */
export const size = z.number().int().positive().max(100_000_000);
/** A number of layers. */
export const depth = z.number().int().positive().max(1000);

const ropeSchema = z.looseObject({
  rope_theta: z.number().positive().optional(),
  rope_type: z.string().optional(),
  type: z.string().optional(),
  mrope_section: z.tuple([size, size, size]).optional(),
  partial_rotary_factor: z.literal(1).nullish(),
});

/** Of scaled rotations: without effect where the type is the plain one. */
const SCALED_ROPE_FIELDS = ["factor", "original_max_position_embeddings", "attention_factor", "beta_fast", "beta_slow"];

export const decoderSchema = z.looseObject({
  hidden_size: size,
  num_hidden_layers: depth,
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
  // Of sliding windows, which are off.
  sliding_window: z.unknown().optional(),
  max_window_layers: z.unknown().optional(),
  max_position_embeddings: z.unknown().optional(),
  partial_rotary_factor: z.literal(1).nullish(),
  attention_dropout: z.literal(0).nullish(),
});

const MAX_LISTED = 5;

/** What zod found, as one error. */
export function unsupported(
  issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
  path: string,
  where: string,
): CheckpointError {
  const texts = issues
    .slice(0, MAX_LISTED)
    .map((issue) => `${issue.path.map(String).join(".") || where}: ${issue.message}`);
  return new CheckpointError(
    "ERR_CHECKPOINT_CONFIG",
    path,
    `${texts.join("; ")}. This setting is not supported or is missing.`,
  );
}

/**
 * @param where the decoder's place in the file, for errors
 * @param axes 3 when angles follow time, height and width (mrope_section), 1 when all follow the token's place
 */
export function decoderConfig(
  raw: z.infer<typeof decoderSchema>,
  path: string,
  { where, axes }: { readonly where: string; readonly axes: 1 | 3 },
): DecoderConfig {
  const rope = raw.rope_parameters ?? raw.rope_scaling ?? {};
  for (const key of ["rope_parameters", "rope_scaling"] as const) {
    const known = [...Object.keys(ropeSchema.shape), ...SCALED_ROPE_FIELDS];
    requireKnownFields(raw[key] ?? {}, known, path, `${where}.${key}`);
  }
  const { rope_theta: theta, rope_parameters: newer, rope_scaling: older } = raw;
  if (theta && newer?.rope_theta && theta !== newer.rope_theta) {
    const got = `${theta} and ${newer.rope_theta}`;
    throw new CheckpointError(
      "ERR_CHECKPOINT_CONFIG",
      path,
      `${where}: expected one rope_theta, got ${got} in rope_parameters. Readers of either dialect would turn by another one.`,
    );
  }
  // Hub files of the 4.4x era say "mrope" where later ones say "default"; both are plain angles with sections.
  const kind = [newer?.rope_type, newer?.type, older?.rope_type, older?.type].find(
    (name) => (name ?? "default") !== "default" && name !== "mrope",
  );
  if (kind !== undefined) {
    throw new CheckpointError(
      "ERR_CHECKPOINT_CONFIG",
      path,
      `${where} rope type: expected "default", got ${JSON.stringify(kind)}. Long-context rope scaling is not implemented.`,
    );
  }
  const headDim = raw.head_dim ?? raw.hidden_size / raw.num_attention_heads;
  const sections: readonly number[] =
    axes === 1 ? [headDim / 2] : required(rope.mrope_section, `${where}.rope_scaling.mrope_section`, path);
  const sum = sections.reduce((total, count) => total + count, 0);
  if (headDim % 2 !== 0 || sum !== headDim / 2) {
    throw new CheckpointError(
      "ERR_CHECKPOINT_CONFIG",
      path,
      `${where} mrope_section: expected a sum of head_dim / 2 = ${headDim / 2}, got [${sections.join(", ")}].`,
    );
  }
  if (raw.num_attention_heads % raw.num_key_value_heads !== 0) {
    throw new CheckpointError(
      "ERR_CHECKPOINT_CONFIG",
      path,
      `${where}: expected num_attention_heads a multiple of num_key_value_heads, got ${raw.num_attention_heads} and ${raw.num_key_value_heads}.`,
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
    ropeTheta: required(raw.rope_theta ?? rope.rope_theta, `${where}.rope_theta`, path),
    ropeSections: sections,
  };
}

/**
 * A decoder's JSON with its rotary settings in both dialects: of a file of the 5.x era, transformers 4.5x would overlook
 * rope_parameters and turn by its own default, without a word.
 */
export function withBothRopeDialects(json: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { rope_parameters: rope, rope_theta: theta, rope_scaling: scaling } = json;
  if (typeof rope !== "object" || rope === null || theta !== undefined || scaling !== undefined) return { ...json };
  const { rope_theta, mrope_section } = rope as z.infer<typeof ropeSchema>;
  const sections = mrope_section && { rope_scaling: { mrope_section, rope_type: "default", type: "default" } };
  return { ...json, rope_theta, ...sections };
}

export function required<T>(value: T | null | undefined, key: string, path: string): T {
  if (value === null || value === undefined) {
    throw new CheckpointError(
      "ERR_CHECKPOINT_CONFIG",
      path,
      `${key}: expected a value, got none. The configuration is incomplete.`,
    );
  }
  return value;
}
