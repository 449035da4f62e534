// What `oppo mep build` can be told.
import { z } from "zod";
import { corpusSetOptions } from "../../corpus/mep-options.ts";
import {
  clientSettings,
  count,
  embedderSetting,
  fieldsSetting,
  folderPath,
  idleWithEmbedder,
  optionalCount,
  optionalFile,
  optionalFolder,
  optionalText,
  seedSetting,
  wholeNumber,
} from "../../corpus/settings.ts";
import type { SettingsOf } from "../../run/config.ts";
import type { IdleRule } from "../../run/idle-settings.ts";

const group = "Which clips and questions:";
const corpus = corpusSetOptions;

export const mepBuildSettings = z.strictObject({
  data: optionalFile("samples with cues, one JSON object per line"),
  fields: fieldsSetting,
  dataset: optionalText("a published set in its official layout instead (oppo data list)", undefined, "name"),
  root: optionalFolder("where the data sets are", "."),
  split: optionalText("of the data set", "the scored one, or the first", "name"),
  cues: optionalFile("cues per sample, as oppo evidence extract writes them"),
  conflict: optionalFile("samples on which face and voice disagree, for the conflict scores"),
  media: optionalFolder("what the samples' media paths are relative to", "the file's folder, or --root"),
  out: folderPath("where the set goes"),
  name: optionalText("what reports call the set", "the folder's"),
  embedder: embedderSetting("auto"),
  question: optionalText("what asks for a reasoning", "the corpus' own"),
  samples: count.default(corpus.maxSamples).meta({ description: "clips to take, at most", paper: "300", group }),
  probes: count
    .default(corpus.maxProbesPerModality)
    .meta({ description: "masked probes per modality, at most", paper: "500", group }),
  probesPerClip: optionalCount("of one modality, at most", `${corpus.maxProbesPerClip}; the theatre says itself`).meta({
    group,
  }),
  minCues: wholeNumber
    .nullable()
    .default(null)
    .meta({
      description: "distinct cues that a clip must have in either modality",
      standard: `${corpus.minCues}`,
      group,
    }),
  minAssociation: z
    .number()
    .min(0)
    .nullable()
    .default(null)
    .meta({
      description: "lift from which the other modality suggests a cue",
      standard: `${corpus.minAssociation}`,
      value: "lift",
      group,
    }),
  // Wordings are compared in pairs; more candidates take minutes.
  candidates: count
    .default(2000)
    .meta({ description: "samples that associations are measured on, drawn from the seed", group }),
  seed: seedSetting("of every draw", corpus.seed).meta({ group }),
  client: clientSettings,
});

type Settings = SettingsOf<typeof mepBuildSettings>;

export const mepBuildIdle: readonly IdleRule<Settings>[] = [
  { paths: ["fields"], when: ({ data }) => data === null, why: "only rows of --data have keys of their own" },
  { paths: ["root", "split"], when: ({ dataset }) => dataset === null, why: "no --dataset is given" },
  { paths: ["dataset"], when: ({ data }) => data !== null, why: "the samples come from --data" },
  ...idleWithEmbedder,
];
