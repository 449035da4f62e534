// What `oppo plan` can be told: the GPU, the method, and the clips of the corpus.
import { z } from "zod";
import { count, optionalCount } from "../../corpus/settings.ts";
import type { SettingsOf } from "../../run/config.ts";
import { gpuNamed, gpus } from "../../train/cost/gpus.ts";
import { presets } from "../../train/presets.ts";
import { sftPresets } from "../../train/sft-presets.ts";

const presetNames = [...Object.keys(presets), ...Object.keys(sftPresets)] as [string, ...string[]];
const gpuNames = Object.keys(gpus).join(", ");

export const planSettings = z.strictObject({
  gpu: z
    .string()
    .refine((text) => gpuNamed(text) !== null, `expected gigabytes, or one of ${gpuNames}`)
    .meta({ description: `its memory in gigabytes, or its name: ${gpuNames}`, value: "GB or name" }),
  gpus: count
    .max(1024)
    .default(1)
    .describe("how many; gradients, masters and moments of full weights are spread (ZeRO-2)"),
  preset: z
    .enum(presetNames)
    .default("oppo-paper-7b")
    .describe("of oppo train or oppo sft: batch, steps, what is compared"),
  frames: z.int().min(2).max(768).default(16).describe("of the longest clip, as the model looks at it"),
  height: z.int().min(28).max(4096).default(364).describe("of a frame, in pixels"),
  width: z.int().min(28).max(4096).default(364).describe("of a frame, in pixels"),
  audioSeconds: z.number().min(0).max(300).default(8).meta({ description: "of sound", value: "seconds" }),
  steps: optionalCount("optimiser steps of the whole run", "the preset's; of sft, two epochs of 5,000 samples"),
  promptsPerStep: optionalCount("prompts or samples of an optimiser step", "the preset's"),
});

export type PlanSettings = SettingsOf<typeof planSettings>;
