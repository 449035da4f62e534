// What `oppo infer` can be told.
import { z } from "zod";
import {
  count,
  deviceSetting,
  dtypeSetting,
  folderPath,
  optionalCount,
  optionalFolder,
  optionalText,
  seedSetting,
  videoTimeSetting,
} from "../../corpus/settings.ts";
import type { Modality, ModalityMask } from "../../media/clip.ts";
import { ownKinds } from "../../media/degrade/degrade.ts";
import { maskForm, parseMask } from "../../media/degrade/mask-text.ts";
import type { SettingsOf } from "../../run/config.ts";
import type { IdleRule } from "../../run/idle-settings.ts";

const named = (modality: Modality) => ownKinds[modality].slice(1).join(", ");
const drawing = "How tokens are drawn:";
const machine = "The machine:";
const atLeastZero = z.number().min(0);

export const inferSettings = z.strictObject({
  model: folderPath("the model, a Hugging Face style folder"),
  adapter: optionalFolder("a LoRA adapter on it, as PEFT writes them"),
  question: optionalText("what to ask", "as the model was trained, else what the person feels, and why"),
  subtitle: optionalText("the spoken line", "of the file beside the clip"),
  system: optionalText("system prompt", "as the model was trained, else the chat template's own"),
  mask: z
    .array(z.string().refine((text) => parseMask(text, 0) !== null, { error: `expected ${maskForm}` }))
    .default([])
    .meta({
      description: `hide a part: video=0.7 a random share of it, video=blur:0.5 another way at a dose (of video ${named("video")}; of audio ${named("audio")}); repeatable`,
      value: "modality=ratio",
      symbol: "rho",
      paper: "0.7",
      source: "Eq. 6",
    }),
  together: z.boolean().default(false).describe("one question about all clips"),
  audioInVideo: z
    .boolean()
    .default(false)
    .describe("the sound inside the video, interleaved in time, instead of behind it"),
  stream: z.boolean().default(false).describe("print the text as it is generated"),
  maxNewTokens: count.default(512).describe("longest answer"),
  temperature: atLeastZero.default(0).meta({ description: "0 takes the likeliest token", group: drawing }),
  topP: atLeastZero.nullable().default(null).meta({
    description: "sample from the likeliest tokens of this total probability",
    value: "number",
    group: drawing,
  }),
  topK: optionalCount("sample from so many of the likeliest tokens").meta({ group: drawing }),
  repetitionPenalty: atLeastZero.nullable().default(null).meta({
    description: "above 1 makes tokens that were there already unlikelier",
    value: "number",
    group: drawing,
  }),
  seed: seedSetting("of masks and sampling").meta({ group: drawing }),
  device: deviceSetting.meta({ group: machine }),
  dtype: dtypeSetting("convert the weights", "as stored").meta({ group: machine }),
  videoTime: videoTimeSetting.meta({ group: machine }),
  checkValues: z.boolean().default(false).meta({
    description: "refuse weights with NaN or infinity, at the cost of reading all of them first",
    group: machine,
  }),
});

/** Of texts that the schema has checked. */
export function masksOf(texts: readonly string[], seed: number): ModalityMask[] {
  return texts.flatMap((text) => parseMask(text, seed) ?? []);
}

export type InferSettings = SettingsOf<typeof inferSettings>;

export const inferIdle: readonly IdleRule<InferSettings>[] = [
  {
    paths: ["topP", "topK"],
    when: ({ temperature }) => temperature === 0,
    why: "at --temperature 0 the likeliest token is taken",
  },
  {
    paths: ["seed"],
    when: ({ temperature, mask }) => temperature === 0 && mask.length === 0,
    why: "nothing is drawn: no --mask, and --temperature 0 takes the likeliest token",
  },
];
