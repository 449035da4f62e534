// The decoder's entry points as HumanOmni calls them.
// B prompts, N completions, C completion tokens, D width, V vocabulary

import { noGrad, op, scope, type Tensor } from "../../tensor/index.ts";
import { type Completions, requireCompletions } from "../decoder/completions.ts";
import { generate } from "../decoder/generate.ts";
import { type LanguageModel, languageModel, runBranches, runPrefix } from "../decoder/language.ts";
import { decoderLayer, decoderLayers } from "../decoder/layers.ts";
import { EMBEDDING_NAME, HEAD_NAME } from "../decoder/parameters.ts";
import type { WeightSource } from "../decoder/projection.ts";
import { graphTrunkOf, recomputedTrunk } from "../decoder/trunk.ts";
import type { ModelPrompt, SampledCompletion, SampleOptions, Trunk, TrunkOptions } from "../omni-model.ts";
import type { HumanOmniConfig } from "./config/config.ts";
import { decoderPrompts } from "./prompt.ts";

/** Scores of a prefix that exist at once where nothing is kept: a prompt of a thousand tokens has many times the cache's. */
const maxScores = 1 << 21;

/** Completions of every prompt. */
/** Hidden states that predict the completions, [N, C, D]. @throws OppoError ERR_COMPLETIONS */
export function hiddenStates(
  weights: WeightSource,
  config: HumanOmniConfig,
  prompts: readonly ModelPrompt[],
  completions: Completions,
): Tensor {
  requireCompletions(prompts.length, completions);
  return scope(() => {
    const model = language(weights, config);
    return runBranches(model, runPrefix(model, decoderPrompts(weights, config, prompts)), completions);
  });
}

/** The same to learn from. @throws OppoError ERR_COMPLETIONS */
export function trunkOf(
  weights: WeightSource,
  config: HumanOmniConfig,
  prompts: readonly ModelPrompt[],
  completions: Completions,
  options: TrunkOptions,
): Trunk {
  requireCompletions(prompts.length, completions);
  return scope(() => {
    const model = language(weights, config);
    const placed = decoderPrompts(weights, config, prompts);
    if (options.recomputes !== true) return graphTrunkOf(model, placed, completions, options);
    const { layers: _, ...rest } = model;
    const layered = { ...rest, layerAt: (index: number) => decoderLayer(weights, index) };
    const trunk = recomputedTrunk(layered, model, placed, completions, options);
    // Its way back ends in the weighed rows.
    return { ...trunk, kept: [trunk.kept, placed] };
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
    scope(() => {
      const model = { ...language(weights, config, true), maxScores };
      return generate(model, decoderPrompts(weights, config, prompts), options, rules);
    }),
  );
}

function language(weights: WeightSource, { text }: HumanOmniConfig, fewRows = false): LanguageModel {
  return languageModel(weights, text, decoderLayers(weights, text, fewRows));
}
