// The method and its relatives (paper, Table 3) as differences from one another. Everything that is not said here is the
// default of train-config.ts and the same for all.
import type { KnownDelta } from "../corpus/known-delta.ts";
import { paperTerms } from "../rl/rewards/terms.ts";
import type { TrainConfigInput } from "./config.ts";

export interface Preset {
  readonly title: string;
  readonly config: TrainConfigInput;
  /** What is asked about a clip, where the method says it; left out: as the model was trained. */
  readonly question?: string;
}

const noPerception = { views: "none", perceptionLossWeight: 0, anchorWeight: 0 } as const;
/** The cues are measured all the same: arms are compared on them. */
const unpaidPerception = paperTerms.map((term) => (term.name === "omni" ? { ...term, weight: 0 } : { ...term }));
const unboundedPerception = {
  capNats: null,
  anchorWeight: 0,
  minChoiceEntropy: 0,
  maskRatio: 0.7,
  viewDraw: "all",
} as const;
const literalPerception = {
  ...unboundedPerception,
  views: "oppo",
  perceptionLossWeight: 8e-3,
  reduction: "sum",
} as const;

/** Of PAPO's release (arXiv 2507.06448); its double entropy is perception.entropyWeight. */
const releasedPapo = {
  ...unboundedPerception,
  views: "papo",
  perceptionLossWeight: 0.02,
  estimator: "k3",
  gradient: "full",
  reduction: "response-mean",
  capNats: 10,
} as const;

/** Of R1-Omni's reinforcement learning, whatever its rows ask. */
export const rlvrQuestion =
  "As an emotional recognition expert; throughout the video, which emotion conveyed by the characters is the most obvious to you?\n" +
  "Output the thinking process in <think> </think> and final emotion in <answer> </answer> tags.";

export const presets = {
  /** GRPO with R_acc and R_fmt. */
  baseline: { title: "GRPO baseline", config: { reward: { terms: unpaidPerception }, perception: noPerception } },
  /** + R_omni. */
  "reward-only": { title: "+ R_omni", config: { perception: noPerception } },
  /** + R_omni, and a price on what the emotion alone suggests: what a reward does without any masked input. */
  informed: {
    title: "+ R_omni, guesses unpaid",
    config: { reward: { terms: [...paperTerms, { name: "informed", weight: 1 }] }, perception: noPerception },
  },
  /** + R_omni and PAPO as released: one joint mask, every token, k3 through the full branch, capped at 10. */
  papo: { title: "+ PAPO", config: { perception: releasedPapo } },
  /** The same with the divergence itself in place of its estimate on the sampled token. */
  "papo-exact": { title: "+ PAPO, exact", config: { perception: { ...releasedPapo, estimator: "full-vocab" } } },
  /** + R_omni and PAPO with one mask per modality. */
  "papo-dual": { title: "+ PAPO-dual", config: { perception: { ...releasedPapo, views: "papoDual" } } },
  /**
   * A control of where the loss is put: PAPO-dual with all that OPPO's loss has, at a weight with which a token weighs what an evidence
   * token does (a view has one in six of the theatre's tokens). No token is left to anchor.
   */
  "papo-equal": {
    title: "PAPO-dual, OPPO's loss",
    config: { perception: { views: "papoDual", perceptionLossWeight: 0.18 } },
  },
  /** AffectGPT-R1 (arXiv 2508.01318): its best rewards are accuracy and format; the rest is its data (docs/paper.md). */
  "affectgpt-r1": { title: "AffectGPT-R1", config: { reward: { terms: unpaidPerception }, perception: noPerception } },
  /**
   * HumanOmni-V2 (arXiv 2506.21277): two of four rewards are a judge's (--judge), each credited to the part of the completion that it is
   * about; no standard deviation, a loss over tokens, a KL that falls to a quarter in half of the run.
   */
  "humanomni-v2": {
    title: "HumanOmni-V2",
    config: {
      reward: {
        terms: unpaidPerception,
        judged: [
          { name: "context", weight: 1 },
          { name: "logic", weight: 1 },
        ],
      },
      advantageSpans: [
        { term: "context", span: "context" },
        { term: "logic", span: "think" },
      ],
      advantageScale: "none",
      lossAggregation: "token-mean",
      referenceKlFloor: 0.25,
      perception: noPerception,
    },
  },
  /** OPPO's anchor without its loss: what holding the masked branch to the reference does by itself. */
  "anchor-only": { title: "anchor only", config: { perception: { perceptionLossWeight: 0 } } },
  /** OPPO on random tokens, as many as the evidence: whether routing matters. */
  "random-evidence": { title: "random evidence", config: { perception: { views: "random" } } },
  /** OPPO with the evidence of either modality under the other's mask: whether the modality matters. */
  "swapped-evidence": { title: "swapped evidence", config: { perception: { views: "swapped" } } },
  /** OPPO as we run it: mean over evidence tokens, capped, mixed mask ratios, anchored (docs/paper.md says why). */
  oppo: { title: "OPPO", config: {} },
  /**
   * Ours: a guess from the emotion is not paid; half of the prompts ask about one cue, of what the emotion suggests as often where it is as
   * where it is not; a tenth show a clip that lacks a modality, or another clip's, and are paid for what can be read of it; what is said of
   * a blank is learnt for other ways in which a modality is gone. Never trained on, so that they can be measured on: grey, mean
   * colour, low light, zeroed pixels, blocks, occlusion; white and pink noise, low-pass, zeroed log-mel, babble.
   */
  "oppo-family": {
    title: "OPPO, family of counterfactuals",
    config: {
      promptsPerStep: 48,
      probeShare: 0.5,
      reward: {
        terms: [
          ...paperTerms.map((term) => (term.name === "omni" ? { ...term, weight: 1 } : { ...term })),
          { name: "informed", weight: 1 },
          { name: "support", weight: 0.5 },
          { name: "verdict", weight: 1 },
        ],
      },
      perception: {
        ...noPerception,
        maskFamily: {
          video: ["units", "colour", "clouds", "blur", "pixel-noise", "swap"],
          audio: ["units", "hum", "chord", "rustle", "swap"],
        },
        maskRatio: 1,
        rolloutShare: 0.1,
        alikeWeight: 1,
        alikeKinds: 4,
      },
    },
  },
  /** OPPO to the letter of the paper: sum over evidence tokens, no cap, no anchor, rho 0.7, beta 8e-3. */
  "oppo-paper": {
    title: "OPPO, literal",
    config: { perception: literalPerception },
  },
  /**
   * The paper's run of a 7B model as far as it is told: 16 GPUs of one completion and two accumulations are 8 prompts, 3,262 steps
   * one epoch, at 2e-6. What it does not say is what the trainer of its family does (linear to 0, AdamW as torch has it), and
   * what one machine needs: bfloat16, layers computed again, a prompt at a time.
   */
  "oppo-paper-7b": {
    title: "OPPO, the paper's run",
    config: {
      perception: literalPerception,
      dtype: "bfloat16",
      recompute: "on",
      promptsPerMicroBatch: 1,
      steps: 3262,
      promptsPerStep: 8,
      groupSize: 4,
      maxNewTokens: 512,
      learningRate: 2e-6,
      warmupSteps: 0,
      learningRateFloor: 0,
      beta2: 0.999,
      checkpointEvery: 100,
    },
  },
  /**
   * R1-Omni's reinforcement with verifiable rewards (arXiv 2503.05379): an exact label and tags, no perception. 15,306 clips twice
   * at 16 prompts a step; what its trainer does by default (1e-6, linear to 0, AdamW as torch has it). The gate stays what the cold
   * start made of it.
   */
  "r1-omni": {
    title: "R1-Omni's RLVR",
    question: rlvrQuestion,
    config: {
      reward: {
        terms: [
          { name: "label", weight: 1 },
          { name: "tags", weight: 1 },
        ],
      },
      perception: noPerception,
      trainable: "full",
      parts: ["decoder", "projector"],
      steps: 1913,
      promptsPerStep: 16,
      groupSize: 8,
      maxNewTokens: 512,
      learningRate: 1e-6,
      warmupSteps: 0,
      learningRateFloor: 0,
      beta2: 0.999,
      checkpointEvery: 100,
    },
  },
} satisfies Record<string, Preset>;

/**
 * What `oppo embed calibrate` says for the embedder that the presets' delta (reward.similarityThreshold) was chosen with.
 * With another embedder a run warns until it is given a calibration of its own.
 */
export const calibratedDeltas: readonly KnownDelta[] = [{ embedder: "builtin-30-99f7957c", delta: 0.5, range: [0, 1] }];

export type PresetName = keyof typeof presets;
