// Everything that a GRPO or OPPO run can be told, as one schema: defaults are the demo's, descriptions give the paper's
// symbol, value and source. Presets (presets.ts) are spreads over the defaults.
import { z } from "zod";
import { paperTerms, type RewardTermName, rewardTerms, termProblem } from "../rl/rewards/terms.ts";

const unit = z.number().min(0).max(1);
const positive = z.number().positive();

const termNames = Object.keys(rewardTerms) as [RewardTermName, ...RewardTermName[]];

const rewardSchema = z.strictObject({
  terms: z
    .array(z.strictObject({ name: z.enum(termNames), weight: z.number() }))
    .min(1)
    .refine((terms) => termProblem(terms) === null, { error: ({ input }) => `${termProblem(input as never)}.` })
    .default([...paperTerms])
    .describe("what is paid for, with weights (Eq. 5); of omni it is alpha, paper 0.5; weight 0: measured only"),
  similarityThreshold: unit
    .default(0.5)
    .describe("delta of the hit score and of evidence tokens (Eq. 3, 9); paper 0.5"),
  emptyKind: z
    .enum(["zero", "skip"])
    .default("zero")
    .describe("a cue kind without cues: counts 0, or is left out (paper silent)"),
  combineKinds: z
    .enum(["sum", "mean"])
    .default("sum")
    .describe("of the three cue kinds in R_omni: sum as Eq. 4 is printed, mean as its prose says"),
  requireWellFormed: z
    .boolean()
    .default(true)
    .describe("a malformed response has no clauses: R_omni 0, no evidence tokens (paper silent)"),
});

const perceptionSchema = z.strictObject({
  views: z
    .enum(["none", "oppo", "papo", "papoDual"])
    .default("oppo")
    .describe("which masked inputs are compared on which tokens (Eq. 6 to 10)"),
  perceptionLossWeight: z.number().min(0).default(0.03).describe("beta of J_total; paper 8e-3 (of the sum)"),
  maskRatio: z
    .union([unit, z.literal("mixed")])
    .default("mixed")
    .describe("rho; paper 0.7. mixed: half 1.0, half U(0.5, 0.95)"),
  estimator: z
    .enum(["full-vocab", "k1", "k2", "k3", "k2-k1"])
    .default("full-vocab")
    .describe("divergence estimator of Eq. 7 and 8"),
  gradient: z
    .enum(["both", "full", "masked"])
    .default("both")
    .describe("branches that the divergence's gradient flows through"),
  reduction: z
    .enum(["mean", "sum", "response-mean"])
    .default("mean")
    .describe("of J_omni over evidence tokens; paper sum (Eq. 10)"),
  capNats: positive
    .nullable()
    .default(2)
    .describe("divergence per token beyond which there is no gradient; paper none"),
  anchorWeight: z
    .number()
    .min(0)
    .default(0.2)
    .describe("KL(masked policy || masked reference) on other tokens; ours, paper none"),
  anchorTo: z
    .enum(["reference", "full"])
    .default("reference")
    .describe("what the anchor holds those tokens to: the masked reference, or the policy's own unmasked branch"),
  minChoiceEntropy: z
    .number()
    .min(0)
    .default(0)
    .describe(
      "nats of the reference's entropy below which an evidence token counts as forced and is anchored; ours, paper 0",
    ),
  entropyWeight: z.number().min(0).default(0).describe("PAPO's double entropy regularisation; PAPO 0.03 to 0.05"),
});

export const trainSchema = z.strictObject({
  seed: z.int().min(0).default(0).describe("seed of batches, samples and masks"),
  trainable: z
    .enum(["full", "decoder", "lora"])
    .default("decoder")
    .describe("what learns: everything, all but the towers, or an adapter on the decoder's projections"),
  lora: z
    .strictObject({
      rank: z.int().min(1).default(16).describe("of the adapter"),
      alpha: positive.default(32).describe("the adapter's scale is alpha / rank"),
    })
    .prefault({}),
  device: z.string().min(1).default("cpu").describe("where the models are: cpu, cuda, cuda:1"),
  steps: z.int().min(1).default(60).describe("optimiser steps; paper 3,262"),
  promptsPerStep: z.int().min(1).default(16).describe("prompts per optimiser step; paper 8"),
  groupSize: z.int().min(2).default(4).describe("G, completions per prompt; paper 4"),
  maxNewTokens: z.int().min(1).default(64).describe("longest completion"),
  temperature: positive
    .default(1)
    .describe("of the policy that is sampled and trained: logits are divided by it (paper silent)"),
  learningRate: positive.default(3e-4).describe("paper 2e-6 (7B)"),
  warmupSteps: z.int().min(0).default(10).describe("linear warm-up"),
  learningRateFloor: unit.default(0.1).describe("share of the learning rate at the last step (linear decay)"),
  weightDecay: z.number().min(0).default(0),
  beta1: unit.default(0.9).describe("AdamW"),
  beta2: unit.default(0.98).describe("AdamW"),
  maxGradNorm: positive.default(1).describe("gradient clipping"),
  referenceKlWeight: z.number().min(0).default(0.04).describe("KL to the frozen reference; paper 0.04"),
  referenceKlEstimator: z
    .enum(["k1", "k2", "k3", "full-vocab"])
    .default("k3")
    .describe("estimator of that KL (paper silent)"),
  advantageScale: z
    .enum(["group", "none", "batch"])
    .default("group")
    .describe("divide by the group's std, by nothing (Dr.GRPO), by the batch's"),
  advantageMinStd: z.number().min(0).default(0).describe("a group's std never counts as smaller"),
  lossAggregation: z.enum(["seq-mean", "token-mean", "constant"]).default("seq-mean").describe("GRPO, DAPO, Dr.GRPO"),
  clipLow: unit.default(0.2).describe("the ratio is not rewarded below 1 - clipLow"),
  clipHigh: z.number().min(0).default(0.2).describe("nor above 1 + clipHigh; DAPO 0.28"),
  dualClip: z.number().min(1).nullable().default(null).describe("floor of the objective for a negative advantage"),
  oldLogprobs: z
    .enum(["current", "sampler"])
    .default("current")
    .describe("what the ratio is taken against: exactly 1, or what the sampler reported"),
  truncated: z
    .enum(["keep", "mask"])
    .default("keep")
    .describe("completions that the token limit ended: kept, or left out of the loss (DAPO)"),
  promptsPerMicroBatch: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .describe("prompts whose graphs are alive at once; null: all"),
  tokensPerChunk: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .describe("tokens with vocabulary-sized rows at once; null: what is fast"),
  checkpointEvery: z.int().min(1).default(20).describe("steps between checkpoints"),
  reward: rewardSchema.prefault({}),
  perception: perceptionSchema.prefault({}),
});

export type TrainConfig = z.infer<typeof trainSchema>;
export type TrainConfigInput = z.input<typeof trainSchema>;
