// Everything that a GRPO or OPPO run can be told, as one schema: defaults are the demo's; beside each stands the paper's symbol,
// value and place. Presets (presets.ts) are spreads over the defaults.
import { z } from "zod";
import { judgedNames } from "../corpus/judges/judged-terms.ts";
import { count, deltaSetting, optionalCount, seedSetting, wholeNumber } from "../corpus/settings.ts";
import { ownKinds, swapKind, unitsKind } from "../media/degrade/degrade.ts";
import { paperTerms, type RewardTermName, rewardTerms, termProblem } from "../rl/rewards/terms.ts";
import { learnerSettings } from "./learner-settings.ts";
import { updateSettings } from "./method/update-settings.ts";
import { rolloutSettings } from "./rollouts/settings.ts";
import { guardSettings } from "./watch/guards.ts";
import { watchSettings } from "./watch/watch-settings.ts";

const unit = z.number().min(0).max(1);
const positive = z.number().positive();
const weight = z.number().min(0);

const termNames = Object.keys(rewardTerms) as [RewardTermName, ...RewardTermName[]];

export const rewardSchema = z.strictObject({
  terms: z
    .array(z.strictObject({ name: z.enum(termNames), weight: z.number() }))
    .min(1)
    .refine((terms) => termProblem(terms) === null, { error: ({ input }) => `${termProblem(input as never)}.` })
    .default([...paperTerms])
    .meta({
      description: "what is paid for, with weights; of omni it is alpha; weight 0: measured only",
      standard: paperTerms.map((term) => `${term.name} ${term.weight}`).join(", "),
      symbol: "alpha",
      paper: "0.5",
      source: "Eq. 5",
    }),
  judged: z
    .array(z.strictObject({ name: z.enum(judgedNames), weight: z.number() }))
    .refine((terms) => termProblem(terms) === null, { error: ({ input }) => `${termProblem(input as never)}.` })
    .default([])
    .meta({
      description:
        "terms that a language model (judge) is asked for, with weights: context and logic as HumanOmni-V2 has them, preference as AffectGPT-R1",
      standard: "none",
    }),
  maxUnjudged: unit
    .default(0.25)
    .describe("share of a step's judgements that may fail; a failed one is missing, never 0"),
  similarityThreshold: deltaSetting,
  emptyKind: z
    .enum(["zero", "skip"])
    .default("zero")
    .meta({ description: "a cue kind without cues: counts 0, or is left out", paper: "silent", source: "Eq. 4" }),
  combineKinds: z.enum(["sum", "mean"]).default("sum").meta({
    description: "of the three cue kinds in R_omni: sum as the equation is printed, mean as its prose says",
    paper: "sum",
    source: "Eq. 4",
  }),
  requireWellFormed: z.boolean().default(true).meta({
    description: "a malformed response has no clauses: R_omni 0, no evidence tokens",
    paper: "silent",
  }),
});

/** Kinds of one modality's counterfactuals. */
const familyOf = (modality: "video" | "audio") =>
  z
    .array(z.enum([swapKind, ...ownKinds[modality]]))
    .min(1)
    .default([unitsKind])
    .meta({
      description: `kinds of ${modality} counterfactuals, each drawn as often: units (a share of the tokens blank), ${swapKind} (another clip's) or a kind of degradation`,
      paper: "units",
      source: "Eq. 6",
    });

const perceptionFields = z.strictObject({
  views: z.enum(["none", "oppo", "papo", "papoDual", "random", "swapped"]).default("oppo").meta({
    description:
      "which masked inputs are compared on which tokens; controls: random (as many tokens as the evidence), swapped (of the other modality)",
    paper: "oppo",
    source: "Eq. 6 to 10",
  }),
  perceptionLossWeight: weight
    .default(0.03)
    .meta({ description: "of J_omni", symbol: "beta", paper: "8e-3, of the sum", source: "Eq. 11" }),
  maskRatio: z
    .union([unit, z.literal("mixed")])
    .default("mixed")
    .meta({
      description: "share of a modality that is masked; mixed: half 1.0, half U(0.5, 0.95)",
      symbol: "rho",
      paper: "0.7",
      source: "Eq. 6",
    }),
  maskFamily: z.strictObject({ video: familyOf("video"), audio: familyOf("audio") }).prefault({}),
  maskDoses: z
    .strictObject({
      low: unit.default(0.5).describe("smallest dose"),
      high: unit.default(0.95).describe("largest dose below the whole"),
      full: unit.default(0.5).describe("how often it is the whole"),
    })
    .nullable()
    .default(null)
    .meta({ description: "doses of every kind in place of maskRatio; ours", standard: "as maskRatio says" }),
  support: z.enum(["none", "mask", "observer", "reference"]).default("none").meta({
    description:
      "who says which cues can still be read under a mask, and so are not pressed: nobody (nothing can), the mask (all of it, unless the dose is whole), an observer learnt from the corpus' cues, the frozen reference (how much likelier it still finds the cue than of a blank); a swapped-in clip's own cues always can. Ours",
    paper: "none",
  }),
  target: z.enum(["farthest", "calibrated"]).default("farthest").meta({
    description:
      "of an evidence token's divergence: as far as the cap, by what cannot be read; or that share of the cap and no more. Ours",
    paper: "farthest",
  }),
  holdWeight: weight
    .default(1)
    .meta({ description: "gamma: of a divergence beyond a calibrated target", symbol: "gamma" }),
  rolloutShare: unit.default(0).meta({
    description:
      "share of a step's prompts that are asked about a clip of the family and paid for what can be read of it; ours",
    paper: "0",
  }),
  alikeWeight: weight.default(0).meta({
    description:
      "of KL(what is said of a blank || of a clip whose modality is gone in another way), on completions about blanks; ours",
  }),
  alikeKinds: count.default(1).describe("kinds of the family that one blank is compared with"),
  estimator: z
    .enum(["full-vocab", "k1", "k2", "k3", "k2-k1"])
    .default("full-vocab")
    .meta({ description: "of the divergence", paper: "not said", source: "Eq. 7, 8" }),
  gradient: z.enum(["both", "full", "masked"]).default("both").meta({
    description: "branches that the divergence's gradient flows through",
    paper: "not said",
    source: "Eq. 7, 8",
  }),
  reduction: z
    .enum(["mean", "sum", "response-mean"])
    .default("mean")
    .meta({ description: "of J_omni over evidence tokens", paper: "sum", source: "Eq. 10" }),
  capNats: positive.nullable().default(2).meta({
    description: "divergence per token beyond which there is no gradient; null: none",
    value: "nats",
    paper: "none",
  }),
  anchorWeight: weight
    .default(0.2)
    .meta({ description: "of KL(masked policy || masked reference) on other tokens; ours", paper: "none" }),
  anchorTo: z.enum(["reference", "full"]).default("reference").meta({
    description: "what the anchor holds those tokens to: the masked reference, or the policy's own unmasked branch",
  }),
  anchorUntil: z.enum(["end", "last-token"]).default("last-token").meta({
    description: "how far a masked branch is read and anchored: to the completion's end, or to its view's last token",
  }),
  viewDraw: z.enum(["all", "half-of-rollouts", "half-of-views"]).default("half-of-views").meta({
    description:
      "masked branches of every rollout, or of a drawn half with weight 2: half of each prompt's, or one of its views",
    paper: "all",
  }),
  viewPasses: z.enum(["one", "each"]).default("each").meta({
    description: "views as one pass, which takes the memory of both, or a pass for each; the result is the same",
  }),
  sharedPrefix: z.boolean().default(true).meta({
    description:
      "what of a prompt lies before its masked modality is computed once for all inputs; the result is the same",
  }),
  minChoiceEntropy: weight.default(0).meta({
    description: "nats of the reference's entropy below which an evidence token counts as forced and is anchored; ours",
    value: "nats",
    paper: "0",
  }),
  entropyWeight: weight.default(0).meta({
    description: "of the entropies of both branches; PAPO 0.03 to 0.05",
    source: "PAPO's double entropy",
  }),
});

export const perceptionSchema = perceptionFields.refine(
  ({ target, capNats, estimator }) => target === "farthest" || (capNats !== null && estimator === "full-vocab"),
  { error: "expected capNats and the full-vocab estimator for a calibrated target, which is a share of the cap." },
);

export const trainSchema = z.strictObject({
  seed: seedSetting("seed of batches, samples and masks"),
  ...learnerSettings,
  steps: count.default(60).meta({ description: "optimiser steps", paper: "3262" }),
  promptsPerStep: count.default(16).meta({ description: "prompts per optimiser step", paper: "8" }),
  probeShare: unit.default(0).meta({
    description:
      "share of a step's prompts that ask whether the clip has one cue, of what its emotion suggests as often where it is as where it is not, paid by the reward term verdict; ours",
    paper: "0",
  }),
  groupSize: z.int().min(2).default(4).meta({ description: "completions per prompt", symbol: "G", paper: "4" }),
  maxNewTokens: optionalCount("longest completion", "by the model's size"),
  temperature: positive.default(1).meta({
    description: "of the policy that is sampled and trained: logits are divided by it",
    paper: "not said",
  }),
  referenceKlWeight: weight.default(0.04).meta({ description: "of the KL to the frozen reference", paper: "0.04" }),
  referenceKlEstimator: z
    .enum(["k1", "k2", "k3", "full-vocab"])
    .default("k3")
    .meta({ description: "estimator of that KL", paper: "not said" }),
  advantageScale: z.enum(["group", "none", "batch"]).default("group").meta({
    description: "divide by the group's std, by nothing (Dr.GRPO), by the batch's",
    paper: "not said",
  }),
  advantageBaseline: z.enum(["group", "leave-one-out"]).default("group").meta({
    description: "a reward is compared with its group's mean, or with that of the others (RLOO)",
    paper: "not said",
  }),
  advantageCombination: z.enum(["sum-then-normalize", "normalize-then-sum"]).default("sum-then-normalize").meta({
    description: "terms of the reward are summed and normalised, or normalised one by one and summed (GDPO)",
    paper: "not said",
  }),
  advantageMinStd: weight.default(0).describe("a group's std never counts as smaller"),
  lossAggregation: z
    .enum(["seq-mean", "token-mean", "constant"])
    .default("seq-mean")
    .meta({ description: "as GRPO, DAPO or Dr.GRPO do", paper: "not said" }),
  clipLow: unit.default(0.2).describe("the ratio is not rewarded below 1 - clipLow"),
  clipHigh: weight.default(0.2).describe("nor above 1 + clipHigh; DAPO 0.28"),
  dualClip: z
    .number()
    .min(1)
    .nullable()
    .default(null)
    .meta({ description: "floor of the objective for a negative advantage", standard: "none" }),
  ...updateSettings,
  ...rolloutSettings,
  overlongBuffer: wholeNumber
    .default(0)
    .describe(
      "tokens before the limit from which on length is punished, falling to -overlongWeight (DAPO); 0: it is not",
    ),
  overlongWeight: weight.default(1).describe("of that punishment"),
  truncated: z
    .enum(["keep", "mask"])
    .default("keep")
    .describe("completions that the token limit ended: kept, or left out of the loss (DAPO)"),
  checkpointEvery: count.default(20).describe("steps between checkpoints"),
  ...watchSettings,
  ...guardSettings,
  reward: rewardSchema.prefault({}),
  perception: perceptionSchema.prefault({}),
});

export type TrainConfig = z.infer<typeof trainSchema>;
export type TrainConfigInput = z.input<typeof trainSchema>;
