// What `oppo mep run` can be told.
import { z } from "zod";
import type { MaskedStreams } from "../../bench/degraded.ts";
import {
  clientSettings,
  count,
  deviceSetting,
  dtypeSetting,
  endpointSetting,
  folderPath,
  keyVariable,
  optionalFolder,
  optionalText,
  requestFields,
  videoTimeSetting,
  wholeNumber,
} from "../../corpus/settings.ts";
import type { Modality } from "../../media/clip.ts";
import { ownKinds } from "../../media/degrade/degrade.ts";
import { parseKind } from "../../media/degrade/mask-text.ts";
import type { SettingsOf } from "../../run/config.ts";
import type { IdleRule } from "../../run/idle-settings.ts";
import { defaultMostInRow } from "./answer-watch.ts";

const reading = "Who takes reasonings apart:";
const local = "A local model:";

/** Another clip's picture or voice is no mask here: what is right would then be what the other clip shows. */
function maskSetting(modality: Modality) {
  return z
    .string()
    .refine((text) => parseKind(text, modality) !== null, {
      error: `expected KIND or KIND:DOSE with a dose from 0 to 1 and a kind of ${ownKinds[modality].join(", ")}`,
    })
    .nullable()
    .default(null)
    .meta({
      description: `degrade a masked ${modality} instead: ${ownKinds[modality].join(", ")}; a dose from 0 to 1 behind a colon`,
      standard: modality === "video" ? "black frames" : "silence",
      value: "kind",
      group: local,
    });
}

export const mepRunSettings = z.strictObject({
  model: optionalFolder("a model, in a folder"),
  endpoint: endpointSetting("a model behind a server instead"),
  out: folderPath("where the run goes"),
  answerStyle: z
    .enum(["tagged", "free"])
    .default("tagged")
    .describe("with think and answer tags, or free for models that were not taught them"),
  decompose: endpointSetting(
    "a language model that takes every reasoning apart, as in the paper, or offline for rules",
    "offline",
  ).meta({ standard: "clauses", source: "Sec. 4.1", group: reading }),
  decomposeKeyEnv: keyVariable("the environment variable with that server's key").meta({ group: reading }),
  decomposeTokens: count
    .default(1024)
    .meta({ description: "limit of its replies; models that think first need more", group: reading }),
  decomposeExtra: requestFields("further fields of its requests").meta({ group: reading }),
  maxSkipped: wholeNumber.nullable().default(null).meta({
    description: "reasonings that cannot be taken apart to tolerate",
    standard: "2%, at least 10",
    group: reading,
  }),
  question: optionalText("what asks for a reasoning", "as the model was trained, else the set's"),
  name: optionalText("what reports call the system", "the model's name"),
  media: optionalFolder("where the media are", "where they were when the set was made"),
  embedder: optionalText("must be the one that the set was made with", "it", "choice"),
  dropMasked: z
    .boolean()
    .default(false)
    .describe("leave a masked modality out of the prompt instead of black frames or silence"),
  videoMask: maskSetting("video"),
  audioMask: maskSetting("audio"),
  maxNewTokens: count.default(256).describe("longest answer"),
  maxUnreadable: wholeNumber
    .default(defaultMostInRow)
    .describe("unreadable answers in a row that end the run, as do more than half of the first 100; 0 asks on"),
  clipMemory: count
    .default(2048)
    .meta({ description: "decoded clips that it keeps at once", value: "megabytes", group: local }),
  batch: count.default(64).meta({ description: "questions that it decodes together", group: local }),
  device: deviceSetting.meta({ group: local }),
  dtype: dtypeSetting("convert its weights", "as stored").meta({ group: local }),
  videoTime: videoTimeSetting.meta({ group: local }),
  extra: requestFields("further fields of every request, such as mm_processor_kwargs").meta({
    group: "Asking a server:",
  }),
  client: clientSettings,
});

export type MepRunSettings = SettingsOf<typeof mepRunSettings>;

/** As a run takes them. */
export function mepMasks({ videoMask, audioMask }: Pick<MepRunSettings, "videoMask" | "audioMask">): MaskedStreams {
  const video = videoMask === null ? null : parseKind(videoMask, "video");
  const audio = audioMask === null ? null : parseKind(audioMask, "audio");
  return { ...(video === null ? {} : { video }), ...(audio === null ? {} : { audio }) };
}

const asksLanguageModel = ({ decompose }: Pick<MepRunSettings, "decompose">) =>
  decompose !== null && decompose !== "offline";

export const mepRunIdle: readonly IdleRule<MepRunSettings>[] = [
  {
    paths: ["clipMemory", "batch", "device", "dtype", "videoTime", "videoMask", "audioMask"],
    when: ({ endpoint }) => endpoint !== null,
    why: "the model is behind --endpoint",
  },
  {
    paths: ["dropMasked"],
    when: ({ videoMask, audioMask }) => videoMask !== null && audioMask !== null,
    why: "--video-mask and --audio-mask say how a masked modality is shown",
  },
  { paths: ["extra"], when: ({ endpoint }) => endpoint === null, why: "no --endpoint is asked" },
  {
    paths: ["decomposeKeyEnv", "decomposeTokens", "decomposeExtra"],
    when: (settings) => !asksLanguageModel(settings),
    why: "no language model takes reasonings apart (--decompose URL#MODEL)",
  },
  {
    paths: ["maxSkipped"],
    when: ({ decompose }) => decompose === null,
    why: "clauses are cut at punctuation, which cannot fail (see --decompose)",
  },
  {
    paths: ["client"],
    when: (settings) =>
      settings.endpoint === null && !asksLanguageModel(settings) && settings.embedder?.startsWith("endpoint:") !== true,
    why: "no server is asked (--endpoint, --decompose URL#MODEL or --embedder endpoint:URL#MODEL)",
  },
];

export const mepCompareSettings = z.strictObject({
  html: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta({ description: "write the comparison as a page", value: "file" }),
});
