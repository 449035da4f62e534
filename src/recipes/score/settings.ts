// What `oppo score` can be told.
import { z } from "zod";
import {
  clientSettings,
  count,
  endpointSetting,
  lexiconSetting,
  optionalFile,
  optionalFolder,
  optionalText,
  seedSetting,
} from "../../corpus/settings.ts";
import type { SettingsOf } from "../../run/config.ts";
import type { IdleRule } from "../../run/idle-settings.ts";

const rules = "Rules of scoring:";
const file = "How files are read:";

const rule = <const Names extends readonly [string, ...string[]]>(
  names: Names,
  description: string,
  standard: string,
) => z.enum(names).nullable().default(null).meta({ description, standard, value: "rule", group: rules });

export const scoreSettings = z.strictObject({
  dataset: z.array(z.string()).default([]).meta({
    description: "what was predicted; repeatable or a comma list, name:split, or mer-unibench for all nine",
    value: "name",
  }),
  root: optionalFolder("the folder with the data sets in their official layouts"),
  truth: optionalFile("ground truth from a file with names and labels instead"),
  kind: z
    .enum(["open", "discrete", "sentiment"])
    .nullable()
    .default(null)
    .meta({ description: "what that file's labels are", value: "kind" }),
  markdown: optionalFile("write the report as Markdown"),
  html: optionalFile("write the report as a page"),
  latex: optionalFile("write a table for a paper (booktabs); - prints it instead of the report"),
  csv: optionalFile("write every number as CSV; - prints it instead of the report"),
  lexicon: lexiconSetting,
  checkpoints: z
    .enum(["final", "best"])
    .default("final")
    .meta({ description: "one final checkpoint, or the best for each set", value: "protocol", group: file }),
  missing: z
    .enum(["refuse", "empty"])
    .default("refuse")
    .meta({ description: "samples without a prediction", value: "rule", group: file }),
  partial: z
    .boolean()
    .default(false)
    .meta({ description: "of mer-unibench, the sets that are there: a mean of 5 of 9, and named so", group: file }),
  nameColumn: optionalText("the column with the samples' names", undefined, "name").meta({ group: file }),
  textColumn: optionalText("the column with the predictions", undefined, "name").meta({ group: file }),
  metric: z.enum(["hit", "war"]).nullable().default(null).meta({
    description: "for discrete sets: hit rate, or WAR and UAR",
    standard: "the data set's own",
    value: "metric",
    group: rules,
  }),
  undefinedWheel: rule(["undefined", "zero", "skip"], "a wheel without a score", "as the lexicon's code"),
  neutral: rule(["unscored", "group"], '"neutral" is on no wheel', "unscored"),
  parser: rule(["official", "lenient"], "of label strings", "official"),
  zeroSentiment: rule(["drop", "negative", "positive"], "samples of sentiment 0", "drop"),
  neutralPolarity: rule(["negative", "wrong"], "a neutral prediction counts as", "negative"),
  singleLabel: rule(["answer", "raw"], "WAR compares the answer or the raw text", "answer"),
  resamples: count.default(1000).meta({ description: "of the bootstrap", group: rules }),
  seed: seedSetting("of the bootstrap", 1).meta({ group: rules }),
  extract: endpointSetting("a language model that takes the labels out of sentences, as officially").meta({
    standard: "sentences are refused",
    group: "Asking a server:",
  }),
  judge: endpointSetting("a language model for the polarity of sentiment predictions").meta({
    standard: "the wheels",
    group: "Asking a server:",
  }),
  client: clientSettings,
});

export type ScoreSettings = SettingsOf<typeof scoreSettings>;

export const scoreIdle: readonly IdleRule<ScoreSettings>[] = [
  {
    paths: ["kind"],
    when: ({ truth }) => truth === null,
    why: "it says what the labels of --truth are, and none is given",
  },
  { paths: ["root"], when: ({ truth }) => truth !== null, why: "the truth comes from --truth" },
  {
    paths: ["client"],
    when: ({ judge, extract }) => judge === null && extract === null,
    why: "no server is asked (--extract or --judge URL#MODEL)",
  },
];

export const explainSettings = z.strictObject({ lexicon: lexiconSetting });
