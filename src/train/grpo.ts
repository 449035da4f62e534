// GRPO and OPPO: one objective for the method and all its relatives; a preset says which. Reads top to bottom: batch, rollouts,
// scores, masked views, gradient. Every random draw is keyed by (seed, step, sample, rollout).
import type { ClipLibrary } from "../corpus/clips/clip-library.ts";
import type { ClipSource } from "../corpus/clips/clip-source.ts";
import type { Sample } from "../data/sample.ts";
import type { EmotionScore } from "../emotion/score.ts";
import { OppoError } from "../error.ts";
import { type ClaimBank, claimBank, sameCues } from "../evidence/claims.ts";
import type { Embedder } from "../evidence/cue.ts";
import type { Readability } from "../evidence/route.ts";
import { cosineSchedule, linearSchedule } from "../nn/index.ts";
import { drawViews } from "../rl/draw-views.ts";
import { accumulateGradients } from "../rl/gradients.ts";
import { checkInvariants, tolerancesOf } from "../rl/invariants.ts";
import { swapKind } from "../rl/mask-draws.ts";
import { shownMetrics } from "../rl/metrics.ts";
import { type RolloutRecord, recordRollout } from "../rl/record.ts";
import { type Notice, RewardWatch } from "../rl/reward-watch.ts";
import type { JudgedTerm } from "../rl/rewards/judged.ts";
import { makeTerms } from "../rl/rewards/terms.ts";
import { type EndedCompletion, sampleGroups } from "../rl/rollout.ts";
import { clausesToCome, type ScoreOptions, scoreGroups } from "../rl/score.ts";
import { defaultStepOptions, type StepOptions } from "../rl/step-options.ts";
import type { RolloutGroup, ScoredGroup } from "../rl/types.ts";
import { viewSelectors } from "../rl/views.ts";
import type { DeepReadonly } from "../run/config.ts";
import { deriveSeed, deriveUniform } from "../seeds.ts";
import { scope } from "../tensor/index.ts";
import { batchOf } from "./batches.ts";
import { defaultsBySize } from "./by-size.ts";
import type { TrainConfig } from "./config.ts";
import { LiveRows } from "./live-rows.ts";
import { type InputMaker, MaskedInputs, type ReadCues } from "./masked-inputs.ts";
import type { OpenedPolicy } from "./policy.ts";
import { type Objective, runSteps, type StepOutcome, type StepRun, type StepsDone } from "./run-steps.ts";
import { showPrompts, trainGroups, withoutDegraded } from "./step-prompts.ts";

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
  /** What perception.support "observer" asks. */
  readonly readCues?: ReadCues;
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
  const { config, library } = task;
  const { policy, reference, trainsTowers } = task.models;
  const maxNewTokens = config.maxNewTokens ?? defaultsBySize(task.models.numParameters, config.trainable).maxNewTokens;
  const scoring = scoreOptions(task, maxNewTokens, bankOf(task));
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
      const key = { seed: config.seed, step };
      using inputs = new MaskedInputs(await inputMaker(task, samples, live));
      const shown = showPrompts(wholePrompts(task, samples, live), config.perception, key, inputs);
      const drawn = scope(() => sampleGroups(policy, shown, { ...config, maxNewTokens, step, ...ahead }));
      const sampled = drawn.map((group, g) => withReadable(group, shown[g]!.readable));
      const sampledAt = clock();
      const groups = await scoreGroups(sampled, scoring);
      const scoredAt = clock();
      const notices = stuckRewards(watch, groups);
      const selector = withoutDegraded(viewSelectors[config.perception.views], groups);
      const views = drawViews(selector, groups, config.perception.viewDraw, (...what) =>
        deriveUniform(config.seed, "views", step, ...what),
      );
      const readsCues = knowsReadable(config);
      const masked = trainGroups(shown, groups, config.perception, key, { views, inputs, readsCues });
      const encodedAt = clock();
      const metrics = shownMetrics(groups);
      const asked = { ...options, views: masked.views };
      metrics.merge(scope(() => accumulateGradients({ policy, reference, clock }, masked.groups, asked)));
      live?.backward();
      metrics.sum("timing_s/wait_clips", readyAt - start);
      metrics.sum("timing_s/rollout", sampledAt - readyAt);
      metrics.sum("timing_s/reward", scoredAt - sampledAt);
      metrics.sum("timing_s/encode", encodedAt - scoredAt);
      return { metrics, rows: groups.map(groupRow), notices };
    },
  };
}

/** The corpus' cues, where a term asks for claims. */
export function bankOf({ config, samples }: Pick<GrpoTask, "config" | "samples">): ClaimBank | null {
  const isAsked = config.reward.terms.some(({ name }) => name === "support");
  return isAsked ? claimBank(samples, deriveSeed(config.seed, "claims")) : null;
}

type Scoring = Pick<GrpoTask, "config" | "embedder" | "emotionScore" | "judged">;

/** How completions are scored. @param bank as `bankOf` has it */
export function scoreOptions(
  { config, embedder, emotionScore, judged = [] }: Scoring,
  maxNewTokens: number,
  bank: ClaimBank | null = null,
): ScoreOptions {
  const { terms, similarityThreshold, emptyKind, combineKinds, requireWellFormed } = config.reward;
  const setting = { emotionScore, similarityThreshold, empty: emptyKind, combine: combineKinds };
  return {
    embedder,
    ...(bank && { claimBank: bank }),
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
      target: perception.target,
      holdWeight: perception.holdWeight,
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

/** The prompts about the clips as they are. The library's rows are those of the start: the reference's, and the policy's where towers are frozen. */
function wholePrompts({ library, promptText }: GrpoTask, samples: readonly Sample[], live: LiveRows | null) {
  return samples.map((sample) => {
    const reference = library.prompt(sample.id, promptText(sample));
    if (live === null) return { sample, pair: { policy: reference } };
    return { sample, pair: { policy: { tokens: reference.tokens, rows: live.rows(sample.id) }, reference } };
  });
}

const hasSwaps = ({ perception }: GrpoTask["config"]): boolean =>
  Object.values(perception.maskFamily).some((kinds) => kinds.includes(swapKind));

/** Whether masks leave something that can be read, as far as anybody knows. */
function knowsReadable(config: GrpoTask["config"]): boolean {
  return config.perception.support !== "none" || hasSwaps(config);
}

async function inputMaker(task: GrpoTask, samples: readonly Sample[], live: LiveRows | null): Promise<InputMaker> {
  const { config, library, promptText, embedder, readCues = null } = task;
  const { support } = config.perception;
  if (support === "observer" && readCues === null) {
    throw new OppoError(
      "ERR_OBSERVER",
      "perception.support: expected an observer of this corpus, got none. Choose mask or none.",
    );
  }
  const cues = hasSwaps(config) ? samples.flatMap((sample) => sample.cues) : [];
  const isSame = await sameCues(cues, embedder);
  return { library, live, promptText, samples, support, readCues, isSame };
}

function withReadable(group: RolloutGroup, readable: Readability | null): RolloutGroup {
  return readable === null ? group : { ...group, readable };
}

function stuckRewards(watch: RewardWatch, groups: readonly ScoredGroup[]): Notice[] {
  const rollouts = groups.flatMap((group) => group.rollouts);
  return rollouts.flatMap(({ rewards, response }) => watch.add(rewards, response.problem ?? null));
}

/** One line of rollouts.jsonl: what was said and what it earned. */
function groupRow(group: ScoredGroup) {
  return { sample: group.sample.id, rollouts: group.rollouts.map(recordRollout) };
}
