// What a model in training is worth on clips that it is not trained on: the reward of its likeliest answers, and a small MEP set (recall,
// form, Acc@V and Acc@A with their controls, what it claims under a mask). Answers are greedy, so that every number is a function
// of the weights. Larger sets with intervals are `oppo mep`'s business.

import { defaultBootstrapOptions } from "../bench/bootstrap.ts";
import { type MepOptions, runMep } from "../bench/mep.ts";
import { type MepSet, makeMepSet } from "../bench/mep-set.ts";
import { probeEnding, probePrompt } from "../bench/probe-wording.ts";
import { intactView, type Query, type Respondent } from "../bench/respondent.ts";
import { ClipLibrary } from "../corpus/clips/clip-library.ts";
import type { FittedSample } from "../corpus/clips/fitted-samples.ts";
import { defaultBatchSize, localRespondent } from "../corpus/clips/local-respondent.ts";
import { kindOf } from "../corpus/kinds.ts";
import { labelGroups, makeKnownSet, setOptionsFor } from "../corpus/mep-set.ts";
import type { Setting } from "../corpus/setting.ts";
import type { Sample } from "../data/sample.ts";
import { rolloutMetrics, type StepMetrics } from "../rl/metrics.ts";
import { sampleGroups } from "../rl/rollout.ts";
import { type ScoreOptions, scoreGroups } from "../rl/score.ts";
import type { RolloutGroup } from "../rl/types.ts";
import type { Interrupt } from "../run/interrupt.ts";
import { scope } from "../tensor/index.ts";
import type { OpenedPolicy } from "./policy.ts";

export interface DevTask {
  readonly models: OpenedPolicy;
  /** None of them is trained on. */
  readonly fitted: readonly FittedSample[];
  /** That of the training. */
  readonly setting: Pick<Setting, "embedder" | "emotion" | "question" | "promptText" | "wording">;
  readonly scoring: ScoreOptions;
  readonly maxNewTokens: number;
  readonly interrupt: Interrupt;
}

/** Owner of the clips' rows. */
export interface DevEvaluator extends Disposable {
  /** @throws InterruptedError */
  evaluate(): Promise<StepMetrics>;
}

/** Makes the questions once: every evaluation of a run asks the same. */
export async function openDevEvaluator(task: DevTask): Promise<DevEvaluator> {
  const set = await devSet(task);
  // Frozen towers give the same rows at every step.
  const frozen = task.models.trainsTowers ? null : libraryOf(task, task.models.reference);
  return {
    async evaluate() {
      using own = frozen === null ? libraryOf(task, task.models.policy) : null;
      return await evaluateOn(own ?? frozen!, set, task);
    },
    [Symbol.dispose]: () => frozen?.[Symbol.dispose](),
  };
}

function libraryOf({ fitted, setting }: DevTask, model: ClipLibrary["model"]): ClipLibrary {
  const library = new ClipLibrary(model, setting.wording.system);
  library.add(fitted);
  return library;
}

/** All clips, one probe a modality and clip where a cue can be asked for. Nothing is measured for it: too few clips. */
async function devSet({ fitted, setting }: DevTask): Promise<MepSet> {
  const samples = fitted.map(({ sample }) => sample);
  const clips = { congruent: samples, conflict: [] };
  const kind = kindOf(samples);
  const options = { ...setOptionsFor(kind), maxProbesPerClip: 1 };
  const set =
    kind === null
      ? await makeMepSet(clips, { embedder: setting.embedder, bank: null, groupsOf: labelGroups() }, options)
      : await makeKnownSet(kind, setting.embedder, clips, options);
  return { ...set, swaps: [] };
}

async function evaluateOn(library: ClipLibrary, set: MepSet, task: DevTask): Promise<StepMetrics> {
  const { models, setting, maxNewTokens, interrupt } = task;
  const groups = await greedyAnswers(library, set.congruent, task);
  const answered = new Map(groups.map(({ sample, rollouts }) => [sample.id, rollouts[0]!.text]));
  const model = localRespondent(models.policy, library, {
    name: "policy",
    maxNewTokens,
    promptText: setting.promptText,
    onBatch: () => interrupt.safePoint(),
  });
  const isKnown = kindOf(set.congruent) !== null;
  const options: MepOptions = {
    ...set,
    reasoningPrompt: () => setting.question,
    probePrompt: (question) => probePrompt(question, probeEnding("tagged", isKnown)),
    emotionScore: setting.emotion.score,
    answerStyle: "tagged",
    // Intervals are of no use here.
    bootstrap: { ...defaultBootstrapOptions, numResamples: 1 },
  };
  const { report } = await runMep(remembering(model, setting.question, answered), options);
  const scored = rolloutMetrics(await scoreGroups(groups, task.scoring)).values();
  return { ...rewardNumbers(scored), ...mepNumbers(report) };
}

/** One likeliest answer to the question of training per sample. */
async function greedyAnswers(library: ClipLibrary, samples: readonly Sample[], task: DevTask): Promise<RolloutGroup[]> {
  const { models, setting, maxNewTokens, interrupt } = task;
  const groups: RolloutGroup[] = [];
  for (let start = 0; start < samples.length; start += defaultBatchSize) {
    await interrupt.safePoint();
    const prompts = samples.slice(start, start + defaultBatchSize).map((sample) => ({
      sample,
      prompt: library.prompt(sample.id, setting.promptText(sample, setting.question)),
    }));
    const greedy = { groupSize: 1, maxNewTokens, temperature: 0, seed: 0, step: 0 };
    groups.push(...scope(() => sampleGroups(models.policy, prompts, greedy)));
  }
  return groups;
}

/** What was answered for the reward is not asked again. */
function remembering(model: Respondent, question: string, answered: ReadonlyMap<string, string>): Respondent {
  const known = ({ prompt, view }: Query): string | null => {
    const { sample, video, audio } = intactView(view.sample);
    return prompt === question && view.video === video && view.audio === audio
      ? (answered.get(sample.id) ?? null)
      : null;
  };
  return {
    name: model.name,
    async respond(queries) {
      const asked = queries.filter((query) => known(query) === null);
      const texts = [...(await model.respond(asked))];
      return queries.map((query) => known(query) ?? texts.shift()!);
    },
  };
}

/** The total, its parts, and how long answers were. */
function rewardNumbers(scored: StepMetrics): StepMetrics {
  const isWanted = (name: string) =>
    name === "reward" || /^rewards\/\w+\/mean$/.test(name) || /^completions\/(mean_length|clipped_ratio)$/.test(name);
  return Object.fromEntries(Object.entries(scored).filter(([name]) => isWanted(name)));
}

/** Scores of the MEP set that these clips give. */
function mepNumbers(report: Awaited<ReturnType<typeof runMep>>["report"]): StepMetrics {
  return Object.fromEntries(
    Object.entries(report).flatMap(([name, { value }]) => (value === null ? [] : [[name, value]])),
  );
}
