// What the trainer itself says of sampled tokens before it learns from them: the old policy of several updates on the same
// rollouts, where the sampler's own numbers are not to be used (another engine, other kernels). Host numbers out, no graph.
import type { ModelPrompt, OmniModel } from "../models/omni-model.ts";
import { noGrad, scope } from "../tensor/index.ts";
import { cutRows } from "./chunks.ts";
import { rowLogprobs } from "./full-branch.ts";
import type { TrainGroup } from "./plan.ts";
import type { StepOptions } from "./step-options.ts";

/**
 * log pi of every token of every rollout, at the temperature of training.
 * @returns [group][rollout], as long as the rollout
 */
export function tokenLogprobs(
  policy: OmniModel,
  groups: readonly TrainGroup[],
  options: Pick<StepOptions, "temperature" | "tokensPerChunk" | "promptsPerMicroBatch">,
): Float32Array[][] {
  const size = options.promptsPerMicroBatch ?? groups.length;
  const result: Float32Array[][] = [];
  for (let start = 0; start < groups.length; start += size) {
    result.push(...noGrad(() => scope(() => ofBatch(policy, groups.slice(start, start + size), options))));
  }
  return result;
}

function ofBatch(
  policy: OmniModel,
  groups: readonly TrainGroup[],
  options: Pick<StepOptions, "temperature" | "tokensPerChunk">,
): Float32Array[][] {
  const completions = groups.map(({ rollouts }) => rollouts.map(({ rollout }) => rollout.ids));
  const prompts = groups.map(({ prompt }) => prompt.policy);
  return completionLogprobs(policy, prompts, completions, options);
}

/** The same of any completions of prompts. @returns [prompt][completion], as long as it */
export function completionLogprobs(
  policy: OmniModel,
  prompts: readonly ModelPrompt[],
  completions: readonly (readonly Int32Array[])[],
  options: Pick<StepOptions, "temperature" | "tokensPerChunk">,
): Float32Array[][] {
  const all = completions.flat();
  const longest = Math.max(...all.map(({ length }) => length));
  const flatRows = all.flatMap((ids, n) => [...ids].map((_, t) => n * longest + t));
  const hidden = policy.hidden(prompts, completions); // [N, C, D]
  const { rows } = cutRows(hidden, Int32Array.from(flatRows), false); // [R, D]
  const logprobs = rowLogprobs(policy, rows, Int32Array.from(all.flatMap((ids) => [...ids])), options);
  let at = 0;
  return completions.map((own) =>
    own.map(({ length }) => {
      at += length;
      return Float32Array.from(logprobs.slice(at - length, at));
    }),
  );
}
