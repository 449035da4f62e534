// Everything that supervised fine-tuning can be told of how it learns, as one schema; presets (sft-presets.ts) are spreads over
// the defaults.
import { z } from "zod";
import { count, optionalCount, seedSetting, wholeNumber } from "../corpus/settings.ts";
import type { IdleRule } from "../run/idle-settings.ts";
import { learnerIdle, learnerSettings } from "./learner-settings.ts";
import { watchSettings } from "./watch/watch-settings.ts";

export const sftSchema = z.strictObject({
  seed: seedSetting("seed of splits, batches and adapters"),
  samples: optionalCount(
    "how many are drawn for learning; the others go to RUN/rest.jsonl, for reinforcement",
    "all",
  ).meta({
    paper: "5000",
    source: "Sec. 4.1",
  }),
  epochs: z.number().positive().default(2).meta({ description: "how often each is learnt from", paper: "2" }),
  steps: optionalCount("optimiser steps instead", "as many as epochs take"),
  samplesPerStep: count.default(16).meta({ description: "samples per optimiser step", paper: "not said" }),
  maxTokens: optionalCount("longer conversations, clips and answers counted, are left out", "none is"),
  ...learnerSettings,
  learningRate: z.number().positive().nullable().default(null).meta({
    description: "of AdamW",
    standard: "by the model's size",
    paper: "2e-5",
  }),
  warmupSteps: wholeNumber.default(20).describe("linear warm-up"),
  warmupRatio: z
    .number()
    .min(0)
    .max(1)
    .nullable()
    .default(null)
    .meta({ description: "share of all steps instead, rounded up", standard: "as warmupSteps says" }),
  schedule: learnerSettings.schedule
    .unwrap()
    .default("cosine")
    .describe("how the learning rate falls after the warm-up"),
  evalSamples: optionalCount("samples held out of data to evaluate on, where there is no evalData", "none"),
  evalEvery: count.default(50).describe("steps between evaluations; there is one at the end, too"),
  evalAnswers: wholeNumber.default(4).describe("held-out samples whose answers are generated and logged, too"),
  maxNewTokens: count.default(256).describe("longest of those answers"),
  checkpointEvery: count.default(100).describe("steps between checkpoints"),
  ...watchSettings,
});

export type SftConfig = z.infer<typeof sftSchema>;
export type SftConfigInput = z.input<typeof sftSchema>;

interface Evaluated {
  readonly trainable: SftConfig["trainable"];
  readonly evalSamples: number | null;
  readonly evalData: string | null;
  readonly evalAnswers: number;
  readonly steps: number | null;
  readonly warmupRatio: number | null;
}

export const sftIdle: readonly IdleRule<Evaluated>[] = [
  ...learnerIdle,
  { paths: ["epochs"], when: ({ steps }) => steps !== null, why: "steps says how long" },
  { paths: ["warmupSteps"], when: ({ warmupRatio }) => warmupRatio !== null, why: "warmupRatio says how many" },
  { paths: ["evalSamples"], when: ({ evalData }) => evalData !== null, why: "evalData is evaluated on" },
  {
    paths: ["evalEvery", "evalAnswers", "maxNewTokens"],
    when: ({ evalData, evalSamples }) => evalData === null && evalSamples === null,
    why: "nothing is evaluated on (evalData or evalSamples)",
  },
  { paths: ["maxNewTokens"], when: ({ evalAnswers }) => evalAnswers === 0, why: "evalAnswers is 0" },
];
