// Everything that a GRPO or OPPO run can be told, as one schema: defaults are the demo's, descriptions give the paper's
// symbol, value and source. Presets (presets.ts) are spreads over the defaults.
import { z } from "zod";

const unit = z.number().min(0).max(1);
const positive = z.number().positive();

export const rewardSchema = z.strictObject({
  accuracyWeight: z.number().min(0).default(1).describe("weight of R_acc (Eq. 5, 27)"),
  formatWeight: z.number().min(0).default(1).describe("weight of R_fmt (Eq. 5, 28)"),
  perceptionRewardWeight: z.number().min(0).default(0.5).describe("alpha, weight of R_omni (Eq. 5); paper 0.5"),
  similarityThreshold: unit
    .default(0.5)
    .describe("delta of the hit score and of evidence tokens (Eq. 3, 9); paper 0.5"),
  emptyKind: z
    .enum(["zero", "skip"])
    .default("zero")
    .describe("a cue kind without cues: counts 0, or is left out (paper silent)"),
});

export const perceptionSchema = z.strictObject({
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
    .enum(["full-vocab", "k1", "k2", "k3"])
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
  steps: z.int().min(1).default(60).describe("optimiser steps; paper 3,262"),
  promptsPerStep: z.int().min(1).default(16).describe("prompts per optimiser step; paper 8"),
  groupSize: z.int().min(2).default(4).describe("G, completions per prompt; paper 4"),
  maxNewTokens: z.int().min(1).default(64).describe("longest completion"),
  temperature: positive.default(1).describe("of sampling and of the trained distribution"),
  learningRate: positive.default(3e-4).describe("paper 2e-6 (7B)"),
  warmupSteps: z.int().min(0).default(10).describe("linear warm-up"),
  learningRateFloor: unit.default(0.1).describe("share of the learning rate at the last step (linear decay)"),
  weightDecay: z.number().min(0).default(0),
  beta1: unit.default(0.9).describe("AdamW"),
  beta2: unit.default(0.98).describe("AdamW"),
  maxGradNorm: positive.default(1).describe("gradient clipping"),
  referenceKlWeight: z.number().min(0).default(0.04).describe("KL to the frozen reference, k3; paper 0.04"),
  advantageScale: z
    .enum(["group", "none", "batch"])
    .default("group")
    .describe("divide by the group's std, by nothing (Dr.GRPO), by the batch's"),
  lossAggregation: z.enum(["seq-mean", "token-mean", "constant"]).default("seq-mean").describe("GRPO, DAPO, Dr.GRPO"),
  clipLow: unit.default(0.2),
  clipHigh: z.number().min(0).default(0.2),
  checkpointEvery: z.int().min(1).default(20).describe("steps between checkpoints"),
  reward: rewardSchema.prefault({}),
  perception: perceptionSchema.prefault({}),
});

export type TrainConfig = z.infer<typeof trainSchema>;
export type TrainConfigInput = z.input<typeof trainSchema>;
