// How a model of the theatre is brought up: how many clips, the towers' warm-up, the cold start. What programs do with it is theirs.
import { z } from "zod";
import { count } from "../../corpus/settings.ts";
import { type ColdStart, coldStarts } from "../../data/theatre/world.ts";
import type { SettingsOf } from "../../run/config.ts";
import { blankKinds } from "./blank-views.ts";

const coldStartNames = Object.keys(coldStarts) as [ColdStart, ...ColdStart[]];
const blanks = (modality: "video" | "audio", what: string) =>
  z
    .array(z.enum(blankKinds[modality]))
    .min(1)
    .default(["units"])
    .describe(`kinds of mask that take ${what} away; units: ${modality === "video" ? "black" : "silence"}`);

/** Of every split. */
export const theatreClips = z.strictObject({
  warmup: count.default(900).describe("decorrelated clips for the towers"),
  warmupDev: count.default(80).describe("decorrelated clips that the towers are checked on"),
  sft: count.default(1300).describe("clips of the cold start"),
  rl: count.default(400).describe("clips of reinforcement learning"),
  dev: count.default(100).describe("congruent clips for every choice of a hyper-parameter"),
  devConflict: count.default(50).describe("the same on which face and voice disagree"),
  congruent: count.default(300).describe("held-out clips that the report measures on"),
  conflict: count.default(100).describe("held-out clips on which face and voice disagree"),
});

/** Spread into a program's schema; its `seed` is the program's own. */
export const theatreShape = {
  shards: count.default(2).describe("parts in which a split is rendered and decoded"),
  clips: theatreClips.prefault({}),
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
      steps: count.default(440).describe("optimiser steps"),
      clipsPerStep: count.default(24).describe("clips per step"),
      learningRate: z.number().positive().default(3e-3).describe("AdamW"),
      warmupSteps: z.int().min(0).default(20).describe("linear warm-up"),
      learningRateFloor: z.number().min(0).max(1).default(0.1).describe("share of the learning rate at the last step"),
      weightDecay: z.number().min(0).default(0.02).describe("AdamW"),
      probeWeight: z.number().min(0).default(1).describe("loss weight of a probe's tokens"),
      coldStart: z
        .enum(coldStartNames)
        .default("mixed")
        .describe(
          "what is written of a picture or a sound that is gone: what it was (described), mostly that, or honestly nothing",
        ),
      blanks: z.strictObject({ video: blanks("video", "a picture"), audio: blanks("audio", "a sound") }).prefault({}),
      verdictWeight: z.number().positive().default(4).describe("further weight of the yes or no"),
    })
    .prefault({}),
};

const theatreSchema = z.strictObject({ seed: z.int().min(0).default(0), ...theatreShape });

export type TheatreConfig = SettingsOf<typeof theatreSchema>;
