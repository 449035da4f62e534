// GRPO and OPPO: one objective for the method and all its relatives; a preset says which. Reads top to bottom: batch, rollouts,
// scores, masked views, gradient. Every random draw is keyed by (seed, step, sample, rollout).
import type { ClipLibrary } from "../corpus/clips/clip-library.ts";
import type { ClipSource } from "../corpus/clips/clip-source.ts";
import type { Sample } from "../data/sample.ts";
import type { EmotionScore } from "../emotion/score.ts";
import type { Embedder } from "../evidence/cue.ts";
import type { ModalityMask } from "../media/clip.ts";
import type { ClipRows, ModelPrompt, PromptTokens } from "../models/omni-model.ts";
import { cosineSchedule, linearSchedule } from "../nn/index.ts";
import { drawViews } from "../rl/draw-views.ts";
import { accumulateGradients } from "../rl/gradients.ts";
import { checkInvariants, tolerancesOf } from "../rl/invariants.ts";
import { rolloutMetrics } from "../rl/metrics.ts";
import type { PromptPair, TrainGroup } from "../rl/plan.ts";
import { type RolloutRecord, recordRollout } from "../rl/record.ts";
import { type Notice, RewardWatch } from "../rl/reward-watch.ts";
import type { JudgedTerm } from "../rl/rewards/judged.ts";
import { makeTerms } from "../rl/rewards/terms.ts";
import { type EndedCompletion, sampleGroups } from "../rl/rollout.ts";
import { clausesToCome, type ScoreOptions, scoreGroups } from "../rl/score.ts";
import { defaultStepOptions, type StepOptions } from "../rl/step-options.ts";
import type { ScoredGroup, ViewName, ViewSelector } from "../rl/types.ts";
import { drawMasks, neededViews, viewSelectors } from "../rl/views.ts";
import type { DeepReadonly } from "../run/config.ts";
import { deriveUniform } from "../seeds.ts";
import { scope } from "../tensor/index.ts";
import { batchOf } from "./batches.ts";
import { defaultsBySize } from "./by-size.ts";
import type { TrainConfig } from "./config.ts";
import { LiveRows } from "./live-rows.ts";
import type { OpenedPolicy } from "./policy.ts";
import { type Objective, runSteps, type StepOutcome, type StepRun, type StepsDone } from "./run-steps.ts";

/** What the method learns from. */
export interface GrpoTask {
  readonly config: DeepReadonly<TrainConfig>;
  readonly models: OpenedPolicy;
  readonly library: ClipLibrary;
  readonly samples: readonly Sample[];
  /** Brings the clips of a step into the library; left out: those of all samples are in it. */
  readonly clips?: Pick<ClipSource<Sample>, "ready">;
  readonly promptText: (sample: Sample) => string;
  readonly embedder: Embedder;
  readonly emotionScore: EmotionScore;
  /** Terms that a judge is asked for; left out: none. */
  readonly judged?: readonly JudgedTerm[];
}

/** How the learning rate goes from its warm-up to its floor. */
export const schedules = { linear: linearSchedule, cosine: cosineSchedule };

/** Trains to the last step; `run` says where and who watches. */
export function trainGrpo(
  task: GrpoTask,
  run: Pick<StepRun, "directory" | "interrupt" | "onStep" | "evaluation" | "onEvaluation" | "onNotice">,
): Promise<StepsDone> {
  const { config, models } = task;
  const { steps, warmupSteps: warmup, learningRateFloor: floor } = config;
  const { learningRate } = defaultsBySize(models.numParameters, config.trainable);
  const schedule = schedules[config.schedule];
  return runSteps({
    ...run,
    steps,
    objective: grpoObjective(task),
    trainable: models.trainable,
    masters: models.masters,
    optimizer: {
      learningRate: config.learningRate ?? learningRate,
      betas: [config.beta1, config.beta2],
      weightDecay: config.weightDecay,
      maxGradNorm: config.maxGradNorm,
      schedule: (step) => schedule(step, { total: steps, warmup, floor }),
    },
    rowsFile: "rollouts.jsonl",
    checkpointEvery: config.checkpointEvery,
    keep: config.keep,
    tensorboard: config.tensorboard,
  });
}

export function grpoObjective(task: GrpoTask): Objective {
  const { config, library, promptText } = task;
  const { policy, reference, trainsTowers } = task.models;
  const maxNewTokens = config.maxNewTokens ?? defaultsBySize(task.models.numParameters, config.trainable).maxNewTokens;
  const scoring = scoreOptions(task, maxNewTokens);
  const { recomputes } = task.models;
  const options: StepOptions = { ...stepOptions(config), maxCompletionTokens: maxNewTokens, recomputes };
  // An embedder elsewhere begins with a completion's clauses while others are still sampled.
  const { embedder } = task;
  const ahead = embedder.prefetch && {
    onEnd: (ended: EndedCompletion) => embedder.prefetch!(clausesToCome(ended, scoring), "clause"),
  };
  const watch = new RewardWatch();
  const clock = () => performance.now() / 1000;
  return {
    check: (metrics) => checkInvariants(metrics, tolerancesOf(policy.dtype)),
    remember: (rows) => {
      for (const { reward, rewards, problem } of rows.flatMap((row) => row.rollouts as RolloutRecord[])) {
        watch.add({ total: reward, parts: rewards }, problem);
      }
    },
    async gradients(step): Promise<StepOutcome> {
      const start = clock();
      task.models.beginStep(step);
      const samples =
        (await task.clips?.ready(step)) ?? batchOf(task.samples, config.promptsPerStep, config.seed, step);
      const readyAt = clock();
      using live = trainsTowers ? new LiveRows(policy, library) : null;
      const prompts = samples.map((sample) => ({
        sample,
        prompt: library.prompt(sample.id, promptText(sample), live?.rows(sample.id) ?? null),
      }));
      const sampled = scope(() => sampleGroups(policy, prompts, { ...config, maxNewTokens, step, ...ahead }));
      const sampledAt = clock();
      const groups = await scoreGroups(sampled, scoring);
      const scoredAt = clock();
      const notices = stuckRewards(watch, groups);
      const views = drawViews(viewSelectors[config.perception.views], groups, config.perception.viewDraw, (...key) =>
        deriveUniform(config.seed, "views", step, ...key),
      );
      using rows = new MaskedRows();
      const masked = trainGroups(task, prompts, groups, step, { views, masked: rows, live });
      const encodedAt = clock();
      const metrics = rolloutMetrics(groups);
      metrics.merge(scope(() => accumulateGradients({ policy, reference, clock }, masked, { ...options, views })));
      live?.backward();
      metrics.sum("timing_s/wait_clips", readyAt - start);
      metrics.sum("timing_s/rollout", sampledAt - readyAt);
      metrics.sum("timing_s/reward", scoredAt - sampledAt);
      metrics.sum("timing_s/encode", encodedAt - scoredAt);
      return { metrics, rows: groups.map(groupRow), notices };
    },
  };
}

type Scoring = Pick<GrpoTask, "config" | "embedder" | "emotionScore" | "judged">;

/** How completions are scored. */
export function scoreOptions(
  { config, embedder, emotionScore, judged = [] }: Scoring,
  maxNewTokens: number,
): ScoreOptions {
  const { terms, similarityThreshold, emptyKind, combineKinds, requireWellFormed } = config.reward;
  const setting = { emotionScore, similarityThreshold, empty: emptyKind, combine: combineKinds };
  return {
    embedder,
    // A term without a weight is still measured: arms are compared on it.
    terms: makeTerms(terms, setting),
    judged,
    similarityThreshold,
    advantage: {
      baseline: config.advantageBaseline,
      scale: config.advantageScale,
      epsilon: 1e-4,
      minStd: config.advantageMinStd,
    },
    combination: config.advantageCombination,
    overlong:
      config.overlongBuffer === 0
        ? null
        : { limit: maxNewTokens, buffer: config.overlongBuffer, weight: config.overlongWeight },
    requireWellFormed,
  };
}

function stepOptions(config: DeepReadonly<TrainConfig>): StepOptions {
  const { perception } = config;
  return {
    ...defaultStepOptions,
    temperature: config.temperature,
    clip: { clipLow: config.clipLow, clipHigh: config.clipHigh, dualClip: config.dualClip },
    oldLogprobs: config.oldLogprobs,
    aggregation: config.lossAggregation,
    truncated: config.truncated,
    referenceKl: { weight: config.referenceKlWeight, estimator: config.referenceKlEstimator },
    perception: {
      weight: perception.perceptionLossWeight,
      estimator: perception.estimator,
      gradient: perception.gradient,
      reduction: perception.reduction,
      cap: perception.capNats,
      fullEntropyWeight: perception.entropyWeight,
      maskedEntropyWeight: perception.entropyWeight,
    },
    anchorWeight: perception.anchorWeight,
    anchorTo: perception.anchorTo,
    anchorUntil: perception.anchorUntil,
    viewPasses: perception.viewPasses,
    sharesPrefixes: perception.sharedPrefix,
    minChoiceEntropy: perception.minChoiceEntropy,
    promptsPerMicroBatch: config.promptsPerMicroBatch,
    tokensPerChunk: config.tokensPerChunk,
  };
}

/** Holds the rows of a step's masked inputs, whatever happens on the way. */
class MaskedRows implements Disposable {
  readonly #owned: ClipRows[] = [];

  own(rows: ClipRows): ClipRows {
    this.#owned.push(rows);
    return rows;
  }

  [Symbol.dispose](): void {
    for (const rows of this.#owned) rows[Symbol.dispose]();
  }
}

/** Which masked inputs a step wants, and who holds what they are made of. */
interface MaskedInputs {
  readonly views: ViewSelector;
  readonly masked: MaskedRows;
  readonly live: LiveRows | null;
}

/** Prompts with their counterfactual inputs: one mask per prompt, view and step, shared by the prompt's rollouts. */
function trainGroups(
  { config, library }: GrpoTask,
  prompts: readonly { readonly sample: Sample; readonly prompt: ModelPrompt }[],
  scored: readonly ScoredGroup[],
  step: number,
  { views, masked: owner, live }: MaskedInputs,
): TrainGroup[] {
  // The library's rows are those of the start: the reference's, and the policy's where its towers are frozen.
  const pair = (tokens: PromptTokens, sampleId: string, start: ClipRows, masks: readonly ModalityMask[]): PromptPair =>
    live === null
      ? { policy: { tokens, rows: start } }
      : { policy: { tokens, rows: live.rows(sampleId, masks) }, reference: { tokens, rows: start } };
  return prompts.map(({ sample, prompt }, g): TrainGroup => {
    const { rollouts } = scored[g]!;
    const masked: Partial<Record<ViewName, PromptPair>> = {};
    for (const view of neededViews(rollouts, views)) {
      const masks = drawMasks(config.perception.maskRatio, { seed: config.seed, step, sampleId: sample.id }, view);
      const [maskedRows] = library.maskedRows([{ sampleId: sample.id, masks }]);
      masked[view] = pair(prompt.tokens, sample.id, owner.own(maskedRows!), masks);
    }
    const reference = { tokens: prompt.tokens, rows: library.rows(sample.id) };
    const whole = live === null ? { policy: prompt } : { policy: prompt, reference };
    return { prompt: whole, masked, rollouts };
  });
}

function stuckRewards(watch: RewardWatch, groups: readonly ScoredGroup[]): Notice[] {
  const rollouts = groups.flatMap((group) => group.rollouts);
  return rollouts.flatMap(({ rewards, response }) => watch.add(rewards, response.problem ?? null));
}

/** One line of rollouts.jsonl: what was said and what it earned. */
function groupRow(group: ScoredGroup) {
  return { sample: group.sample.id, rollouts: group.rollouts.map(recordRollout) };
}
