// Every parameter of HumanOmni: its checkpoint key, its shape, how a fresh one is drawn, and whether anything reads it. What a
// checkpoint is checked against, what a new model is made from, and what the counts come from.
import { bias, norm, type ParameterSpec, residual, weight } from "../checkpoint/parameter-spec.ts";
import { decoderSpecs, HEAD_NAME } from "../decoder/parameters.ts";
import type { ModelPart } from "../omni-model.ts";
import type { AudioConfig, HumanOmniConfig, QuestionConfig, VisionConfig } from "./config/config.ts";
import type { TowerKind } from "./config/towers.ts";

export const VISION = "model.vision_tower.vision_tower.vision_model";
export const AUDIO = "model.audio_tower.audio_tower.encoder";
export const QUESTION = "model.bert_model";
export const GATE = "model.bert_gate";
export const PROJECTOR = "model.mm_projector";
export const AUDIO_PROJECTOR = "model.audio_projector";
/** Of the gate's middle layer, for every size. */
const GATE_WIDTH = 3584;
/** Token lists that the gate weighs. */
export const NUM_LISTS = 3;
/** Labels of Whisper's classifier. */
const NUM_LABELS = 2;

/** What the keys of a tower begin with; of the towers' heads too. */
export const towerRoots: Readonly<Record<TowerKind, string>> = {
  vision: `${VISION}.`,
  audio: "model.audio_tower.audio_tower.",
  question: `${QUESTION}.`,
};

/** All parameters in checkpoint order. */
export function parameterSpecs(config: HumanOmniConfig): ParameterSpec[] {
  const variant = { attentionBias: true, headNorms: false, head: config.isTied ? "none" : "required" } as const;
  const { text, vision, audio, question } = config;
  return [
    ...decoderSpecs(text, variant),
    ...visionSpecs(vision),
    ...projectorSpecs(config),
    ...questionSpecs(question),
    ...twoLayers(GATE, GATE_WIDTH, question.hiddenSize, NUM_LISTS),
    ...audioSpecs(audio),
    ...twoLayers(AUDIO_PROJECTOR, text.hiddenSize, audio.hiddenSize, text.hiddenSize),
  ];
}

/** The name of a checkpoint key. A head that is tied is no other than the embedding; tables of places are no parameters. */
export function humanOmniKey({ isTied }: Pick<HumanOmniConfig, "isTied">): (key: string) => string | null {
  return (key) => {
    if (key === HEAD_NAME) return isTied ? null : key;
    return key.endsWith(".position_ids") || /\bvlm_(query|key)_projector\b/.test(key) ? null : key;
  };
}

/** The part that a parameter belongs to, or an adapter of one. */
export function partOf(name: string): ModelPart {
  if (isUnused(name)) return "unused heads";
  if (name.startsWith("model.audio_")) return "audio tower";
  if (name.startsWith("model.vision_tower.") || name.startsWith(`${PROJECTOR}.`)) return "vision tower";
  if (name.startsWith(`${QUESTION}.`)) return "question encoder";
  if (name.startsWith(`${GATE}.`)) return "gate";
  return name === HEAD_NAME ? "head" : "language model";
}

/** Of the layers between towers and language model; the gate is one. */
export function isProjector(name: string): boolean {
  return [PROJECTOR, AUDIO_PROJECTOR, GATE].some((root) => name.startsWith(`${root}.`));
}

/** Heads of what the towers were trained for. */
function isUnused(name: string): boolean {
  const roots = [
    `${VISION}.head.`,
    `${QUESTION}.pooler.`,
    `${towerRoots.audio}projector.`,
    `${towerRoots.audio}classifier.`,
  ];
  return roots.some((root) => name.startsWith(root));
}

function unused(...specs: readonly ParameterSpec[]): ParameterSpec[] {
  return specs.map((spec) => ({ ...spec, optional: true, isUnused: true }));
}

function linear(name: string, outputs: number, inputs: number): ParameterSpec[] {
  return [weight(name, outputs, inputs), bias(name, outputs)];
}

function layerNorm(name: string, width: number): ParameterSpec[] {
  return [norm(name, width), bias(name, width)];
}

function table(name: string, rows: number, width: number): ParameterSpec {
  return { name: `${name}.weight`, shape: [rows, width], role: "embedding" };
}

function twoLayers(name: string, middle: number, inputs: number, outputs: number): ParameterSpec[] {
  return [...linear(`${name}.0`, middle, inputs), ...linear(`${name}.2`, outputs, middle)];
}

function visionSpecs(config: VisionConfig): ParameterSpec[] {
  const { hiddenSize: d, feedForwardSize: f, patchSize, imageSize, numUsedLayers } = config;
  const layers = Array.from({ length: config.numLayers }, (_, i): ParameterSpec[] => {
    const layer = `${VISION}.encoder.layers.${i}`;
    const specs = [
      ...layerNorm(`${layer}.layer_norm1`, d),
      ...["k_proj", "v_proj", "q_proj"].flatMap((name) => linear(`${layer}.self_attn.${name}`, d, d)),
      ...[residual(`${layer}.self_attn.out_proj`, d, d), bias(`${layer}.self_attn.out_proj`, d)],
      ...layerNorm(`${layer}.layer_norm2`, d),
      ...linear(`${layer}.mlp.fc1`, f, d),
      ...[residual(`${layer}.mlp.fc2`, d, f), bias(`${layer}.mlp.fc2`, d)],
    ];
    return i < numUsedLayers ? specs : unused(...specs);
  });
  const head = `${VISION}.head`;
  return [
    weight(`${VISION}.embeddings.patch_embedding`, d, 3, patchSize, patchSize),
    bias(`${VISION}.embeddings.patch_embedding`, d),
    table(`${VISION}.embeddings.position_embedding`, Math.floor(imageSize / patchSize) ** 2, d),
    ...layers.flat(),
    ...unused(
      ...layerNorm(`${VISION}.post_layernorm`, d),
      { name: `${head}.probe`, shape: [1, 1, d], role: "weight" },
      { name: `${head}.attention.in_proj_weight`, shape: [3 * d, d], role: "weight" },
      { name: `${head}.attention.in_proj_bias`, shape: [3 * d], role: "zero" },
      ...linear(`${head}.attention.out_proj`, d, d),
      ...layerNorm(`${head}.layernorm`, d),
      ...linear(`${head}.mlp.fc1`, f, d),
      ...linear(`${head}.mlp.fc2`, d, f),
    ),
  ];
}

/** Example: squeezeWidth(768) is 192. Halves go to the even neighbour, as Python rounds. */
function squeezeWidth(inputs: number): number {
  const quarter = inputs / 4;
  const low = Math.floor(quarter);
  if (quarter - low !== 0.5) return Math.round(quarter);
  return low % 2 === 0 ? low : low + 1;
}

function blockSpecs(name: string, inputs: number, width: number): ParameterSpec[] {
  const inner = squeezeWidth(inputs);
  const convolution = (part: string, ...shape: number[]) => [
    weight(`${name}.${part}.conv`, ...shape),
    ...layerNorm(`${name}.${part}.bn`, width),
  ];
  return [
    ...convolution("conv1", width, inputs, 1, 1),
    ...convolution("conv2", width, 1, 3, 3),
    ...[weight(`${name}.se.fc1`, inner, width, 1, 1), bias(`${name}.se.fc1`, inner)],
    ...[weight(`${name}.se.fc2`, width, inner, 1, 1), bias(`${name}.se.fc2`, width)],
    ...convolution("conv3", width, width, 1, 1),
    ...(inputs === width ? [] : convolution("downsample", width, inputs, 1, 1)),
  ];
}

function projectorSpecs({ vision, text, projector }: HumanOmniConfig): ParameterSpec[] {
  const { hiddenSize: width } = text;
  const stage = (name: string, inputs: number) =>
    Array.from({ length: projector.depth }, (_, i) =>
      blockSpecs(`${PROJECTOR}.${name}.b${i + 1}`, i === 0 ? inputs : width, width),
    ).flat();
  const both = (specs: (branch: string) => readonly ParameterSpec[]) => ["video", "body"].flatMap(specs);
  return [
    ...both((branch) => stage(`s1_${branch}`, vision.hiddenSize)),
    ...both((branch) => [
      weight(`${PROJECTOR}.sampler_${branch}.0`, width, width, 2, 2, 2),
      bias(`${PROJECTOR}.sampler_${branch}.0`, width),
    ]),
    ...both((branch) => stage(`s2_${branch}`, width)),
    ...both((branch) => twoLayers(`${PROJECTOR}.readout_${branch}`, width, width, width)),
    ...twoLayers(`${PROJECTOR}.mlp_2xgelu_face`, width, vision.hiddenSize, width),
  ];
}

function questionSpecs(config: QuestionConfig): ParameterSpec[] {
  const { hiddenSize: d, feedForwardSize: f } = config;
  const layers = Array.from({ length: config.numLayers }, (_, i): ParameterSpec[] => {
    const layer = `${QUESTION}.encoder.layer.${i}`;
    return [
      ...["query", "key", "value"].flatMap((name) => linear(`${layer}.attention.self.${name}`, d, d)),
      ...linear(`${layer}.attention.output.dense`, d, d),
      ...layerNorm(`${layer}.attention.output.LayerNorm`, d),
      ...linear(`${layer}.intermediate.dense`, f, d),
      ...linear(`${layer}.output.dense`, d, f),
      ...layerNorm(`${layer}.output.LayerNorm`, d),
    ];
  });
  return [
    table(`${QUESTION}.embeddings.word_embeddings`, config.vocabSize, d),
    table(`${QUESTION}.embeddings.position_embeddings`, config.maxPositions, d),
    table(`${QUESTION}.embeddings.token_type_embeddings`, config.numTypes, d),
    ...layerNorm(`${QUESTION}.embeddings.LayerNorm`, d),
    ...layers.flat(),
    ...unused(...linear(`${QUESTION}.pooler.dense`, d, d)),
  ];
}

function audioSpecs(config: AudioConfig): ParameterSpec[] {
  const { hiddenSize: d, feedForwardSize: f, numMels, classifierSize } = config;
  const layers = Array.from({ length: config.numLayers }, (_, i): ParameterSpec[] => {
    const layer = `${AUDIO}.layers.${i}`;
    return [
      weight(`${layer}.self_attn.k_proj`, d, d), // no bias: it would cancel in the softmax
      ...linear(`${layer}.self_attn.v_proj`, d, d),
      ...linear(`${layer}.self_attn.q_proj`, d, d),
      ...[residual(`${layer}.self_attn.out_proj`, d, d), bias(`${layer}.self_attn.out_proj`, d)],
      ...layerNorm(`${layer}.self_attn_layer_norm`, d),
      ...linear(`${layer}.fc1`, f, d),
      ...[residual(`${layer}.fc2`, d, f), bias(`${layer}.fc2`, d)],
      ...layerNorm(`${layer}.final_layer_norm`, d),
    ];
  });
  return [
    ...[weight(`${AUDIO}.conv1`, d, numMels, 3), bias(`${AUDIO}.conv1`, d)],
    ...[weight(`${AUDIO}.conv2`, d, d, 3), bias(`${AUDIO}.conv2`, d)],
    table(`${AUDIO}.embed_positions`, config.maxPositions, d),
    ...layers.flat(),
    ...layerNorm(`${AUDIO}.layer_norm`, d),
    ...unused(
      ...linear(`${towerRoots.audio}projector`, classifierSize, d),
      ...linear(`${towerRoots.audio}classifier`, NUM_LABELS, classifierSize),
    ),
  ];
}
