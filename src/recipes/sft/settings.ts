// What `oppo sft` can be told: how it learns (train/sft-config.ts), and where model and data are. One flat object, so that the
// config.yaml of a run repeats the run.
import { z } from "zod";
import { clipSettings, idleClips } from "../../corpus/clips/clip-settings.ts";
import {
  fieldsSetting,
  filePath,
  folderPath,
  optionalFile,
  optionalFolder,
  optionalText,
  wholeNumber,
} from "../../corpus/settings.ts";
import { type ConfigSources, resolveConfig, type SettingsOf } from "../../run/config.ts";
import type { IdleRule } from "../../run/idle-settings.ts";
import { choosePreset } from "../../train/choose-preset.ts";
import { memorySettings } from "../../train/memory/settings.ts";
import { sftIdle, sftSchema } from "../../train/sft-config.ts";
import { type SftPresetName, sftPresets } from "../../train/sft-presets.ts";

const presetNames = Object.keys(sftPresets) as [SftPresetName, ...SftPresetName[]];

const runSchema = z.strictObject({
  preset: z.enum(presetNames).default("sft").describe("the cold start; everything below is a change to it"),
  model: folderPath("the model to start from"),
  data: filePath(
    "what is learnt: samples, HumanOmni's conversations, or ms-swift's messages; a YAML list of files, or a pattern {a,b}.json",
  ),
  format: z
    .enum(["auto", "samples", "conversations", "messages"])
    .default("auto")
    .describe("what the rows of data are; auto: by the keys of the first ones"),
  media: optionalFolder("where the media of data are", "beside the file"),
  videoSound: z
    .boolean()
    .default(false)
    .describe("conversations: a video is shown with its sound also where no <audio> follows it"),
  fields: fieldsSetting,
  question: optionalText("samples: what is asked about a clip", "as the model was trained, else the corpus' own"),
  system: optionalText("samples: the system text", "as the model was trained, else the chat template's own"),
  evalData: optionalFile("a file to evaluate on, of rows that data does not have"),
  maxSkippedRows: wholeNumber.default(10).describe("bad rows to leave out before the run stops"),
  maxSkippedFraction: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe("share of samples to leave out that have nothing to learn, or whose clip cannot be read"),
  clips: clipSettings,
  ...sftSchema.shape,
});

export const sftSettings = z.strictObject({
  run: folderPath("where everything goes; a run that was stopped goes on"),
  ...runSchema.shape,
  ...memorySettings,
});

export type SftSettings = SettingsOf<typeof sftSettings>;
export type SftRunConfig = SettingsOf<typeof runSchema>;

const idle: readonly IdleRule<SftSettings>[] = [
  ...sftIdle,
  ...idleClips,
  {
    paths: ["videoSound"],
    when: ({ format }) => format === "samples",
    why: "samples are shown with all that their clips have",
  },
  {
    paths: ["fields", "question", "system"],
    when: ({ format }) => format === "conversations" || format === "messages",
    why: "conversations bring their own",
  },
];

/** The preset by option or file, then the file, then the overrides. @throws ConfigError, OppoError ERR_PRESET */
export function resolveSft(sources: ConfigSources): SftSettings {
  return resolveConfig(sftSettings, { ...sources, preset: choosePreset(sftPresets, "sft", sources) }, idle);
}
