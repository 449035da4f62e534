// What the demo can be told. The defaults are the demo; the tests run it smaller.
import { z } from "zod";
import { folderPath } from "../../corpus/settings.ts";
import { presets } from "../../train/presets.ts";

const count = z.int().min(1);
const presetNames = Object.keys(presets) as [keyof typeof presets, ...(keyof typeof presets)[]];

export const demoSchema = z.strictObject({
  seed: z.int().min(0).default(0).describe("seed of the corpus, the warm-up and the cold start; RL seeds follow it"),
  seeds: count.default(1).describe("RL seeds per arm"),
  arms: z
    .array(z.enum(presetNames))
    .min(1)
    .default(["baseline", "reward-only", "oppo"])
    .describe("presets to train and compare (oppo presets lists them)"),
  workers: count.max(64).default(2).describe("processes that work at the same time; each computes with one thread"),
  shards: count.default(2).describe("parts in which a split is rendered and decoded"),
  withDev: z.boolean().default(false).describe("render the dev splits too, on which settings are chosen"),
  clips: z
    .strictObject({
      warmup: count.default(900).describe("decorrelated clips for the towers"),
      warmupDev: count.default(80).describe("decorrelated clips that the towers are checked on"),
      sft: count.default(1300).describe("clips of the cold start"),
      rl: count.default(400).describe("clips of reinforcement learning"),
      dev: count.default(100).describe("congruent clips for every choice of a hyper-parameter"),
      devConflict: count.default(50).describe("the same on which face and voice disagree"),
      congruent: count.default(300).describe("held-out clips that the report measures on"),
      conflict: count.default(100).describe("held-out clips on which face and voice disagree"),
    })
    .prefault({}),
  warmup: z
    .strictObject({
      steps: count.default(200).describe("optimiser steps"),
      clipsPerStep: count.default(48).describe("clips per step"),
      learningRate: z.number().positive().default(2e-3).describe("AdamW"),
      weightDecay: z.number().min(0).default(0.01).describe("AdamW"),
    })
    .prefault({}),
  sft: z
    .strictObject({
      steps: count.default(520).describe("optimiser steps"),
      clipsPerStep: count.default(24).describe("clips per step"),
      learningRate: z.number().positive().default(3e-3).describe("AdamW"),
      warmupSteps: z.int().min(0).default(20).describe("linear warm-up"),
      learningRateFloor: z.number().min(0).max(1).default(0.1).describe("share of the learning rate at the last step"),
      weightDecay: z.number().min(0).default(0.02).describe("AdamW"),
      probeWeight: z.number().min(0).default(1).describe("loss weight of a probe's tokens"),
      verdictWeight: z.number().positive().default(4).describe("further weight of the yes or no"),
    })
    .prefault({}),
  rlSteps: count.default(50).describe("GRPO steps of every arm"),
  numStories: count.default(5).describe("clips that the report plays"),
});

/** What `oppo demo` can be told: the demo, and where it goes. */
export const demoSettings = z.strictObject({
  run: folderPath("where everything goes; a run that was stopped goes on").default("runs/demo"),
  ...demoSchema.shape,
});

export type DemoConfig = z.infer<typeof demoSchema>;
