// Samples the G completions of every prompt of a step in one batched decode. Every completion draws from its own seed,
// keyed by what it is (seed, step, sample, rollout), so that batch composition does not change it.
import type { Sample } from "../data/sample.ts";
import { type ModelPrompt, type OmniModel, type SampledCompletion, withoutStop } from "../models/omni-model.ts";
import { deriveSeed } from "../seeds.ts";
import { noGrad } from "../tensor/index.ts";
import { opensThinking } from "../text/response.ts";
import type { EngineMark, Rollout, RolloutGroup } from "./types.ts";

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
  /** Told of the text of a completion that has ended by itself, while others are still to come. Must not throw. */
  readonly onEnd?: (completion: EndedCompletion) => void;
}

/** What can be read of a completion before the step has all of them. */
export type EndedCompletion = Pick<Rollout, "pieces" | "text"> & Pick<RolloutGroup, "thinkIsOpen">;

export interface RolloutPrompt {
  readonly sample: Sample;
  readonly prompt: ModelPrompt;
  /** Which of its G completions, the first and the one after the last; left out: all. */
  readonly part?: { readonly start: number; readonly end: number };
}

/** As many ids of a prompt's end hold an opened think tag and the white space behind it. */
const tailTokens = 16;

/** A batched decode for all prompts of which as many completions are wanted: one, unless parts of groups are. */
export function sampleGroups(
  model: OmniModel,
  prompts: readonly RolloutPrompt[],
  options: RolloutOptions,
): RolloutGroup[] {
  const numOf = ({ part }: RolloutPrompt) => (part === undefined ? options.groupSize : part.end - part.start);
  const groups = new Map<RolloutPrompt, RolloutGroup>();
  for (const numSamples of new Set(prompts.map(numOf))) {
    const equal = prompts.filter((prompt) => numOf(prompt) === numSamples);
    for (const [p, group] of sampleEqual(model, equal, numSamples, options).entries()) groups.set(equal[p]!, group);
  }
  return prompts.map((prompt) => groups.get(prompt)!);
}

function sampleEqual(
  model: OmniModel,
  prompts: readonly RolloutPrompt[],
  numSamples: number,
  options: RolloutOptions,
): RolloutGroup[] {
  const seeds = prompts.flatMap(({ sample, part }) => {
    const all = rolloutSeeds(options, sample.id);
    return part === undefined ? all : all.slice(part.start, part.end);
  });
  const isOpen = prompts.map(({ prompt }) => thinkIsOpen(model, prompt));
  const { onEnd } = options;
  const completions = noGrad(() =>
    model.sample(
      prompts.map(({ prompt }) => prompt),
      {
        numSamples,
        maxNewTokens: options.maxNewTokens,
        temperature: options.temperature,
        logprobTemperature: options.temperature === 0 ? 1 : options.temperature,
        seeds,
        ...(onEnd && {
          onEnd: (p: number, _: number, ids: readonly number[]) =>
            onEnd({ ...textOf(model, Int32Array.from(ids)), thinkIsOpen: isOpen[p]! }),
        }),
      },
    ),
  );
  return prompts.map((prompt, p) => readGroup(model, prompt, completions[p]!));
}

/** The seeds of a prompt's completions, wherever they are sampled. */
export function rolloutSeeds(
  { seed, step, groupSize }: Pick<RolloutOptions, "seed" | "step" | "groupSize">,
  sampleId: string,
): number[] {
  return Array.from({ length: groupSize }, (_, i) => deriveSeed(seed, "rollout", step, sampleId, i));
}

/** What was sampled, with its text. @param engine that did it; left out: this process */
export function readGroup(
  model: OmniModel,
  { sample, prompt }: RolloutPrompt,
  completions: readonly SampledCompletion[],
  engine?: EngineMark,
): RolloutGroup {
  const rollouts = completions.map((completion) => readCompletion(model, completion));
  return {
    sample,
    thinkIsOpen: thinkIsOpen(model, prompt),
    rollouts: engine === undefined ? rollouts : rollouts.map((rollout) => ({ ...rollout, engine })),
  };
}

/** Whether a prompt ends inside the reasoning. */
export function thinkIsOpen(model: OmniModel, { tokens }: Pick<ModelPrompt, "tokens">): boolean {
  return opensThinking(model.decodePieces(tokens.ids.slice(-tailTokens)).join(""));
}

function readCompletion(model: OmniModel, { ids, logprobs, truncated }: SampledCompletion): Rollout {
  return { ids, logprobs, ...textOf(model, ids), truncated };
}

function textOf(model: OmniModel, ids: Int32Array): Pick<Rollout, "pieces" | "text"> {
  const pieces = model.decodePieces(ids);
  return { pieces, text: pieces.slice(0, withoutStop(model, ids).length).join("") };
}
