// A text model of the Qwen family on token ids: hidden states, logits, batched generation. The decoder, its branches and
// its cache are the thinker's; a text has one position per token, which its three rotary axes share.
// B texts, T tokens (left-padded), N completions, C completion tokens, D width, V vocabulary
import { noGrad, op, scope, type Tensor } from "../../tensor/index.ts";
import { generationStopIds } from "../checkpoint/model-directory.ts";
import { type LoadOptions, owning } from "../checkpoint/weight-files.ts";
import { generate } from "../decoder/generate.ts";
import { type LanguageModel, languageModel, runBranches, runPrefix, runPrompts } from "../decoder/language.ts";
import { decoderLayers } from "../decoder/layers.ts";
import type { ModelPrompt, SampledCompletion, SampleOptions } from "../omni-model.ts";
import type { SpecialIds } from "../qwen-omni/config.ts";
import { EMBEDDING_NAME, HEAD_NAME } from "../qwen-omni/parameters.ts";
import { readTextCheckpoint, type TextCheckpoint, writeTextCheckpoint } from "./checkpoint.ts";
import type { TextModelConfig } from "./config.ts";

export class TextModel implements Disposable {
  readonly config: TextModelConfig;
  readonly stopIds: readonly number[];
  readonly #checkpoint: TextCheckpoint;

  constructor(checkpoint: TextCheckpoint) {
    this.config = checkpoint.config;
    this.#checkpoint = checkpoint;
    this.stopIds = generationStopIds(checkpoint.companions) ?? checkpoint.config.stopIds;
  }

  /** Name (with `model.`) -> parameter; a tied head has none of its own. */
  parameters(): ReadonlyMap<string, Tensor> {
    return this.#checkpoint.parameters;
  }

  /** Final hidden states of every token, left-padded, [B, T, D]. Pad rows are undefined values. */
  hiddenStates(texts: readonly Int32Array[]): Tensor {
    return scope(() => runPrompts(this.#language(), texts.map(textPrompt)));
  }

  /** Final hidden states that predict the completions, [N, C, D]: every text runs once. */
  hidden(texts: readonly Int32Array[], completions: readonly (readonly Int32Array[])[]): Tensor {
    return scope(() => {
      const model = this.#language();
      return runBranches(model, runPrefix(model, texts.map(textPrompt)), completions);
    });
  }

  /** [..., D] -> [..., V], float32. */
  logits(hidden: Tensor): Tensor {
    const head = this.parameters().get(HEAD_NAME) ?? this.parameters().get(EMBEDDING_NAME)!;
    return scope(() => op.linear(hidden, head).to("float32"));
  }

  /**
   * Completions of every text, [text][sample].
   * @param bannedIds ids that are never chosen, such as vocabulary rows without a token
   */
  sample(
    texts: readonly Int32Array[],
    options: SampleOptions,
    bannedIds: readonly number[] = [],
  ): SampledCompletion[][] {
    const { stopIds } = this;
    return noGrad(() =>
      scope(() => generate(this.#language(true), texts.map(textPrompt), options, { stopIds, bannedIds })),
    );
  }

  /** Writes the model as a Hugging Face directory. */
  save(directory: string): void {
    writeTextCheckpoint(directory, this.#checkpoint);
  }

  [Symbol.dispose](): void {
    for (const parameter of this.parameters().values()) parameter.dispose();
  }

  #language(fewRows = false): LanguageModel {
    const { text, padId } = this.config;
    return languageModel(this.parameters(), text, noMedia(padId), decoderLayers(this.parameters(), text, fewRows));
  }
}

/** @throws CheckpointError */
export function loadTextModel(directory: string, options: LoadOptions = {}): TextModel {
  const checkpoint = readTextCheckpoint(directory, options);
  return owning(checkpoint.parameters, () => new TextModel(checkpoint));
}

/** Ids for a model without media: none ever matches. */
function noMedia(pad: number): SpecialIds {
  const none = -1;
  return {
    audio: none,
    image: none,
    video: none,
    audioStart: none,
    audioEnd: none,
    visionStart: none,
    visionEnd: none,
    pad,
  };
}

function textPrompt(ids: Int32Array): ModelPrompt {
  const positions = Int32Array.from({ length: 3 * ids.length }, (_, i) => i % ids.length);
  return { tokens: { ids, positions }, rows: null };
}
