// A text model of the Qwen family on token ids: hidden states, logits, batched generation. A text has one position per token
// and no media.
// B texts, T tokens (left-padded), N completions, C completion tokens, D width, V vocabulary
import { noGrad, op, scope, type Tensor } from "../../tensor/index.ts";
import { generationStopIds } from "../checkpoint/generation-settings.ts";
import { type LoadOptions, owning } from "../checkpoint/weight-files.ts";
import { generate } from "../decoder/generate.ts";
import { type LanguageModel, languageModel, runBranches, runPrefix, runPrompts } from "../decoder/language.ts";
import { decoderLayers } from "../decoder/layers.ts";
import { EMBEDDING_NAME, HEAD_NAME } from "../decoder/parameters.ts";
import type { DecoderPrompt } from "../decoder/prompt.ts";
import type { SampledCompletion, SampleOptions } from "../omni-model.ts";
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
    return scope(() => runPrompts(this.#language(), texts.map(textPrompt), this.config.isCausal));
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
    const { text } = this.config;
    return languageModel(this.parameters(), text, decoderLayers(this.parameters(), text, fewRows));
  }
}

/** A model that writes texts: with a head, and causal. @throws CheckpointError */
export function loadTextModel(directory: string, options: LoadOptions = {}): TextModel {
  const checkpoint = readTextCheckpoint(directory, "required", options);
  return owning(checkpoint.parameters, () => new TextModel(checkpoint));
}

function textPrompt(ids: Int32Array): DecoderPrompt {
  return { ids, positions: Int32Array.from(ids, (_, place) => place), media: [] };
}
