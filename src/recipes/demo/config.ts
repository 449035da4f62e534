// What the demo can be told. The defaults are the demo; the tests run it smaller.
import { z } from "zod";
import { presets } from "../../train/presets.ts";

const count = z.int().min(1);
const presetNames = Object.keys(presets) as [keyof typeof presets, ...(keyof typeof presets)[]];

export const demoSchema = z.strictObject({
  seed: z.int().min(0).default(0).describe("seed of the corpus, the warm-up and the cold start; RL seeds follow it"),
  seeds: count.default(1).describe("RL seeds per arm"),
  arms: z.array(z.enum(presetNames)).min(1).default(["baseline", "reward-only", "oppo"]),
  workers: count.max(64).default(2).describe("processes that work at the same time; each computes with one thread"),
  shards: count.default(2).describe("parts in which a split is rendered and decoded"),
  withDev: z.boolean().default(false).describe("render the dev splits too, on which settings are chosen"),
  clips: z
    .strictObject({
      warmup: count.default(900).describe("decorrelated clips for the towers"),
      warmupDev: count.default(80),
      sft: count.default(1300),
      rl: count.default(400),
      dev: count.default(100).describe("congruent clips for every choice of a hyper-parameter"),
      devConflict: count.default(50),
      congruent: count.default(300),
      conflict: count.default(100),
    })
    .prefault({}),
  warmup: z
    .strictObject({
      steps: count.default(200),
      clipsPerStep: count.default(48),
      learningRate: z.number().positive().default(2e-3),
      weightDecay: z.number().min(0).default(0.01),
    })
    .prefault({}),
  sft: z
    .strictObject({
      steps: count.default(520),
      clipsPerStep: count.default(24),
      learningRate: z.number().positive().default(3e-3),
      warmupSteps: z.int().min(0).default(20),
      learningRateFloor: z.number().min(0).max(1).default(0.1),
      weightDecay: z.number().min(0).default(0.02),
      probeWeight: z.number().min(0).default(1).describe("loss weight of a probe's tokens"),
      verdictWeight: z.number().positive().default(4).describe("further weight of the yes or no"),
    })
    .prefault({}),
  rlSteps: count.default(50).describe("GRPO steps of every arm"),
  numStories: count.default(5).describe("clips that the report plays"),
});

export type DemoConfig = z.infer<typeof demoSchema>;
