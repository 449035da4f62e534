// What `oppo r1-omni` can be told: which checkpoint and data, or the theatre; how many seeds; how much of everything there.
import { z } from "zod";
import {
  count,
  deviceSetting,
  dtypeSetting,
  folderPath,
  optionalCount,
  optionalFile,
  optionalFolder,
  seedSetting,
} from "../../corpus/settings.ts";
import type { SettingsOf } from "../../run/config.ts";
import type { IdleRule } from "../../run/idle-settings.ts";

const rate = z.number().positive();

const theatreSettings = z
  .strictObject({
    clips: z
      .strictObject({
        warmup: count.default(600).describe("decorrelated clips for the towers"),
        base: count.default(500).describe("clips that the base model has seen described"),
        cold: count.default(64).describe("clips of the cold start, with reasonings"),
        labels: count.default(400).describe("clips with a label alone: label SFT and RLVR"),
        test: count.default(150).describe("held-out clips of either troupe"),
      })
      .prefault({}),
    warmupSteps: count.default(160).describe("steps of either tower"),
    baseSteps: count.default(260).describe("steps of the base model, of 24"),
    coldEpochs: count.default(20).describe("of the cold start"),
    labelEpochs: count.default(2).describe("of label SFT"),
    rlvrSteps: count.default(50).describe("steps of RLVR, of promptsPerStep times eight"),
    promptsPerStep: count.default(12).describe("prompts of a step of RLVR"),
    sftRate: rate.default(2e-3).describe("learning rate of cold start and label SFT"),
    rlvrRate: rate.default(5e-4).describe("learning rate of RLVR"),
    trainable: z
      .enum(["full", "decoder"])
      .default("decoder")
      .describe("full: projectors learn too, and in the cold start the gate, as the recipe says"),
  })
  .prefault({});

export const rOneOmniSettings = z.strictObject({
  run: folderPath("where everything goes; a run that was stopped goes on").default("runs/r1-omni"),
  theatre: z.boolean().default(false).describe("on rendered clips with a tiny HumanOmni, without downloads"),
  model: optionalFolder("a HumanOmni checkpoint, the base"),
  data: optionalFolder("the folder with DFEW, MAFW, RAVDESS and EMER"),
  sets: z
    .array(z.enum(["dfew", "mafw", "ravdess"]))
    .min(1)
    .default(["dfew", "mafw", "ravdess"])
    .describe("measured on; of dfew and mafw the training split is learnt from"),
  fold: z.int().min(1).max(5).default(1).describe("of DFEW and MAFW; the paper does not say which"),
  cold: optionalFile("the cold start's conversations, in R1-Omni's JSON", "EMER's 100 clips with label and reason"),
  coldMedia: optionalFolder("where the clips of cold are", "beside the file"),
  seeds: optionalCount("runs of every stage, each with a seed of its own", "8 on the theatre, else 1"),
  seed: seedSetting("everything follows from it"),
  workers: optionalCount("processes that work at the same time", "2 on the theatre, else 1"),
  device: deviceSetting,
  dtype: dtypeSetting("numbers that the model computes with", "as the model is stored"),
  maxNewTokens: optionalCount("longest answer that is measured", "80 on the theatre, else 512"),
  play: theatreSettings,
});

export type ROneOmniConfig = Omit<SettingsOf<typeof rOneOmniSettings>, "run">;

export const rOneOmniIdle: readonly IdleRule<SettingsOf<typeof rOneOmniSettings>>[] = [
  {
    paths: ["model", "data", "sets", "fold", "cold", "coldMedia", "device", "dtype"],
    when: ({ theatre }) => theatre,
    why: "theatre makes its own model and data",
  },
  { paths: ["play"], when: ({ theatre }) => !theatre, why: "it is the theatre's, which was not asked for" },
  { paths: ["coldMedia"], when: ({ cold }) => cold === null, why: "there is no cold" },
];
