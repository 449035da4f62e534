// What `oppo train` can be told: the settings of the method, and where model and data are. One flat object, so that the
// config.yaml of a run repeats the run.
import { z } from "zod";
import { clipSettings, idleClips } from "../../corpus/clips/clip-settings.ts";
import {
  accuracySetting,
  clauseInstruction,
  clientSettings,
  embedderSetting,
  fieldsSetting,
  filePath,
  folderPath,
  idleInstruction,
  idleWithEmbedder,
  optionalFile,
  optionalText,
  wholeNumber,
} from "../../corpus/settings.ts";
import { type ConfigSources, resolveConfig, type SettingsOf } from "../../run/config.ts";
import type { IdleRule } from "../../run/idle-settings.ts";
import { choosePreset } from "../../train/choose-preset.ts";
import { trainSchema } from "../../train/config.ts";
import { methodIdle } from "../../train/idle.ts";
import { type PresetName, presets } from "../../train/presets.ts";

const presetNames = Object.keys(presets) as [PresetName, ...PresetName[]];

const corpusFields = {
  embedder: embedderSetting("auto"),
  clauseInstruction,
  calibration: optionalFile("what oppo embed calibrate --out wrote for the embedder; delta is compared with it"),
  question: optionalText("what is asked about a clip", "as the model was trained, else the corpus' own"),
  accuracy: accuracySetting,
  emotionGroups: z.record(z.string(), z.array(z.string()).min(1)).nullable().default(null).meta({
    description: "group -> words that count as the same answer",
    standard: "as accuracy says",
  }),
  fields: fieldsSetting,
  maxSkippedRows: wholeNumber.default(10).describe("bad rows to leave out before the run stops"),
  maxSkippedFraction: z.number().min(0).max(1).default(0.1).describe("share of unreadable clips to leave out"),
  clips: clipSettings,
};

const runSchema = z.strictObject({
  preset: z.enum(presetNames).default("oppo").describe("the method; everything below is a change to it"),
  model: folderPath("the model to start from; it is the reference as well"),
  data: filePath("samples, one JSON object per line; media paths are relative to this file"),
  ...corpusFields,
  ...trainSchema.shape,
});

/** What `oppo train` can be told: the settings of a run, which its config.yaml keeps, where it goes and how servers are asked. */
export const trainSettings = z.strictObject({
  run: folderPath("where everything goes; a run that was stopped goes on"),
  ...runSchema.shape,
  client: clientSettings,
});

export type TrainSettings = SettingsOf<typeof trainSettings>;

const trainIdle: readonly IdleRule<TrainSettings>[] = [
  ...methodIdle,
  ...idleWithEmbedder,
  ...idleClips,
  idleInstruction,
];

export type RunConfig = SettingsOf<typeof runSchema>;

/** The preset by option or file, then the file, then the overrides. @throws ConfigError, OppoError ERR_PRESET */
export function resolveTrain(sources: ConfigSources): TrainSettings {
  return resolveConfig(trainSettings, { ...sources, preset: choosePreset(presets, "oppo", sources) }, trainIdle);
}
