// What `oppo score mme-emotion` can be told.
import { z } from "zod";
import {
  clientSettings,
  count,
  endpointSetting,
  folderPath,
  optionalFile,
  optionalFolder,
  seedSetting,
} from "../../../corpus/settings.ts";
import type { SettingsOf } from "../../../run/config.ts";
import type { IdleRule } from "../../../run/idle-settings.ts";

const server = "Asking a server:";

export const mmeSettings = z.strictObject({
  root: folderPath("the benchmark's questions and audio clues, as its repository or its hub lays them out"),
  partial: z.boolean().default(false).describe("of the eight tasks, those with questions and responses; named so"),
  missing: z
    .enum(["refuse", "empty"])
    .default("refuse")
    .meta({ description: "clips without a response", value: "rule" }),
  alpha: z.number().min(0).max(1).default(0.5).meta({ description: "what Rec-S weighs in CoT-S", symbol: "alpha" }),
  rows: optionalFile("write every clip's steps, scores and labels as JSON lines"),
  resamples: count.default(1000).describe("of the bootstrap"),
  seed: seedSetting("of the bootstrap", 1),
  ask: endpointSetting("the model to measure: it answers the tasks of which the folder has no responses yet").meta({
    standard: "all responses are there",
    group: server,
  }),
  askTokens: count.default(1024).meta({ description: "longest answer of that model", group: server }),
  judge: endpointSetting("a language model, best one that sees, that says which steps of an answer hold").meta({
    standard: "what the responses' rows say, else labels alone",
    group: server,
  }),
  steps: endpointSetting("a language model that cuts answers into steps").meta({
    standard: "the judge",
    group: server,
  }),
  media: optionalFolder(
    "the clips, by their video_id: whole for the model that is asked, at most 10 frames for the judge",
  ).meta({
    standard: "the judge sees none",
    group: server,
  }),
  maxMissing: z.number().min(0).max(1).default(0.02).meta({
    description: "share of answers that may be left without a judgement, or of clips that the model refuses",
    value: "share",
  }),
  client: clientSettings,
});

export type MmeSettings = SettingsOf<typeof mmeSettings>;

export const mmeIdle: readonly IdleRule<MmeSettings>[] = [
  { paths: ["steps"], when: ({ judge }) => judge === null, why: "no judge is asked (--judge URL#MODEL)" },
  {
    paths: ["media", "client"],
    when: ({ judge, ask }) => judge === null && ask === null,
    why: "no server is asked (--judge or --ask URL#MODEL)",
  },
  { paths: ["askTokens"], when: ({ ask }) => ask === null, why: "no model is asked (--ask URL#MODEL)" },
];
