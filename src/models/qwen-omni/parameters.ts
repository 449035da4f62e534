// Every parameter of a thinker: its checkpoint key (without `thinker.`), its shape and how a fresh one is drawn.
// This table is what a checkpoint is checked against, what a new model is made from, and what the counts come from.
import { numElements, type ParameterSpec } from "../checkpoint/parameter-spec.ts";
import type { AudioConfig, TextConfig, ThinkerConfig, VisionConfig } from "./config.ts";

/** All parameters in checkpoint order. `lm_head.weight` may be absent from a file: it then equals the embedding. */
export function parameterSpecs(config: ThinkerConfig): ParameterSpec[] {
  return [...audioSpecs(config.audio), ...visionSpecs(config.vision), ...textSpecs(config.text)];
}

/** The name of a checkpoint key: `thinker.` is cut off; the speech parts of a whole model are not ours. */
export function thinkerKey(key: string): string | null {
  if (key.startsWith("talker.") || key.startsWith("token2wav.")) return null;
  return key.startsWith("thinker.") ? key.slice("thinker.".length) : key;
}

export const HEAD_NAME = "lm_head.weight";
export const EMBEDDING_NAME = "model.embed_tokens.weight";

function weight(name: string, ...shape: number[]): ParameterSpec {
  return { name: `${name}.weight`, shape, role: "weight" };
}

function residual(name: string, ...shape: number[]): ParameterSpec {
  return { name: `${name}.weight`, shape, role: "residual" };
}

function bias(name: string, width: number): ParameterSpec {
  return { name: `${name}.bias`, shape: [width], role: "zero" };
}

function norm(name: string, width: number): ParameterSpec {
  return { name: `${name}.weight`, shape: [width], role: "one" };
}

function audioSpecs(config: AudioConfig): ParameterSpec[] {
  const { hiddenSize: d, feedForwardSize: f } = config;
  const root = "audio_tower";
  const specs = [
    weight(`${root}.conv1`, d, config.numMels, 3),
    bias(`${root}.conv1`, d),
    weight(`${root}.conv2`, d, d, 3),
    bias(`${root}.conv2`, d),
    // Loaded and saved, never used by the thinker.
    { name: `${root}.audio_bos_eos_token.weight`, shape: [2, config.outputSize], role: "embedding" as const },
  ];
  for (let i = 0; i < config.numLayers; i++) {
    const layer = `${root}.layers.${i}`;
    const attention = `${layer}.self_attn`;
    specs.push(
      weight(`${attention}.k_proj`, d, d), // no bias: it would cancel in the softmax
      weight(`${attention}.v_proj`, d, d),
      bias(`${attention}.v_proj`, d),
      weight(`${attention}.q_proj`, d, d),
      bias(`${attention}.q_proj`, d),
      residual(`${attention}.out_proj`, d, d),
      bias(`${attention}.out_proj`, d),
      norm(`${layer}.self_attn_layer_norm`, d),
      bias(`${layer}.self_attn_layer_norm`, d),
      weight(`${layer}.fc1`, f, d),
      bias(`${layer}.fc1`, f),
      residual(`${layer}.fc2`, d, f),
      bias(`${layer}.fc2`, d),
      norm(`${layer}.final_layer_norm`, d),
      bias(`${layer}.final_layer_norm`, d),
    );
  }
  specs.push(
    norm(`${root}.ln_post`, d),
    bias(`${root}.ln_post`, d),
    weight(`${root}.proj`, config.outputSize, d),
    bias(`${root}.proj`, config.outputSize),
  );
  return specs;
}

function visionSpecs(config: VisionConfig): ParameterSpec[] {
  const { hiddenSize: d, intermediateSize: f, patchSize } = config;
  const merged = d * config.mergeSize ** 2;
  const root = "visual";
  const specs = [
    weight(`${root}.patch_embed.proj`, d, config.numChannels, config.temporalPatchSize, patchSize, patchSize),
  ];
  for (let i = 0; i < config.depth; i++) {
    const block = `${root}.blocks.${i}`;
    specs.push(norm(`${block}.norm1`, d), norm(`${block}.norm2`, d));
    for (const name of ["q", "k", "v"])
      specs.push(weight(`${block}.attn.${name}`, d, d), bias(`${block}.attn.${name}`, d));
    specs.push(residual(`${block}.attn.proj`, d, d), bias(`${block}.attn.proj`, d));
    for (const name of ["gate_proj", "up_proj"]) {
      specs.push(weight(`${block}.mlp.${name}`, f, d), bias(`${block}.mlp.${name}`, f));
    }
    specs.push(residual(`${block}.mlp.down_proj`, d, f), bias(`${block}.mlp.down_proj`, d));
  }
  specs.push(
    norm(`${root}.merger.ln_q`, d),
    weight(`${root}.merger.mlp.0`, merged, merged),
    bias(`${root}.merger.mlp.0`, merged),
    weight(`${root}.merger.mlp.2`, config.outputSize, merged),
    bias(`${root}.merger.mlp.2`, config.outputSize),
  );
  return specs;
}

/** What sets the decoders of the Qwen family apart. */
export interface DecoderVariant {
  /** Biases on q, k and v (Qwen2, Qwen2.5). */
  readonly attentionBias: boolean;
  /** Norms over every head of q and k (Qwen3). */
  readonly headNorms: boolean;
  /** Whether there is a head; "optional" ties it to the embedding where a file has none. */
  readonly head: "required" | "optional" | "none";
}

const OMNI_DECODER: DecoderVariant = { attentionBias: true, headNorms: false, head: "optional" };

export function textSpecs(config: TextConfig, variant: DecoderVariant = OMNI_DECODER): ParameterSpec[] {
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
export function linearLayers(specs: readonly ParameterSpec[]): { name: string; inputs: number; outputs: number }[] {
  return specs
    .filter(({ name, shape, role }) => shape.length === 2 && role !== "embedding" && name !== HEAD_NAME)
    .map(({ name, shape }) => ({
      name: name.slice(0, -".weight".length),
      inputs: shape[1]!,
      outputs: shape[0]!,
    }));
}

export type ThinkerPart = "audio" | "vision" | "text" | "head";

/** The part of a thinker that a parameter belongs to. */
export function partOf(name: string): ThinkerPart {
  if (name.startsWith("audio_tower.")) return "audio";
  if (name.startsWith("visual.")) return "vision";
  return name === HEAD_NAME ? "head" : "text";
}

/** Parameters of every part of a model. */
export function countParameters(config: ThinkerConfig): Record<ThinkerPart | "total", number> {
  const counts = { audio: 0, vision: 0, text: 0, head: 0, total: 0 };
  for (const { name, shape } of parameterSpecs(config)) {
    const count = numElements(shape);
    counts[partOf(name)] += count;
    counts.total += count;
  }
  return counts;
}
