// What `oppo embed` and `oppo embed calibrate` can be told.
import { z } from "zod";
import {
  clauseInstruction,
  clientSettings,
  deviceSetting,
  dtypeSetting,
  fieldsSetting,
  idleInstruction,
  idleWithEmbedder,
  optionalCount,
  optionalFile,
  seedSetting,
} from "../../corpus/settings.ts";
import type { SettingsOf } from "../../run/config.ts";
import type { IdleRule } from "../../run/idle-settings.ts";

const ofModel = "With qwen3: or endpoint:";

const embedder = z
  .string()
  .min(1)
  .meta({ description: "theatre, builtin:BANK.json, qwen3:DIR or endpoint:URL#MODEL", value: "choice" });

const modelFields = {
  dimension: optionalCount("leading numbers of a vector to keep", "all").meta({ group: ofModel }),
  maxTextTokens: optionalCount("longer texts are cut, with qwen3:", "8192; calibrate: 512, as training").meta({
    group: ofModel,
  }),
  device: deviceSetting.meta({ group: ofModel }),
  dtype: dtypeSetting("of the weights, with qwen3:", "float32").meta({ group: ofModel }),
  client: clientSettings,
};

const idleWithModel: readonly IdleRule<{ readonly embedder: string }>[] = [
  {
    paths: ["maxTextTokens", "device", "dtype"],
    when: (config) => !config.embedder.startsWith("qwen3:"),
    why: "no checkpoint is loaded (--embedder qwen3:DIR would load one)",
  },
  {
    paths: ["dimension"],
    when: (config) => !/^(qwen3|endpoint):/.test(config.embedder),
    why: "only vectors of qwen3: and endpoint: can be shortened",
  },
  ...idleWithEmbedder,
];

export const embedSettings = z.strictObject({
  embedder,
  file: optionalFile("more texts; - is standard input"),
  instruction: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta({ description: "what the texts are queries for", value: "text" }),
  out: optionalFile("write the vectors to FILE.npy or FILE.safetensors"),
  compare: z.boolean().default(false).describe("print the cosine of every text with every other one"),
  ...modelFields,
});

export const embedIdle: readonly IdleRule<SettingsOf<typeof embedSettings>>[] = idleWithModel;

export const calibrateSettings = z
  .strictObject({
    embedder,
    bank: optionalFile("paraphrases by concept"),
    data: optionalFile("samples with cues, one JSON object per line"),
    fields: fieldsSetting,
    out: optionalFile("write the record as JSON"),
    page: optionalFile("write a page with the two distributions (HTML)"),
    seed: seedSetting("of the drawn pairs and the interval"),
    clauseInstruction,
    ...modelFields,
  })
  .refine(({ bank, data }) => bank === null || data === null, {
    path: ["data"],
    message: "expected --bank or --data, got both. Leave one of them out.",
  });

export const calibrateIdle: readonly IdleRule<SettingsOf<typeof calibrateSettings>>[] = [
  { paths: ["fields"], when: ({ data }) => data === null, why: "only rows of --data have keys of their own" },
  ...idleWithModel,
  idleInstruction,
];
