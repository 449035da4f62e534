// The Qwen2.5-Omni thinker as an OmniModel: parameters, tokenizer, chat template and settings of one checkpoint, and the
// calls that the method makes; the same with a LoRA adapter over the weights. The work is in the files beside it.
// B prompts, G completions per prompt, N completions, C completion tokens, D width, V vocabulary

import { createHash } from "node:crypto";
import type { MediaClip, ModalityMask } from "../../media/clip.ts";
import type { PixelRange, VideoFit } from "../../media/fit.ts";
import type { FrameSamplingOptions } from "../../media/sampling.ts";
import { type DType, noGrad, op, scope, type Tensor } from "../../tensor/index.ts";
import type { ChatTemplate } from "../../text/chat-template.ts";
import type { TextTokenizer } from "../../text/tokenizer.ts";
import { requireCompletions } from "../decoder/completions.ts";
import { generate } from "../decoder/generate.ts";
import { type LanguageModel, languageModel, runBranches, runPrefix } from "../decoder/language.ts";
import { decoderLayer, decoderLayers } from "../decoder/layers.ts";
import { EMBEDDING_NAME, HEAD_NAME, linearLayers } from "../decoder/parameters.ts";
import type { WeightSource } from "../decoder/projection.ts";
import { type DecoderPrompt, headOf } from "../decoder/prompt.ts";
import { graphTrunkOf, recomputedTrunk } from "../decoder/trunk.ts";
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
  SampledCompletion,
  SampleOptions,
  Trunk,
  TrunkOptions,
  VideoTime,
} from "../omni-model.ts";
import { type Checkpoint, writeCheckpoint } from "./checkpoint.ts";
import { encodeClips, shapeOf, type ThinkerFeatures, type ThinkerShape, type ThinkerTokens } from "./clips.ts";
import type { ThinkerConfig } from "./config/config.ts";
import { chatTokens, layouts, type PromptMaker, promptTokens } from "./conversation.ts";
import { isProjector, parameterSpecs, partOf } from "./parameters.ts";
import { createFeatureExtractor, fitClip, fitImage, type VideoSettings, videoFit } from "./processor.ts";
import { decoderPrompts, mediaIds } from "./prompt.ts";

/** Everything but the parameters that a thinker is made of. */
export interface ThinkerParts {
  readonly checkpoint: Checkpoint;
  readonly tokenizer: TextTokenizer;
  readonly template: ChatTemplate;
  readonly video: VideoSettings;
  readonly videoTime: VideoTime;
  /** Of a picture. */
  readonly image: PixelRange;
  readonly stopIds: readonly number[];
}

export class Thinker implements OmniModel {
  readonly layouts = layouts;
  readonly notices: readonly string[] = [];
  readonly directory: string;
  readonly device: string;
  readonly dtype: DType;
  readonly vocabSize: number;
  readonly stopIds: readonly number[];
  readonly fitKey: string;
  readonly config: ThinkerConfig;
  readonly parts: ThinkerParts;
  private readonly bannedIds: readonly number[];
  private readonly extract: ReturnType<typeof createFeatureExtractor>;

  constructor(parts: ThinkerParts) {
    const { config, directory, parameters } = parts.checkpoint;
    this.parts = parts;
    this.directory = directory;
    const first = parameters.values().next().value!;
    this.device = first.device;
    this.dtype = first.dtype;
    this.config = config;
    this.vocabSize = config.text.vocabSize;
    this.stopIds = parts.stopIds;
    this.fitKey = createHash("sha256").update(JSON.stringify(parts.video)).digest("hex");
    const untrained = Math.max(0, this.vocabSize - parts.tokenizer.vocabSize);
    this.bannedIds = [
      ...mediaIds(config.ids),
      ...Array.from({ length: untrained }, (_, i) => parts.tokenizer.vocabSize + i),
    ];
    this.extract = createFeatureExtractor(parts.videoTime);
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
    const { fps, minFrames, maxFrames } = this.parts.video;
    return { fps, minFrames, maxFrames };
  }

  get fitting(): VideoFit {
    return videoFit(this.parts.video);
  }

  get videoTime(): VideoTime {
    return this.parts.videoTime;
  }

  get imageRange(): PixelRange {
    return this.parts.image;
  }

  /** What the layers multiply with. */
  protected weights(): WeightSource {
    return this.parts.checkpoint.parameters;
  }

  /** The same for one pass that is learned from. */
  protected learningWeights(): WeightSource {
    return this.weights();
  }

  fitClip(clip: MediaClip): MediaClip {
    return fitClip(clip, this.parts.video);
  }

  fitImage(image: MediaClip): MediaClip {
    return fitImage(image, this.parts.image);
  }

  features(fitted: MediaClip, masks: readonly ModalityMask[] = []): ThinkerFeatures {
    return this.extract(fitted, masks);
  }

  shapeOf(features: ThinkerFeatures): ThinkerShape {
    return shapeOf(features);
  }

  encode(features: readonly ThinkerFeatures[]): ClipRows[] {
    return encodeClips(this.weights(), this.config, features);
  }

  promptTokens(text: string, shape: ClipShape, options: { system?: string } = {}): ThinkerTokens {
    return promptTokens(text, shape, options.system, this.promptMaker());
  }

  chatTokens(turns: readonly ChatTurn[], options: ChatOptions = {}): ThinkerTokens {
    return chatTokens(turns, options, this.promptMaker());
  }

  promptHead(prompt: ThinkerTokens, length: number): ThinkerTokens {
    return { ...headOf(prompt, length), lens: "" } as ThinkerTokens;
  }

  encodeText(text: string): Int32Array {
    return this.parts.tokenizer.encode(text);
  }

  decodePieces(ids: Int32Array): string[] {
    return this.parts.tokenizer.decodePieces(ids);
  }

  hidden(prompts: readonly ModelPrompt[], completions: readonly (readonly Int32Array[])[]): Tensor {
    requireCompletions(prompts.length, completions);
    return scope(() => {
      const model = this.language();
      return runBranches(model, runPrefix(model, this.placed(prompts)), completions);
    });
  }

  trunk(
    prompts: readonly ModelPrompt[],
    completions: readonly (readonly Int32Array[])[],
    options: TrunkOptions = {},
  ): Trunk {
    requireCompletions(prompts.length, completions);
    const weights = this.learningWeights();
    return scope(() => {
      const model = this.language(false, weights);
      const placed = this.placed(prompts);
      if (options.recomputes !== true) return graphTrunkOf(model, placed, completions, options);
      const { layers: _, ...rest } = model;
      const layered = { ...rest, layerAt: (index: number) => decoderLayer(weights, index) };
      return recomputedTrunk(layered, model, placed, completions, options);
    });
  }

  logits(hidden: Tensor): Tensor {
    const head = this.weights().get(HEAD_NAME) ?? this.weights().get(EMBEDDING_NAME)!;
    return scope(() => op.linear(hidden, head).to("float32"));
  }

  sample(prompts: readonly ModelPrompt[], options: SampleOptions): SampledCompletion[][] {
    const { bannedIds, stopIds } = this;
    const rules = { bannedIds, stopIds };
    return noGrad(() => scope(() => generate(this.language(true), this.placed(prompts), options, rules)));
  }

  linearLayers(): readonly LinearShape[] {
    return linearLayers(parameterSpecs(this.config));
  }

  withAdapter(adapter: LoraAdapter): AdaptedThinker {
    return new AdaptedThinker(this, adapter);
  }

  /** Writes the model as a Hugging Face directory. */
  save(directory: string): void {
    writeCheckpoint(directory, this.parts.checkpoint);
  }

  [Symbol.dispose](): void {
    for (const parameter of this.parameters().values()) parameter.dispose();
  }

  private promptMaker(): PromptMaker {
    const { tokenizer, template } = this.parts;
    return { tokenizer, template, config: this.config };
  }

  private language(fewRows = false, weights = this.weights()): LanguageModel {
    const { text } = this.config;
    return languageModel(weights, text, decoderLayers(weights, text, fewRows));
  }

  private placed(prompts: readonly ModelPrompt[]): DecoderPrompt[] {
    return decoderPrompts(prompts, this.config.ids);
  }
}

/** What learns and what is saved is the adapter. */
export class AdaptedThinker extends Thinker implements AdaptedModel {
  readonly base: Thinker;
  readonly adapter: LoraAdapter;

  /** Borrows the base, which must outlive it, and owns the adapter. */
  constructor(base: Thinker, adapter: LoraAdapter) {
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
