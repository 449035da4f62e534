// What the demo can be told. The defaults are the demo; the tests run it smaller.
import { z } from "zod";
import { count, folderPath } from "../../corpus/settings.ts";
import { presets } from "../../train/presets.ts";
import { theatreShape } from "../../train/theatre/settings.ts";

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
  withDev: z.boolean().default(false).describe("render the dev splits too, on which settings are chosen"),
  ...theatreShape,
  rlSteps: count.default(50).describe("GRPO steps of every arm"),
  numStories: count.default(5).describe("clips that the report plays"),
});

/** What `oppo demo` can be told: the demo, and where it goes. */
export const demoSettings = z.strictObject({
  run: folderPath("where everything goes; a run that was stopped goes on").default("runs/demo"),
  ...demoSchema.shape,
});

export type DemoConfig = z.infer<typeof demoSchema>;
