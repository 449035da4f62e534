// What `oppo plan` can be told: the GPU, the method, and the clips of the corpus.
import { z } from "zod";
import { count, optionalCount, wholeNumber } from "../../corpus/settings.ts";
import type { SettingsOf } from "../../run/config.ts";
import type { IdleRule } from "../../run/idle-settings.ts";
import { perceptionSchema } from "../../train/config.ts";
import { gpuNamed, gpus } from "../../train/cost/gpus.ts";
import { type Preset, presets } from "../../train/presets.ts";
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
  gpusPerNode: count.max(64).default(8).describe("GPUs of one machine; beyond, gradients go over the network"),
  network: z.number().positive().max(1000).default(50).meta({
    description: "between machines, of every GPU, one way; 50 is 400 Gbit/s",
    value: "GB/s",
  }),
  engines: wholeNumber
    .max(1024)
    .default(0)
    .describe("further GPUs that only sample (--rollouts); 0: those that train do"),
  rolloutAhead: wholeNumber
    .max(1)
    .default(0)
    .describe("1: engines sample the next step's completions while this one is learnt from"),
  scale: z
    .boolean()
    .default(false)
    .describe("the same run on 1, 8, 16 and 64 GPUs side by side, engines in proportion"),
  preset: z
    .enum(presetNames)
    .default("oppo-paper-7b")
    .describe("of oppo train or oppo sft: batch, steps, what is compared"),
  frames: z.int().min(2).max(768).default(16).describe("of the longest clip, as the model looks at it"),
  height: z.int().min(28).max(4096).default(364).describe("of a frame, in pixels"),
  width: z.int().min(28).max(4096).default(364).describe("of a frame, in pixels"),
  audioSeconds: z.number().min(0).max(300).default(8).meta({ description: "of sound", value: "seconds" }),
  support: z
    .enum(["none", "mask", "observer", "reference"])
    .nullable()
    .default(null)
    .meta({ description: "perception.support: who says what can be read under a mask", standard: "the preset's" }),
  steps: optionalCount("optimiser steps of the whole run", "the preset's; of sft, two epochs of 5,000 samples"),
  promptsPerStep: optionalCount("prompts or samples of an optimiser step", "the preset's"),
});

export type PlanSettings = SettingsOf<typeof planSettings>;

function isMasked(preset: string): boolean {
  const given = (presets as Readonly<Record<string, Preset>>)[preset]?.config;
  if (given === undefined) return false;
  const { views, rolloutShare } = perceptionSchema.parse(given.perception ?? {});
  return views !== "none" || rolloutShare > 0;
}

export const planIdle: readonly IdleRule<PlanSettings>[] = [
  { paths: ["rolloutAhead"], when: ({ engines }) => engines === 0, why: "there are no engines" },
  {
    paths: ["engines", "rolloutAhead"],
    when: ({ preset }) => Object.hasOwn(sftPresets, preset),
    why: "a cold start samples nothing",
  },
  {
    paths: ["support"],
    when: ({ preset }) => !isMasked(preset),
    why: "the preset masks nothing",
  },
  { paths: ["gpusPerNode"], when: ({ gpus, scale }) => gpus === 1 && !scale, why: "there is one GPU" },
  {
    paths: ["network"],
    when: ({ gpus, gpusPerNode, engines, scale }) => gpus <= gpusPerNode && engines === 0 && !scale,
    why: "nothing goes over it: one machine, no engines",
  },
];
