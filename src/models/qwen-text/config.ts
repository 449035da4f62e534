// config.json of a text model of the Qwen family: Qwen2 and Qwen2.5 (biases on q, k, v), Qwen3 and Qwen3-Embedding (norms
// per head, a head dimension of its own). Whether the head is tied to the embedding is in the file.
import { z } from "zod";
import { CheckpointError } from "../../tensor/error.ts";
import { type DecoderConfig, decoderConfig, decoderSchema, unsupported } from "../decoder/config.ts";
import type { DecoderVariant } from "../decoder/parameters.ts";

export interface TextModelConfig {
  readonly family: "qwen2" | "qwen3";
  readonly text: DecoderConfig;
  readonly variant: DecoderVariant;
  /** End-of-sequence ids as the configuration names them; generation_config.json wins where it has them. */
  readonly stopIds: readonly number[];
  readonly maxPositions: number;
  /** The JSON as it was read: what a save writes back. */
  readonly json: Readonly<Record<string, unknown>>;
}

const id = z.number().int().nonnegative();

const textModelSchema = decoderSchema.extend({
  architectures: z.array(z.string()).nullish(),
  tie_word_embeddings: z.boolean().nullish(),
  attention_bias: z.literal(false).nullish(),
  max_position_embeddings: z.number().int().positive(),
  eos_token_id: z.union([id, z.array(id)]).nullish(),
});

const DEFAULT_STOP_ID = 151645;

/**
 * Reads the parsed config.json of `path` (named in errors).
 * @throws CheckpointError ERR_CHECKPOINT_ARCHITECTURE, ERR_CHECKPOINT_CONFIG
 */
export function parseTextConfig(json: Record<string, unknown>, path: string): TextModelConfig {
  const family = json.model_type;
  if (family !== "qwen2" && family !== "qwen3") {
    throw new CheckpointError(
      "ERR_CHECKPOINT_ARCHITECTURE",
      path,
      `expected model_type qwen2 or qwen3, got ${JSON.stringify(family) ?? "none"}. Give a Qwen2, Qwen2.5 or Qwen3-Embedding directory.`,
    );
  }
  const parsed = textModelSchema.safeParse(json);
  if (!parsed.success) throw unsupported(parsed.error.issues, path, family);
  const raw = parsed.data;
  const text = decoderConfig(raw, path, { where: family, axes: 1 });
  const hasHead = raw.architectures?.some((name) => name.endsWith("ForCausalLM")) ?? true;
  const isTied = raw.tie_word_embeddings ?? false;
  const stop = raw.eos_token_id ?? DEFAULT_STOP_ID;
  return {
    family,
    text,
    variant: {
      attentionBias: family === "qwen2",
      headNorms: family === "qwen3",
      head: isTied || !hasHead ? "none" : "required",
    },
    stopIds: typeof stop === "number" ? [stop] : stop,
    maxPositions: raw.max_position_embeddings,
    json,
  };
}
