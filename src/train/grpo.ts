// GRPO and OPPO: one recipe for the method and all its relatives; a preset says which. Reads top to bottom: batch, rollouts,
// scores, masked views, step, log, checkpoint. Every random draw is keyed by (seed, step, sample, rollout), so a run that
// was stopped goes on as if it had not been.
import { join } from "node:path";
import type { ClipLibrary } from "../corpus/clip-library.ts";
import type { Sample } from "../data/sample.ts";
import type { Embedder } from "../evidence/cue.ts";
import type { ModelPrompt, OmniModel } from "../models/omni-model.ts";
import { AdamW, linearSchedule } from "../nn/index.ts";
import { checkInvariants } from "../rl/invariants.ts";
import { rolloutMetrics } from "../rl/metrics.ts";
import type { PromptPair, TrainGroup } from "../rl/plan.ts";
import { accuracyReward, type EmotionScore } from "../rl/rewards/accuracy.ts";
import { formatReward } from "../rl/rewards/format.ts";
import { omniReward } from "../rl/rewards/omni.ts";
import { sampleGroups } from "../rl/rollout.ts";
import { type ScoreOptions, scoreGroups } from "../rl/score.ts";
import { trainStep } from "../rl/step.ts";
import { defaultStepOptions, type StepOptions } from "../rl/step-options.ts";
import type { RewardTerm, ScoredGroup, ViewName } from "../rl/types.ts";
import { drawMasks, neededViews, viewSelectors } from "../rl/views.ts";
import { latestCheckpoint, saveCheckpoint } from "../run/checkpoint.ts";
import type { DeepReadonly } from "../run/config.ts";
import type { Interrupt } from "../run/interrupt.ts";
import { openStepLog } from "../run/metrics.ts";
import { openSafetensors, scope, type Tensor, writeSafetensors } from "../tensor/index.ts";
import { batchOf } from "./batches.ts";
import type { TrainConfig } from "./config.ts";

export interface GrpoRun {
  readonly config: DeepReadonly<TrainConfig>;
  readonly policy: OmniModel;
  /** The frozen start of the policy. */
  readonly reference: OmniModel;
  /** The parameters that learn, by checkpoint key. */
  readonly trainable: ReadonlyMap<string, Tensor>;
  readonly library: ClipLibrary;
  readonly samples: readonly Sample[];
  readonly promptText: (sample: Sample) => string;
  readonly embedder: Embedder;
  readonly emotionScore: EmotionScore;
  /** Holds metrics.jsonl, rollouts.jsonl and checkpoints/. */
  readonly directory: string;
  readonly interrupt: Interrupt;
  readonly onStep?: (step: number, metrics: Readonly<Record<string, number>>) => void;
}

/** Trains to the last step, from the newest checkpoint in the run's directory if there is one. */
export async function trainGrpo(run: GrpoRun): Promise<void> {
  const { config, policy, reference, library } = run;
  const trainable = [...run.trainable.values()];
  using optimizer = new AdamW([{ parameters: trainable }], {
    lr: config.learningRate,
    betas: [config.beta1, config.beta2],
    weightDecay: config.weightDecay,
  });
  const checkpoints = join(run.directory, "checkpoints");
  const firstStep = restore(checkpoints, run.trainable, optimizer);
  using log = openStepLog(join(run.directory, "metrics.jsonl"), firstStep);
  using rollouts = openStepLog(join(run.directory, "rollouts.jsonl"), firstStep);
  const scoring = scoreOptions(run);
  const options = stepOptions(config);
  const clock = () => performance.now() / 1000;
  const checkpoint = (step: number) =>
    saveCheckpoint(checkpoints, step, (directory) => save(directory, run.trainable, optimizer), { keepLast: 1 });

  for (let step = firstStep; step < config.steps; step++) {
    try {
      await run.interrupt.safePoint();
    } catch (error) {
      if (step > firstStep) await checkpoint(step);
      throw error;
    }
    const start = clock();
    const samples = batchOf(run.samples, config.promptsPerStep, config.seed, step);
    const prompts = samples.map((sample) => ({ sample, prompt: library.prompt(sample.id, run.promptText(sample)) }));
    const sampled = scope(() => sampleGroups(policy, prompts, { ...config, step }));
    const sampledAt = clock();
    const groups = await scoreGroups(sampled, scoring);
    const scoredAt = clock();

    const masked = maskedPrompts(run, prompts, groups, step);
    const encodedAt = clock();
    const lr =
      config.learningRate *
      linearSchedule(step, { total: config.steps, warmup: config.warmupSteps, floor: config.learningRateFloor });
    const trained = scope(() =>
      trainStep({ policy, reference, optimizer, trainable, clock }, masked.groups, options, lr),
    );
    masked.dispose();
    if (step === 0) checkInvariants(trained);

    const metrics = {
      ...rolloutMetrics(groups),
      ...trained,
      step_time: clock() - start,
      "timing_s/rollout": sampledAt - start,
      "timing_s/reward": scoredAt - sampledAt,
      "timing_s/encode": encodedAt - scoredAt,
    };
    log.append({ step, ...metrics });
    for (const group of groups) rollouts.append({ step, ...rolloutRow(group) });
    run.onStep?.(step, metrics);
    if ((step + 1) % config.checkpointEvery === 0 || step + 1 === config.steps) {
      await checkpoint(step + 1);
    }
  }
}

function scoreOptions({ config, embedder, emotionScore }: GrpoRun): ScoreOptions {
  const { reward } = config;
  const terms: RewardTerm[] = [accuracyReward(emotionScore, reward.accuracyWeight), formatReward(reward.formatWeight)];
  // Without a weight it is still measured: the arms are compared on it.
  terms.push(
    omniReward({
      weight: reward.perceptionRewardWeight,
      similarityThreshold: reward.similarityThreshold,
      empty: reward.emptyKind,
    }),
  );
  return {
    embedder,
    terms,
    similarityThreshold: reward.similarityThreshold,
    advantage: { scale: config.advantageScale, epsilon: 1e-4, minStd: 0 },
    requireWellFormed: true,
  };
}

function stepOptions(config: DeepReadonly<TrainConfig>): StepOptions {
  const { perception } = config;
  return {
    ...defaultStepOptions,
    clip: { clipLow: config.clipLow, clipHigh: config.clipHigh, dualClip: null },
    aggregation: config.lossAggregation,
    maxCompletionTokens: config.maxNewTokens,
    referenceKl: { weight: config.referenceKlWeight, estimator: "k3" },
    views: viewSelectors[perception.views],
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
    minChoiceEntropy: perception.minChoiceEntropy,
    maxGradNorm: config.maxGradNorm,
  };
}

/** The counterfactual inputs of a step: one mask per prompt, view and step, shared by the prompt's rollouts. */
function maskedPrompts(
  run: GrpoRun,
  prompts: readonly { readonly sample: Sample; readonly prompt: ModelPrompt }[],
  scored: readonly ScoredGroup[],
  step: number,
): { groups: TrainGroup[]; dispose: () => void } {
  const { config, library } = run;
  const selector = viewSelectors[config.perception.views];
  const owned: Disposable[] = [];
  const groups = prompts.map(({ sample, prompt }, g): TrainGroup => {
    const { rollouts } = scored[g]!;
    const masked: Partial<Record<ViewName, PromptPair>> = {};
    for (const view of neededViews(rollouts, selector)) {
      const masks = drawMasks(config.perception.maskRatio, { seed: config.seed, step, sampleId: sample.id }, view);
      const [rows] = library.maskedRows([{ sampleId: sample.id, masks }]);
      owned.push(rows!);
      masked[view] = { policy: { tokens: prompt.tokens, rows: rows! } };
    }
    return { prompt: { policy: prompt }, masked, rollouts };
  });
  return {
    groups,
    dispose() {
      for (const rows of owned) rows[Symbol.dispose]();
    },
  };
}

/** One line of rollouts.jsonl: what was said and what it earned. */
function rolloutRow(group: ScoredGroup) {
  return {
    sample: group.sample.id,
    rollouts: group.rollouts.map((scored) => ({
      text: scored.rollout.text,
      reward: round(scored.rewards.total),
      ...Object.fromEntries(Object.entries(scored.rewards.parts).map(([name, value]) => [name, round(value)])),
      advantage: round(scored.advantage),
      evidenceTokens: { video: scored.evidence.video.length, audio: scored.evidence.audio.length },
    })),
  };
}

function round(value: number): number {
  return Number(value.toFixed(4));
}

const policyFile = "policy.safetensors";
const optimizerFile = "optimizer.safetensors";

function save(directory: string, trainable: ReadonlyMap<string, Tensor>, optimizer: AdamW): void {
  writeSafetensors(join(directory, policyFile), trainable);
  scope(() => writeSafetensors(join(directory, optimizerFile), optimizer.state()));
}

/** Loads the newest checkpoint into the parameters and the optimizer. @returns the step to go on with. */
function restore(folder: string, trainable: ReadonlyMap<string, Tensor>, optimizer: AdamW): number {
  const checkpoint = latestCheckpoint(folder);
  if (checkpoint === null) return 0;
  scope(() => {
    using policy = openSafetensors(join(checkpoint.directory, policyFile));
    for (const [name, parameter] of trainable) parameter.detach().copy_(policy.tensor(name));
    using state = openSafetensors(join(checkpoint.directory, optimizerFile));
    optimizer.loadState(new Map([...state.entries.keys()].map((name) => [name, state.tensor(name)])));
  });
  return checkpoint.step;
}
