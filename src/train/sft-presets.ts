// Cold starts as differences from the defaults of sft-config.ts.
import type { SftConfigInput } from "./sft-config.ts";

export interface SftPreset {
  readonly title: string;
  readonly config: SftConfigInput;
}

const rOneOmni = {
  trainable: "full",
  parts: ["decoder", "projector", "gate"],
  learningRate: 2e-5,
  warmupRatio: 0.03,
  learningRateFloor: 0,
  beta2: 0.999,
} satisfies SftConfigInput;

export const sftPresets = {
  sft: { title: "supervised fine-tuning on everything, two epochs", config: {} },
  "sft-paper": {
    title: "OPPO's cold start: 5,000 samples drawn from the corpus, the rest kept for reinforcement",
    config: { samples: 5000, epochs: 2, learningRate: 2e-5 },
  },
  /** R1-Omni's cold start on 580 clips: five epochs of 16, projectors and gate learn too. */
  "sft-r1-omni": {
    title: "R1-Omni's cold start: decoder, projectors and gate, five epochs",
    config: { ...rOneOmni, epochs: 5, samplesPerStep: 16 },
  },
  /** What R1-Omni is compared with: the labels of 15,306 clips, once, 128 at a time. */
  "sft-labels": {
    title: "fine-tuning on labels alone, as R1-Omni's MAFW-DFEW-SFT: one epoch of 128",
    config: { ...rOneOmni, epochs: 1, samplesPerStep: 128, promptsPerMicroBatch: 16 },
  },
  /** The demo's rates, for a model of a million parameters and the theatre's clips. */
  "sft-theatre": {
    title: "a small model from its first word on: ten epochs at a high rate",
    config: { epochs: 10, samplesPerStep: 24, learningRate: 3e-3, weightDecay: 0.02 },
  },
  /** What shows in two minutes that everything is in place. */
  "sft-try": {
    title: "a few steps, to see that data and model fit",
    config: { steps: 6, samplesPerStep: 2, warmupSteps: 1, evalEvery: 3, evalAnswers: 1, maxNewTokens: 32 },
  },
} satisfies Record<string, SftPreset>;

export type SftPresetName = keyof typeof sftPresets;
