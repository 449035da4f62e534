// GRPO and OPPO: one objective for the method and all its relatives; a preset says which. Reads top to bottom: batch, rollouts and
// scores (method/draw-step.ts), masked views and gradients (method/learn.ts). Every random draw is keyed by (seed, step, sample, rollout).
import { OppoError } from "../error.ts";
import { claimBank } from "../evidence/claims/claims.ts";
import { type CuePrior, cuePrior } from "../evidence/claims/cue-prior.ts";
import { cosineSchedule, linearSchedule } from "../nn/index.ts";
import { checkInvariants, tolerancesOf } from "../rl/invariants.ts";
import { shownMetrics } from "../rl/metrics.ts";
import { type RolloutRecord, recordGroup, TokenDivergences } from "../rl/record.ts";
import { type Notice, RewardWatch } from "../rl/reward-watch.ts";
import { claimTerms, makeTerms, priorTerms } from "../rl/rewards/terms.ts";
import type { ScoreOptions } from "../rl/score.ts";
import { defaultStepOptions, type StepOptions } from "../rl/step-options.ts";
import type { RewardBreakdown, ScoredGroup } from "../rl/types.ts";
import type { DeepReadonly } from "../run/config.ts";
import { deriveSeed } from "../seeds.ts";
import { alone } from "../tensor/index.ts";
import { batchOf } from "./batches.ts";
import { defaultsBySize } from "./by-size.ts";
import type { TrainConfig } from "./config.ts";
import { LiveRows } from "./live-rows.ts";
import { requireCompatible } from "./method/compatible.ts";
import { drawStep } from "./method/draw-step.ts";
import { learn } from "./method/learn.ts";
import { referenceSync } from "./method/reference-sync.ts";
import type { ClaimSources, GrpoTask } from "./method/task.ts";
import { readingReference } from "./observer/reference-reading.ts";
import { correctionOf } from "./rollouts/settings.ts";
import { type Objective, runSteps, type StepOutcome, type StepRun, type StepsDone } from "./run-steps.ts";
import { agreedItems } from "./world/share.ts";

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
    ...(task.world === undefined ? {} : { world: task.world }),
    objective: grpoObjective(task),
    trainable: models.trainable,
    masters: models.masters,
    isSharded: config.shardOptimizer,
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
    guards: { ...config.guards, weighsPerception: weighsPerception(config) },
  });
}

/** @throws ConfigError where settings do not go together, OppoError ERR_REWARD_JUDGE where terms have no judge */
export function grpoObjective(given: GrpoTask): Objective {
  const claims = given.claims ?? claimSources(given);
  const task = withReader({ ...given, claims });
  const { config, models } = task;
  requireCompatible(config);
  requireJudges(task);
  const maxNewTokens = config.maxNewTokens ?? defaultsBySize(models.numParameters, config.trainable).maxNewTokens;
  const scoring = scoreOptions(task, claims, maxNewTokens);
  const { recomputes, policy } = models;
  const options: StepOptions = { ...stepOptions(config), maxCompletionTokens: maxNewTokens, recomputes };
  const watch = new RewardWatch();
  const clock = () => performance.now() / 1000;
  const { referenceSyncEvery: every, referenceSyncMix: mix } = config;
  return {
    ...(every === null ? {} : referenceSync(models, every, mix)),
    check: (metrics) => checkInvariants(metrics, tolerancesOf(policy.dtype, task.rollouts?.areOurs === false)),
    remember: (rows) => {
      const accounts = rows.filter(({ asked }) => asked === undefined);
      for (const { reward, rewards, problem } of accounts.flatMap((row) => row.rollouts as RolloutRecord[])) {
        watch.add(ofAccount({ total: reward, parts: rewards }), problem);
      }
    },
    async gradients(step, turn): Promise<StepOutcome> {
      const start = clock();
      models.beginStep(step);
      const ready = (await task.clips?.ready(step)) ?? batchOf(task.samples, config.promptsPerStep, config.seed, step);
      const samples = agreedItems(task.world ?? alone, ready);
      const readyAt = clock();
      using live = models.trainsTowers ? new LiveRows(policy, task.library) : null;
      using own = await drawStep(task, samples, { step, live, maxNewTokens, scoring });
      const groups = own.drawn.map(({ group }) => group);
      const notices = stuckRewards(watch, groups);
      const divergences = new TokenDivergences();
      const metrics = shownMetrics(groups);
      // Of several processes each sees its own completions' divergences only: none is written rather than some.
      const onDivergence = (task.world ?? alone).size === 1 ? divergences.add : () => undefined;
      metrics.merge(learn(task, own.drawn, { step, live, turn, options, onDivergence }));
      metrics.merge(own.metrics);
      metrics.sum("timing_s/wait_clips", readyAt - start);
      return { metrics, rows: groups.map((group) => ({ ...recordGroup(group, divergences) })), notices };
    },
  };
}

/** The reference reads cues itself where it is asked to. */
function withReader(task: GrpoTask): GrpoTask {
  const { config, models, library, promptText } = task;
  if (config.perception.support !== "reference") return task;
  const { tokensPerChunk } = config;
  return { ...task, readCues: readingReference({ reference: models.reference, library, promptText, tokensPerChunk }) };
}

function requireJudges({ config, judged = [] }: GrpoTask): void {
  const missing = config.reward.judged.filter(({ name }) => !judged.some((term) => term.name === name));
  if (missing.length === 0) return;
  throw new OppoError(
    "ERR_REWARD_JUDGE",
    `reward.judged: expected a judge for ${missing.map(({ name }) => name).join(", ")}, got none. Name a server with --judge URL#MODEL, or take another preset.`,
  );
}

function weighsPerception({ perception }: DeepReadonly<TrainConfig>): boolean {
  return perception.views !== "none" && perception.perceptionLossWeight !== 0;
}

const asksFor = ({ reward }: GrpoTask["config"], names: readonly string[]) =>
  reward.terms.some(({ name }) => names.includes(name));

/** What claims are looked up in and probes drawn from, where they are asked for: the corpus' cues, and how often they go with an emotion, counted once. */
export function claimSources({
  config,
  samples,
  embedder,
}: Pick<GrpoTask, "config" | "samples" | "embedder">): ClaimSources {
  const asksProbes = config.probeShare > 0;
  if (!asksFor(config, claimTerms) && !asksProbes) return {};
  const bank = claimBank(samples, deriveSeed(config.seed, "claims"));
  if (!asksFor(config, priorTerms) && !asksProbes) return { claimBank: bank };
  let prior: Promise<CuePrior> | null = null;
  return {
    claimBank: bank,
    claimPrior: () => {
      prior ??= cuePrior(samples, bank, embedder, deriveSeed(config.seed, "prior"));
      return prior;
    },
  };
}

type Scoring = Pick<GrpoTask, "config" | "embedder" | "emotionScore" | "judged">;

/** How completions are scored. */
export function scoreOptions(
  { config, embedder, emotionScore, judged = [] }: Scoring,
  claims: ClaimSources,
  maxNewTokens: number,
): ScoreOptions {
  const { terms, similarityThreshold, emptyKind, combineKinds, requireWellFormed } = config.reward;
  const setting = { emotionScore, similarityThreshold, empty: emptyKind, combine: combineKinds };
  return {
    embedder,
    ...(asksFor(config, claimTerms) ? claims : {}),
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
    spans: config.advantageSpans,
  };
}

function stepOptions(config: DeepReadonly<TrainConfig>): StepOptions {
  const { perception } = config;
  return {
    ...defaultStepOptions,
    temperature: config.temperature,
    clip: { clipLow: config.clipLow, clipHigh: config.clipHigh, dualClip: config.dualClip },
    oldLogprobs: config.oldLogprobs,
    ratioLevel: config.ratioLevel,
    entropyWeight: config.entropyWeight,
    correction: correctionOf(config),
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
    alikeWeight: perception.alikeWeight,
    promptsPerMicroBatch: config.promptsPerMicroBatch,
    tokensPerChunk: config.tokensPerChunk,
  };
}

function stuckRewards(watch: RewardWatch, groups: readonly ScoredGroup[]): Notice[] {
  // An answer to a probe has nothing of most terms.
  const rollouts = groups.flatMap((group) => (group.asked === undefined ? group.rollouts : []));
  return rollouts.flatMap(({ rewards, response }) => watch.add(ofAccount(rewards), response.problem ?? null));
}

/** Without the verdict, which an account never has. */
function ofAccount({ total, parts }: Pick<RewardBreakdown, "total" | "parts">) {
  const { verdict: _, ...own } = parts;
  return { total, parts: own };
}
