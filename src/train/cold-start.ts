// Supervised fine-tuning on conversations: the cold start that reinforcement begins from. Every draw is keyed by (seed, step).
import { join } from "node:path";
import type { ClipLibrary } from "../corpus/clips/clip-library.ts";
import type { Conversation } from "../data/conversations/conversation.ts";
import { cosineSchedule, linearSchedule } from "../nn/index.ts";
import { latestCheckpoint } from "../run/checkpoint.ts";
import type { DeepReadonly } from "../run/config.ts";
import { openStepLog } from "../run/metrics.ts";
import { batchOf } from "./batches.ts";
import { sftRateBySize } from "./by-size.ts";
import { ConversationExamples } from "./conversation-examples.ts";
import { LiveRows } from "./live-rows.ts";
import type { OpenedPolicy } from "./policy.ts";
import { type Objective, runSteps, type StepRun, type StepsDone } from "./run-steps.ts";
import { sftObjective } from "./sft.ts";
import type { SftConfig } from "./sft-config.ts";
import { sftEvaluation } from "./sft-evaluation.ts";

export interface SftTask {
  readonly config: DeepReadonly<SftConfig>;
  readonly models: OpenedPolicy;
  /** Has every clip of both. */
  readonly library: ClipLibrary;
  readonly learnt: readonly Conversation[];
  /** Empty: nothing is evaluated. */
  readonly heldOut: readonly Conversation[];
}

/** Answers of evaluations, beside evaluation.jsonl with their numbers. */
export const answersName = "answers.jsonl";

export function sftSteps({ steps, epochs, samplesPerStep }: SftTask["config"], numLearnt: number): number {
  return steps ?? Math.ceil((epochs * numLearnt) / samplesPerStep);
}

/** Trains to the last step; `run` says where and who watches. */
export async function trainSft(
  task: SftTask,
  run: Pick<StepRun, "directory" | "interrupt" | "onStep" | "onEvaluation" | "onNotice">,
): Promise<StepsDone> {
  const { config, models, library, heldOut } = task;
  const steps = sftSteps(config, task.learnt.length);
  const { warmupSteps: warmup, learningRateFloor: floor } = config;
  const schedule = config.schedule === "cosine" ? cosineSchedule : linearSchedule;
  const firstStep = latestCheckpoint(join(run.directory, "checkpoints"))?.step ?? 0;
  using answers = heldOut.length === 0 ? null : openStepLog(join(run.directory, answersName), firstStep);
  const evaluation = answers && {
    every: config.evalEvery,
    bestBy: { measure: "loss", better: "lower" } as const,
    evaluate: sftEvaluation({
      ...{ models, library, heldOut, answers, chunks: config },
      ...{ batchSize: config.samplesPerStep, evalAnswers: config.evalAnswers, maxNewTokens: config.maxNewTokens },
      safePoint: () => run.interrupt.safePoint(),
    }),
  };
  return await runSteps({
    ...run,
    steps,
    objective: conversationObjective(task),
    trainable: models.trainable,
    masters: models.masters,
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
    ...(evaluation === null ? {} : { evaluation }),
  });
}

function conversationObjective({ config, models, library, learnt }: SftTask): Objective {
  const { policy, trainsTowers, recomputes } = models;
  return {
    async gradients(step) {
      const batch = batchOf(learnt, config.samplesPerStep, config.seed, step);
      using live = trainsTowers ? new LiveRows(policy, library) : null;
      using examples = new ConversationExamples(policy, library, live === null ? undefined : (clip) => live.rows(clip));
      models.beginStep(step);
      const outcome = await sftObjective(policy, () => batch.flatMap((one) => examples.of(one)), {
        ...config,
        recomputes,
      }).gradients(step);
      live?.backward();
      return outcome;
    },
  };
}
