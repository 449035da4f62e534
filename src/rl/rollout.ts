// Samples the G completions of every prompt of a step in one batched decode. Every completion draws from its own seed,
// keyed by what it is (seed, step, sample, rollout), so that batch composition does not change it.
import type { Sample } from "../data/sample.ts";
import { type ModelPrompt, type OmniModel, type SampledCompletion, withoutStop } from "../models/omni-model.ts";
import { deriveSeed } from "../seeds.ts";
import { noGrad } from "../tensor/index.ts";
import { opensThinking } from "../text/response.ts";
import type { Rollout, RolloutGroup } from "./types.ts";

export interface RolloutOptions {
  /** G, 4 in the paper. */
  readonly groupSize: number;
  readonly maxNewTokens: number;
  /**
   * Of the policy that is trained (StepOptions.temperature): what is sampled is what is scored. 1 in our presets; 0 takes the
   * likeliest tokens, whose log-probs are then those of temperature 1.
   */
  readonly temperature: number;
  readonly seed: number;
  readonly step: number;
}

export interface RolloutPrompt {
  readonly sample: Sample;
  readonly prompt: ModelPrompt;
}

/** As many ids of a prompt's end hold an opened think tag and the white space behind it. */
const tailTokens = 16;

export function sampleGroups(
  model: OmniModel,
  prompts: readonly RolloutPrompt[],
  options: RolloutOptions,
): RolloutGroup[] {
  const seeds = prompts.flatMap(({ sample }) =>
    Array.from({ length: options.groupSize }, (_, i) =>
      deriveSeed(options.seed, "rollout", options.step, sample.id, i),
    ),
  );
  const completions = noGrad(() =>
    model.sample(
      prompts.map(({ prompt }) => prompt),
      {
        numSamples: options.groupSize,
        maxNewTokens: options.maxNewTokens,
        temperature: options.temperature,
        logprobTemperature: options.temperature === 0 ? 1 : options.temperature,
        seeds,
      },
    ),
  );
  return prompts.map(({ sample, prompt }, p) => ({
    sample,
    thinkIsOpen: opensThinking(model.decodePieces(prompt.tokens.ids.slice(-tailTokens)).join("")),
    rollouts: completions[p]!.map((completion) => readCompletion(model, completion)),
  }));
}

function readCompletion(model: OmniModel, { ids, logprobs, truncated }: SampledCompletion): Rollout {
  const pieces = model.decodePieces(ids);
  const text = pieces.slice(0, withoutStop(model, ids).length).join("");
  return { ids, logprobs, pieces, text, truncated };
}
