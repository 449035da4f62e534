// Every parameter of a thinker: its checkpoint key (without `thinker.`), its shape and how a fresh one is drawn.
// This table is what a checkpoint is checked against, what a new model is made from, and what the counts come from.
import { bias, norm, type ParameterSpec, residual, weight } from "../checkpoint/parameter-spec.ts";
import { type DecoderVariant, decoderSpecs, HEAD_NAME } from "../decoder/parameters.ts";
import type { ModelPart } from "../omni-model.ts";
import type { AudioConfig, ThinkerConfig, VisionConfig } from "./config/config.ts";

const OMNI_DECODER: DecoderVariant = { attentionBias: true, headNorms: false, head: "optional" };

/** All parameters in checkpoint order. `lm_head.weight` may be absent from a file: it then equals the embedding. */
export function parameterSpecs(config: ThinkerConfig): ParameterSpec[] {
  return [...audioSpecs(config.audio), ...visionSpecs(config.vision), ...decoderSpecs(config.text, OMNI_DECODER)];
}

/** The name of a checkpoint key: `thinker.` is cut off; the speech parts of a whole model are not ours. */
export function thinkerKey(key: string): string | null {
  if (key.startsWith("talker.") || key.startsWith("token2wav.")) return null;
  return key.startsWith("thinker.") ? key.slice("thinker.".length) : key;
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

/** The part of a thinker that a parameter belongs to, or an adapter of one. */
export function partOf(name: string): ModelPart {
  if (name.startsWith("audio_tower.")) return "audio tower";
  if (name.startsWith("visual.")) return "vision tower";
  return name === HEAD_NAME ? "head" : "language model";
}

/** Of the layers that bring a tower's rows to the text's width. */
export function isProjector(name: string): boolean {
  return name.startsWith("visual.merger.") || name.startsWith("audio_tower.proj.");
}
