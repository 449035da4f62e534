// The decoder's entry points as HumanOmni calls them.
// B prompts, N completions, C completion tokens, D width, V vocabulary
import { OppoError } from "../../error.ts";
import { noGrad, op, scope, type Tensor } from "../../tensor/index.ts";
import { generate } from "../decoder/generate.ts";
import { type LanguageModel, languageModel, runBranches, runPrefix } from "../decoder/language.ts";
import { decoderLayers } from "../decoder/layers.ts";
import { EMBEDDING_NAME, HEAD_NAME } from "../decoder/parameters.ts";
import type { WeightSource } from "../decoder/projection.ts";
import type { ModelPrompt, SampledCompletion, SampleOptions } from "../omni-model.ts";
import type { HumanOmniConfig } from "./config/config.ts";
import { decoderPrompts } from "./prompt.ts";

/** Hidden states that predict the completions, [N, C, D]. @throws OppoError ERR_COMPLETIONS */
export function hiddenStates(
  weights: WeightSource,
  config: HumanOmniConfig,
  prompts: readonly ModelPrompt[],
  completions: readonly (readonly Int32Array[])[],
): Tensor {
  const longest = completions.reduce((most, own) => Math.max(most, ...own.map((ids) => ids.length)), 0);
  if (prompts.length !== completions.length || longest === 0) {
    throw new OppoError(
      "ERR_COMPLETIONS",
      `hidden: expected completions for ${prompts.length} prompts with at least one token, got ${completions.length} ` +
        `lists, longest completion ${longest}. Give every prompt its completions.`,
    );
  }
  return scope(() => {
    const model = language(weights, config);
    return runBranches(model, runPrefix(model, decoderPrompts(weights, config, prompts)), completions);
  });
}

/** [n, D] -> [n, V], float32. */
export function headLogits(weights: WeightSource, hidden: Tensor): Tensor {
  const head = weights.get(HEAD_NAME) ?? weights.get(EMBEDDING_NAME)!;
  return scope(() => op.linear(hidden, head).to("float32"));
}

/** Completions of every prompt, [prompt][sample]. */
export function sampled(
  weights: WeightSource,
  config: HumanOmniConfig,
  prompts: readonly ModelPrompt[],
  options: SampleOptions,
  rules: Parameters<typeof generate>[3],
): SampledCompletion[][] {
  return noGrad(() =>
    scope(() => generate(language(weights, config, true), decoderPrompts(weights, config, prompts), options, rules)),
  );
}

function language(weights: WeightSource, { text }: HumanOmniConfig, fewRows = false): LanguageModel {
  return languageModel(weights, text, decoderLayers(weights, text, fewRows));
}
