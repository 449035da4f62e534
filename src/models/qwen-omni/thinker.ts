// The Qwen2.5-Omni thinker as an OmniModel: parameters, tokenizer, chat template and settings of one checkpoint, and the
// calls that the method makes. The work is in the files beside it.
// B prompts, G completions per prompt, N completions, C completion tokens, D width, V vocabulary
import { OppoError } from "../../error.ts";
import type { MediaClip } from "../../media/clip.ts";
import { noGrad, op, scope, type Tensor } from "../../tensor/index.ts";
import type { ChatTemplate } from "../../text/chat-template.ts";
import type { TextTokenizer } from "../../text/tokenizer.ts";
import { clipRows } from "../clip-rows.ts";
import { generate } from "../decoder/generate.ts";
import { type LanguageModel, languageModel, runBranches, runPrefix } from "../decoder/language.ts";
import { decoderLayers } from "../decoder/layers.ts";
import type { WeightSource } from "../decoder/projection.ts";
import type {
  ChatOptions,
  ChatTurn,
  ClipFeatures,
  ClipRows,
  ClipShape,
  FrameSampling,
  ModelPrompt,
  OmniModel,
  PromptTokens,
  SampledCompletion,
  SampleOptions,
} from "../omni-model.ts";
import { encodeAudio } from "./audio-tower.ts";
import { type Checkpoint, writeCheckpoint } from "./checkpoint.ts";
import type { ThinkerConfig } from "./config.ts";
import { chatTokens, type PromptMaker, promptTokens } from "./conversation.ts";
import { audioTokens, visionTokens } from "./layout.ts";
import { EMBEDDING_NAME, HEAD_NAME } from "./parameters.ts";
import { createFeatureExtractor, fitClip, fitImage, type VideoSettings } from "./processor.ts";
import { mediaIds } from "./prompt.ts";
import { encodeVision } from "./vision-tower.ts";

/** Everything but the parameters that a thinker is made of. */
export interface ThinkerParts {
  readonly checkpoint: Checkpoint;
  readonly tokenizer: TextTokenizer;
  readonly template: ChatTemplate;
  readonly video: VideoSettings;
  readonly stopIds: readonly number[];
}

export class Thinker implements OmniModel {
  readonly vocabSize: number;
  readonly stopIds: readonly number[];
  readonly config: ThinkerConfig;
  readonly parts: ThinkerParts;
  private readonly bannedIds: readonly number[];
  private readonly extract: (fitted: MediaClip) => ClipFeatures;

  constructor(parts: ThinkerParts) {
    const { config } = parts.checkpoint;
    this.parts = parts;
    this.config = config;
    this.vocabSize = config.text.vocabSize;
    this.stopIds = parts.stopIds;
    const untrained = Math.max(0, this.vocabSize - parts.tokenizer.vocabSize);
    this.bannedIds = [
      ...mediaIds(config.ids),
      ...Array.from({ length: untrained }, (_, i) => parts.tokenizer.vocabSize + i),
    ];
    this.extract = createFeatureExtractor();
  }

  parameters(): ReadonlyMap<string, Tensor> {
    return this.parts.checkpoint.parameters;
  }

  get sampling(): FrameSampling {
    const { fps, minFrames, maxFrames } = this.parts.video;
    return { fps, minFrames, maxFrames };
  }

  /** What the layers multiply with. */
  protected weights(): WeightSource {
    return this.parts.checkpoint.parameters;
  }

  fitClip(clip: MediaClip): MediaClip {
    return fitClip(clip, this.parts.video);
  }

  fitImage(image: MediaClip): MediaClip {
    return fitImage(image);
  }

  features(fitted: MediaClip): ClipFeatures {
    return this.extract(fitted);
  }

  encode(features: readonly ClipFeatures[]): ClipRows[] {
    const { config } = this;
    const videos = features.flatMap(({ video }) => (video ? [video] : []));
    const audios = features.flatMap(({ audio }) => (audio ? [audio] : []));
    const [video, audio] = scope(() => [
      videos.length > 0 ? encodeVision(this.weights(), config.vision, videos) : null,
      audios.length > 0 ? encodeAudio(this.weights(), config.audio, audios) : null,
    ]);
    let videoStart = 0;
    let audioStart = 0;
    const rows = features.map((clip) => {
      const numVideo = clip.video ? visionTokens(clip.video.grid, config.vision.mergeSize) : 0;
      const numAudio = clip.audio ? audioTokens(clip.audio.numFrames) : 0;
      const own = clipRows(
        clip.video ? video!.narrow(0, videoStart, numVideo) : null,
        clip.audio ? audio!.narrow(0, audioStart, numAudio) : null,
      );
      videoStart += numVideo;
      audioStart += numAudio;
      return own;
    });
    video?.dispose();
    audio?.dispose();
    return rows;
  }

  promptTokens(text: string, shape: ClipShape, options: { system?: string } = {}): PromptTokens {
    return promptTokens(text, shape, options.system, this.promptMaker());
  }

  chatTokens(turns: readonly ChatTurn[], options: ChatOptions = {}): PromptTokens {
    return chatTokens(turns, options, this.promptMaker());
  }

  encodeText(text: string): Int32Array {
    return this.parts.tokenizer.encode(text);
  }

  decodePieces(ids: Int32Array): string[] {
    return this.parts.tokenizer.decodePieces(ids);
  }

  hidden(prompts: readonly ModelPrompt[], completions: readonly (readonly Int32Array[])[]): Tensor {
    const longest = completions.reduce((most, own) => Math.max(most, ...own.map((ids) => ids.length)), 0);
    if (prompts.length !== completions.length || longest === 0) {
      throw new OppoError(
        "ERR_COMPLETIONS",
        `hidden: expected completions for ${prompts.length} prompts with at least one token, got ${completions.length} ` +
          `lists, longest completion ${longest}. Give every prompt its completions.`,
      );
    }
    return scope(() => {
      const model = this.language();
      return runBranches(model, runPrefix(model, prompts), completions);
    });
  }

  logits(hidden: Tensor): Tensor {
    const head = this.weights().get(HEAD_NAME) ?? this.weights().get(EMBEDDING_NAME)!;
    return scope(() => op.linear(hidden, head).to("float32"));
  }

  sample(prompts: readonly ModelPrompt[], options: SampleOptions): SampledCompletion[][] {
    const { bannedIds, stopIds } = this;
    return noGrad(() => scope(() => generate(this.language(true), prompts, options, { bannedIds, stopIds })));
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

  private language(fewRows = false): LanguageModel {
    const { text, ids } = this.config;
    return languageModel(this.weights(), text, ids, decoderLayers(this.weights(), text, fewRows));
  }
}
