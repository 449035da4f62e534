// What `oppo train` can be told: the settings of the method, and where model and data are. One flat object, so that the
// config.yaml of a run repeats the run.
import { z } from "zod";
import { clipSettings, idleClips } from "../../corpus/clips/clip-settings.ts";
import {
  accuracySetting,
  clauseInstruction,
  clientSettings,
  embedderPlace,
  embedderSetting,
  endpointSetting,
  fieldsSetting,
  filePath,
  folderPath,
  idleEmbedderPlace,
  idleInstruction,
  idleWithEmbedder,
  optionalCount,
  optionalFile,
  optionalFolder,
  optionalText,
  wholeNumber,
} from "../../corpus/settings.ts";
import { OppoError } from "../../error.ts";
import { type ConfigSources, readConfigFile, resolveConfig, type SettingsOf } from "../../run/config.ts";
import type { IdleRule } from "../../run/idle-settings.ts";
import { choosePreset, typedText } from "../../train/choose-preset.ts";
import { trainSchema } from "../../train/config.ts";
import { methodIdle } from "../../train/idle.ts";
import { memorySettings } from "../../train/memory/settings.ts";
import { requireCompatible } from "../../train/method/compatible.ts";
import { observerSettings } from "../../train/observer/settings.ts";
import { type PresetName, presets } from "../../train/presets.ts";
import { evalSettings, idleWithoutEvaluation } from "../../train/watch/watch-settings.ts";
import { startOf } from "./start.ts";

const presetNames = Object.keys(presets) as [PresetName, ...PresetName[]];

const corpusFields = {
  embedder: embedderSetting("auto"),
  ...embedderPlace,
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
  maxPromptTokens: optionalCount("clips whose prompts are longer are left out, as unreadable ones are", "none is"),
  clips: clipSettings,
};

/** What an evaluation of a reasoning model gives (train/dev-evaluation.ts). */
const devMeasures = ["reward", "recall", "format", "emotionF1", "accVideo", "accAudio"] as const;

const runSchema = z.strictObject({
  preset: z.enum(presetNames).default("oppo").describe("the method; everything below is a change to it"),
  from: optionalFolder(
    "a run to start from (RUN, RUN/best or RUN/checkpoints/step-N): its model, and of oppo train its settings, where none are given",
  ),
  model: folderPath("the model to start from; it is the reference as well"),
  data: filePath("samples, one JSON object per line; media paths are relative to this file"),
  ...corpusFields,
  ...evalSettings,
  observer: observerSettings,
  judge: endpointSetting("a language model that is asked for the terms of reward.judged"),
  bestBy: z.enum(devMeasures).default("reward").meta({
    description: "which number of an evaluation chooses best/",
    value: "measure",
  }),
  ...trainSchema.shape,
});

/** What `oppo train` can be told: the settings of a run, which its config.yaml keeps, where it goes and how servers are asked. */
export const trainSettings = z.strictObject({
  run: folderPath("where everything goes; a run that was stopped goes on"),
  ...runSchema.shape,
  ...memorySettings,
  client: clientSettings,
});

export type TrainSettings = SettingsOf<typeof trainSettings>;

const trainIdle: readonly IdleRule<TrainSettings>[] = [
  ...methodIdle,
  ...idleWithEmbedder,
  {
    paths: ["observer"],
    when: ({ perception }) => perception.support !== "observer",
    why: "perception.support is not observer",
  },
  { paths: ["judge"], when: ({ reward }) => reward.judged.length === 0, why: "reward.judged is empty" },
  ...idleClips,
  idleInstruction,
  idleEmbedderPlace,
  idleWithoutEvaluation,
];

export type RunConfig = SettingsOf<typeof runSchema>;

/** The preset by option or file, then the file, then the overrides. @throws ConfigError, OppoError ERR_PRESET */
export function resolveTrain(sources: ConfigSources): TrainSettings {
  const settings = resolveConfig(trainSettings, { ...sources, preset: startingPoint(sources) }, trainIdle);
  requireCompatible(settings);
  return settings;
}

/** A preset, or the settings and the model of the run to start from. */
function startingPoint(sources: ConfigSources): object {
  const from =
    typedText("from", sources) ?? (sources.file === undefined ? null : readConfigFile(sources.file).values.from);
  if (typeof from !== "string") return choosePreset(presets, "oppo", sources);
  const { run, model, settings } = startOf(from);
  const theirs = typeof settings.preset === "string" ? settings.preset : null;
  const given = typedText("preset", sources);
  if (given !== undefined && theirs !== null && given !== theirs) {
    throw new OppoError(
      "ERR_PRESET",
      `--preset ${given}: expected the preset of ${run}, which is ${theirs}, because all settings are taken from there. Leave it out and change single settings, or start from the model alone: --model ${model}.`,
    );
  }
  return { ...choosePreset(presets, theirs ?? "oppo", sources), ...settings, from: run, model };
}
