// Supervised fine-tuning on conversations: the cold start that reinforcement begins from. Every draw is keyed by (seed, step).
import { join } from "node:path";
import type { ClipOrder, ClipSource } from "../../corpus/clips/clip-source.ts";
import { type Conversation, clipsOf } from "../../data/conversations/conversation.ts";
import { cosineSchedule, linearSchedule } from "../../nn/index.ts";
import { latestCheckpoint } from "../../run/checkpoint.ts";
import type { DeepReadonly } from "../../run/config.ts";
import { openStepLog } from "../../run/metrics.ts";
import { alone, type World } from "../../tensor/index.ts";
import { batchOf } from "../batches.ts";
import { sftRateBySize } from "../by-size.ts";
import { LiveRows } from "../live-rows.ts";
import type { OpenedPolicy } from "../policy.ts";
import { type Objective, runSteps, type StepRun, type StepsDone } from "../run-steps.ts";
import { sftObjective } from "../sft.ts";
import type { SftConfig } from "../sft-config.ts";
import { metricsOverRanks } from "../world/over-ranks.ts";
import { agreedItems, hasUnits, partsOf } from "../world/share.ts";
import { evaluatedElsewhere } from "../world/together.ts";
import { ConversationExamples } from "./conversation-examples.ts";
import { type HeldOut, sftEvaluation } from "./sft-evaluation.ts";

export interface SftTask {
  readonly config: DeepReadonly<SftConfig>;
  readonly models: OpenedPolicy;
  readonly steps: number;
  /** What each step learns from. */
  readonly clips: ClipSource<Conversation>;
  /** null: nothing is evaluated. */
  readonly heldOut: HeldOut | null;
  /** Whether rank 0 has held-out rows; left out: whether they are here. */
  readonly isEvaluated?: boolean;
  /** The processes that make the steps together; left out: one. */
  readonly world?: World;
}

/** Answers of evaluations, beside evaluation.jsonl with their numbers. */
export const answersName = "answers.jsonl";

/** Which rows each step learns from: a function of the seed and the step alone. */
export function learningOrder(rows: readonly Conversation[], config: SftTask["config"]): ClipOrder<Conversation> {
  const { steps, epochs, samplesPerStep, seed } = config;
  return {
    items: rows,
    clipsOf: (row) => clipsOf([row]),
    batchAt: (step) => batchOf(rows, samplesPerStep, seed, step),
    steps: steps ?? Math.ceil((epochs * rows.length) / samplesPerStep),
  };
}

/** Trains to the last step; `run` says where and who watches. */
export async function trainSft(
  task: SftTask,
  run: Pick<StepRun, "directory" | "interrupt" | "onStep" | "onEvaluation" | "onNotice">,
): Promise<StepsDone> {
  const { config, models, heldOut, steps } = task;
  const { learningRateFloor: floor } = config;
  const warmup = config.warmupRatio === null ? config.warmupSteps : Math.ceil(config.warmupRatio * steps);
  const schedule = config.schedule === "cosine" ? cosineSchedule : linearSchedule;
  const firstStep = latestCheckpoint(join(run.directory, "checkpoints"))?.step ?? 0;
  using answers = heldOut === null ? null : openStepLog(join(run.directory, answersName), firstStep);
  const evaluation = answers && {
    every: config.evalEvery,
    bestBy: { measure: "loss", better: "lower" } as const,
    evaluate: sftEvaluation({
      ...{ ...heldOut!, models, answers, chunks: config },
      ...{ evalAnswers: config.evalAnswers, maxNewTokens: config.maxNewTokens },
      safePoint: () => run.interrupt.safePoint(),
    }),
  };
  return await runSteps({
    ...run,
    steps,
    ...(task.world === undefined ? {} : { world: task.world }),
    objective: conversationObjective(task),
    trainable: models.trainable,
    masters: models.masters,
    isSharded: config.shardOptimizer,
    optimizer: {
      learningRate: config.learningRate ?? sftRateBySize(models.numParameters, config.trainable),
      betas: [config.beta1, config.beta2],
      weightDecay: config.weightDecay,
      maxGradNorm: config.maxGradNorm,
      schedule: (step) => schedule(step, { total: steps, warmup, floor }),
    },
    checkpointEvery: config.checkpointEvery,
    keep: config.keep,
    tensorboard: config.tensorboard,
    ...(evaluation !== null ? { evaluation } : task.isEvaluated ? { evaluation: evaluatedElsewhere } : {}),
  });
}

function conversationObjective({ config, models, clips, world = alone }: SftTask): Objective {
  const { policy, trainsTowers, recomputes } = models;
  const sumWeights = (own: number) => world.sum("weights of targets", [own])[0]!;
  return {
    async gradients(step, turn) {
      const start = performance.now();
      const ready = agreedItems(world, await clips.ready(step));
      const parts = partsOf(world, ready.length);
      const batch = ready.filter((_, i) => hasUnits(parts[i]!));
      const wait = (performance.now() - start) / 1000;
      const { library } = clips;
      using live = trainsTowers ? new LiveRows(policy, library) : null;
      using examples = new ConversationExamples(policy, library, live === null ? undefined : (clip) => live.rows(clip));
      models.beginStep(step);
      const outcome = await sftObjective(policy, () => batch.flatMap((one) => examples.of(one)), {
        ...config,
        recomputes,
        sumWeights,
      }).gradients(step, turn);
      live?.backward();
      outcome.metrics.sum("timing_s/wait_clips", wait);
      return { ...outcome, metrics: metricsOverRanks(world, outcome.metrics) };
    },
  };
}
