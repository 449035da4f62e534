// config.json of a text model of the Qwen family: Qwen2 and Qwen2.5 (biases on q, k, v), Qwen3 and Qwen3-Embedding (norms
// per head, a head dimension of its own). Whether the head is tied to the embedding is in the file.
import { z } from "zod";
import { CheckpointError } from "../../tensor/error.ts";
import { requireKnownFields } from "../checkpoint/config-fields.ts";
import { type DecoderConfig, decoderConfig, decoderSchema, unsupported } from "../decoder/config.ts";
import type { DecoderVariant } from "../decoder/parameters.ts";

export interface TextModelConfig {
  readonly family: "qwen2" | "qwen3";
  readonly text: DecoderConfig;
  readonly variant: DecoderVariant;
  /** End-of-sequence ids as the configuration names them; generation_config.json wins where it has them. */
  readonly stopIds: readonly number[];
  readonly maxPositions: number;
  /** False: every token of a text also sees what comes after it (gte-Qwen2-instruct). */
  readonly isCausal: boolean;
  /** The JSON as it was read: what a save writes back. */
  readonly json: Readonly<Record<string, unknown>>;
}

const id = z.number().int().nonnegative();

/**
 * What an untied head is to whoever reads a model. An embedder has no use for one, and files of embedders often leave it
 * out whatever config.json says (Qwen3-Embedding-8B); without it a model writes no text.
 */
export type HeadUse = "required" | "optional" | "none";

const textModelSchema = decoderSchema.extend({
  architectures: z.array(z.string()).nullish(),
  tie_word_embeddings: z.boolean().nullish(),
  // Qwen2 has its biases whatever is written here.
  attention_bias: z.boolean().nullish(),
  is_causal: z.boolean().nullish(),
  max_position_embeddings: z.number().int().positive(),
  eos_token_id: z.union([id, z.array(id)]).nullish(),
});

const DEFAULT_STOP_ID = 151645;

/**
 * Reads the parsed config.json of `path` (named in errors).
 * @param head required: as a model that writes texts, which must then be causal
 * @throws CheckpointError ERR_CHECKPOINT_ARCHITECTURE, ERR_CHECKPOINT_CONFIG
 */
export function parseTextConfig(
  json: Record<string, unknown>,
  path: string,
  head: HeadUse = "optional",
): TextModelConfig {
  const family = json.model_type;
  if (family !== "qwen2" && family !== "qwen3") {
    throw new CheckpointError(
      "ERR_CHECKPOINT_ARCHITECTURE",
      path,
      `expected model_type qwen2 or qwen3, got ${JSON.stringify(family) ?? "none"}. Give a Qwen2, Qwen2.5 or Qwen3-Embedding folder.`,
    );
  }
  const parsed = textModelSchema.safeParse(json);
  if (!parsed.success) throw unsupported(parsed.error.issues, path, family);
  const raw = parsed.data;
  requireKnownFields(json, Object.keys(textModelSchema.shape), path, family);
  if (family === "qwen3" && raw.attention_bias === true) {
    throw refusal(path, "attention_bias: expected false, got true. Biases of Qwen3 are not implemented.");
  }
  const isCausal = raw.is_causal ?? true;
  if (head === "required" && !isCausal) {
    throw refusal(path, "is_causal: expected true of a model that writes texts, got false. Use it as an embedder.");
  }
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
      head: isTied || !hasHead ? "none" : head,
    },
    stopIds: typeof stop === "number" ? [stop] : stop,
    maxPositions: raw.max_position_embeddings,
    isCausal,
    json,
  };
}

function refusal(path: string, message: string): CheckpointError {
  return new CheckpointError("ERR_CHECKPOINT_CONFIG", path, message);
}
