// HumanOmni as an OmniModel: parameters, tokenizers, chat template and settings of one checkpoint, and the calls that the method
// makes; the same with a LoRA adapter over the weights. The work is in the files beside it.
import { createHash } from "node:crypto";
import type { MediaClip, ModalityMask } from "../../media/clip.ts";
import type { PictureFit, VideoFit } from "../../media/fit.ts";
import { applyMask } from "../../media/mask.ts";
import type { FrameSamplingOptions } from "../../media/sampling.ts";
import type { DType, Tensor } from "../../tensor/index.ts";
import { linearLayers } from "../decoder/parameters.ts";
import type { WeightSource } from "../decoder/projection.ts";
import type { LinearShape, LoraAdapter } from "../lora/adapter.ts";
import type {
  AdaptedModel,
  ChatOptions,
  ChatTurn,
  ClipRows,
  ClipShape,
  ModelPart,
  ModelPrompt,
  OmniModel,
  PromptTokens,
  SampledCompletion,
  SampleOptions,
  Trunk,
  TrunkOptions,
} from "../omni-model.ts";
import { type Checkpoint, writeCheckpoint } from "./checkpoint.ts";
import { encodeClips, type HumanOmniFeatures, type HumanOmniShape, shapeOf } from "./clips.ts";
import { chatTokens, layouts, type PromptMaker, promptTokens } from "./conversation.ts";
import { headLogits, hiddenStates, sampled, trunkOf } from "./language.ts";
import { isProjector, parameterSpecs, partOf } from "./parameters.ts";
import { createFeatureExtractor, fitClip, fitImage, type MediaSettings } from "./processor.ts";
import type { HumanOmniTokens } from "./prompt.ts";

/** Everything but the parameters that a model is made of. */
export interface HumanOmniParts extends PromptMaker {
  readonly checkpoint: Checkpoint;
  readonly media: MediaSettings;
  readonly stopIds: readonly number[];
}

export class HumanOmni implements OmniModel {
  readonly layouts = layouts;
  readonly videoTime = null;
  readonly directory: string;
  readonly notices: readonly string[];
  readonly device: string;
  readonly dtype: DType;
  readonly vocabSize: number;
  readonly stopIds: readonly number[];
  readonly fitKey: string;
  readonly parts: HumanOmniParts;
  /** Rows of the vocabulary without a token. */
  private readonly bannedIds: readonly number[];
  private readonly extract: (fitted: MediaClip) => HumanOmniFeatures;

  constructor(parts: HumanOmniParts) {
    const { config, directory, notices, parameters } = parts.checkpoint;
    this.parts = parts;
    this.directory = directory;
    this.notices = notices;
    const first = parameters.values().next().value!;
    this.device = first.device;
    this.dtype = first.dtype;
    this.vocabSize = config.text.vocabSize;
    this.stopIds = parts.stopIds;
    this.fitKey = createHash("sha256").update(JSON.stringify(parts.media)).digest("hex");
    const { vocabSize } = parts.tokenizer;
    const untrained = Math.max(0, this.vocabSize - vocabSize);
    this.bannedIds = Array.from({ length: untrained }, (_, i) => vocabSize + i);
    this.extract = createFeatureExtractor(config, parts.media);
  }

  parameters(): ReadonlyMap<string, Tensor> {
    return this.parts.checkpoint.parameters;
  }

  partOf(parameter: string): ModelPart {
    return partOf(parameter);
  }

  isProjector(parameter: string): boolean {
    return isProjector(parameter);
  }

  get sampling(): FrameSamplingOptions {
    const { parts } = this.parts.media.fit;
    return parts === undefined ? {} : { parts };
  }

  get fitting(): VideoFit {
    return this.parts.media.fit;
  }

  get imageRange(): PictureFit {
    return this.parts.media.fit.square;
  }

  /** What the layers multiply with. */
  protected weights(): WeightSource {
    return this.parts.checkpoint.parameters;
  }

  /** The same to learn from. */
  protected learningWeights(): WeightSource {
    return this.weights();
  }

  fitClip(clip: MediaClip): MediaClip {
    return fitClip(clip, this.parts.media);
  }

  fitImage(image: MediaClip): MediaClip {
    return fitImage(image, this.parts.media);
  }

  features(fitted: MediaClip, masks: readonly ModalityMask[] = []): HumanOmniFeatures {
    return this.extract(masks.reduce((view, mask) => applyMask(view, mask), fitted));
  }

  shapeOf(features: HumanOmniFeatures): HumanOmniShape {
    return shapeOf(features);
  }

  encode(features: readonly HumanOmniFeatures[]): ClipRows[] {
    return encodeClips(this.weights(), this.parts.checkpoint.config, features);
  }

  promptTokens(text: string, shape: ClipShape, options: { system?: string } = {}): HumanOmniTokens {
    return promptTokens(text, shape, options.system, this.parts);
  }

  chatTokens(turns: readonly ChatTurn[], options: ChatOptions = {}): HumanOmniTokens {
    return chatTokens(turns, options, this.parts);
  }

  promptHead(prompt: PromptTokens, length: number): HumanOmniTokens {
    return { ...prompt, ids: prompt.ids.slice(0, length) } as HumanOmniTokens;
  }

  encodeText(text: string): Int32Array {
    return this.parts.tokenizer.encode(text);
  }

  decodePieces(ids: Int32Array): string[] {
    return this.parts.tokenizer.decodePieces(ids);
  }

  hidden(prompts: readonly ModelPrompt[], completions: readonly (readonly Int32Array[])[]): Tensor {
    return hiddenStates(this.weights(), this.parts.checkpoint.config, prompts, completions);
  }

  trunk(
    prompts: readonly ModelPrompt[],
    completions: readonly (readonly Int32Array[])[],
    options: TrunkOptions = {},
  ): Trunk {
    return trunkOf(this.learningWeights(), this.parts.checkpoint.config, prompts, completions, options);
  }

  logits(hidden: Tensor): Tensor {
    return headLogits(this.weights(), hidden);
  }

  sample(prompts: readonly ModelPrompt[], options: SampleOptions): SampledCompletion[][] {
    const { bannedIds, stopIds } = this;
    return sampled(this.weights(), this.parts.checkpoint.config, prompts, options, { bannedIds, stopIds });
  }

  linearLayers(): readonly LinearShape[] {
    return linearLayers(parameterSpecs(this.parts.checkpoint.config).filter(({ isUnused }) => isUnused !== true));
  }

  withAdapter(adapter: LoraAdapter): AdaptedHumanOmni {
    return new AdaptedHumanOmni(this, adapter);
  }

  /** Writes the model as a directory of its own. */
  save(directory: string): void {
    writeCheckpoint(directory, this.parts.checkpoint);
  }

  [Symbol.dispose](): void {
    const { parameters, unused } = this.parts.checkpoint;
    for (const parameter of [...parameters.values(), ...unused.values()]) parameter.dispose();
  }
}

/** What learns and what is saved is the adapter. */
export class AdaptedHumanOmni extends HumanOmni implements AdaptedModel {
  readonly base: HumanOmni;
  readonly adapter: LoraAdapter;

  /** Borrows the base, which must outlive it, and owns the adapter. */
  constructor(base: HumanOmni, adapter: LoraAdapter) {
    super(base.parts);
    this.base = base;
    this.adapter = adapter;
  }

  /** The adapter's. */
  override parameters(): ReadonlyMap<string, Tensor> {
    return this.adapter.parameters();
  }

  /** Writes the adapter as PEFT does. */
  override save(directory: string): void {
    this.adapter.save(directory);
  }

  saveMerged(directory: string): void {
    writeCheckpoint(directory, this.parts.checkpoint, (name, weight) => this.adapter.merged(name, weight));
  }

  override [Symbol.dispose](): void {
    this.adapter[Symbol.dispose]();
  }

  protected override weights(): WeightSource {
    return this.withPass(null);
  }

  protected override learningWeights(): WeightSource {
    return this.withPass(this.adapter.nextPass());
  }

  private withPass(pass: number | null): WeightSource {
    return this.adapter.over(this.base.parameters(), pass);
  }
}
