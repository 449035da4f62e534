// The parameters of a decoder by their checkpoint names, and which of a model's layers an adapter may change.
import { bias, norm, type ParameterSpec, residual, weight } from "../checkpoint/parameter-spec.ts";
import type { LinearShape } from "../lora/adapter.ts";
import type { DecoderConfig } from "./config.ts";

export const HEAD_NAME = "lm_head.weight";
export const EMBEDDING_NAME = "model.embed_tokens.weight";

/** What sets decoders apart. */
export interface DecoderVariant {
  /** Biases on q, k and v (Qwen2, Qwen2.5). */
  readonly attentionBias: boolean;
  /** Norms over every head of q and k (Qwen3). */
  readonly headNorms: boolean;
  /** Whether there is a head; "optional" ties it to the embedding where a file has none. */
  readonly head: "required" | "optional" | "none";
}

/** A decoder's parameters in checkpoint order. */
export function decoderSpecs(config: DecoderConfig, variant: DecoderVariant): ParameterSpec[] {
  const { hiddenSize: d, intermediateSize: f, vocabSize } = config;
  const queries = config.numHeads * config.headDim;
  const keys = config.numKvHeads * config.headDim;
  const specs: ParameterSpec[] = [{ name: EMBEDDING_NAME, shape: [vocabSize, d], role: "embedding" }];
  for (let i = 0; i < config.numLayers; i++) {
    const layer = `model.layers.${i}`;
    for (const [name, width] of [
      ["q_proj", queries],
      ["k_proj", keys],
      ["v_proj", keys],
    ] as const) {
      specs.push(weight(`${layer}.self_attn.${name}`, width, d));
      if (variant.attentionBias) specs.push(bias(`${layer}.self_attn.${name}`, width));
    }
    if (variant.headNorms) {
      specs.push(norm(`${layer}.self_attn.q_norm`, config.headDim), norm(`${layer}.self_attn.k_norm`, config.headDim));
    }
    specs.push(
      residual(`${layer}.self_attn.o_proj`, d, queries),
      weight(`${layer}.mlp.gate_proj`, f, d),
      weight(`${layer}.mlp.up_proj`, f, d),
      residual(`${layer}.mlp.down_proj`, d, f),
      norm(`${layer}.input_layernorm`, d),
      norm(`${layer}.post_attention_layernorm`, d),
    );
  }
  specs.push(norm("model.norm", d));
  if (variant.head !== "none") {
    specs.push({ ...weight("lm_head", vocabSize, d), optional: variant.head === "optional" });
  }
  return specs;
}

/** The linear layers that an adapter may change: everything that multiplies rows but the embedding and the head. */
export function linearLayers(specs: readonly ParameterSpec[]): LinearShape[] {
  return specs
    .filter(({ name, shape, role }) => shape.length === 2 && role !== "embedding" && name !== HEAD_NAME)
    .map(({ name, shape }) => ({
      name: name.slice(0, -".weight".length),
      inputs: shape[1]!,
      outputs: shape[0]!,
    }));
}
