// What the demo can be told. The defaults are the demo; the tests run it smaller.
import { z } from "zod";
import { count, folderPath } from "../../corpus/settings.ts";
import { theatreShape } from "../../train/theatre/settings.ts";
import { armNames, honestArm } from "./arms.ts";

export const demoSchema = z.strictObject({
  seed: z.int().min(0).default(0).describe("seed of the corpus, the warm-up and the cold start; RL seeds follow it"),
  seeds: count.default(1).describe("RL seeds per arm"),
  arms: z
    .array(z.enum(armNames))
    .min(1)
    .default(["baseline", "reward-only", "oppo", honestArm])
    .describe(
      `presets to train and compare (oppo presets lists them); ${honestArm}: reward-only from a cold start whose blank clips are labelled as such`,
    ),
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
