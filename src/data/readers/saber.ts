// SABER: some 600,000 clips of ten corpora with a description per modality, written by a model; natural material for evidence. One JSON
// file per clip, as the README and the examples of zxzhao0/SABER-LLM show it; the files name no clip but by their own names.
import { readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import { list, mediaFinder, nameProblem, openFolder } from "../folder.ts";
import { DatasetError } from "../jsonl.ts";
import {
  type AnnotatedSample,
  type DatasetReader,
  type DatasetReadOptions,
  type SkipRow,
  skipCounter,
  splitOf,
} from "../reader.ts";

export const saber: DatasetReader = {
  name: "saber",
  title: "SABER",
  kind: "open",
  labels: [],
  splits: [{ name: "train", role: "train", isUnlabelled: true }],
  scoredSplit: null,
  source: {
    access:
      "Descriptions: Hugging Face, zhaoxiaoxian/SABER-Dataset. Clips: the ten corpora that it describes (CREMA-D, MEAD, MELD, MER2025 and " +
      "others, each on its own terms); put or link them into video/.",
    layout: [
      "SABER/",
      "  json/NAME.json or json/CORPUS/NAME.json",
      "  video/NAME.mp4 or video/CORPUS/NAME.mp4 (.avi, .mkv, .flv)",
    ],
    traps: [
      "MELD's and other corpora's names (dia0_utt0) repeat: keep a folder per corpus; then samples are named CORPUS_NAME.",
      "MELD, MER2025, CH-SIMS v2 and RAVDESS are test sets elsewhere: leave their test clips out of what you train on.",
      "There are no labels, only an analysis in words; part of the descriptions are Chinese.",
    ],
  },
  read,
};

/** What a description is of: cues that are taken from it are of that kind. In this order they make the reasoning. */
const parts = [
  ["video_desc", "video"],
  ["facial_exp_desc", "video"],
  ["body_lang_desc", "video"],
  ["acoustic_feat", "audio"],
  ["sentiment_analysis", "emotion"],
] as const;

const text = z.string().trim().default("");
const schema = z
  .object({
    audio_desc: z.object({ speech_content: text, acoustic_feat: text }).prefault({}),
    video_desc: text,
    facial_exp_desc: text,
    body_lang_desc: text,
    sentiment_analysis: text,
  })
  .transform(({ audio_desc: audio, ...rest }) => ({ ...rest, ...audio }));

/** No description is longer. */
const maxBytes = 1_000_000;
const extensions = [".mp4", ".avi", ".mkv", ".flv"];

async function* read(root: string, split: string, options?: DatasetReadOptions): AsyncGenerator<AnnotatedSample> {
  const skip = skipCounter(options);
  splitOf(saber, split);
  const folder = openFolder(root, ["SABER", "saber"]);
  const base = join(folder.root, folder.base, "json");
  const entries = list(base).sort();
  if (entries.length === 0) {
    const message = `${base}: expected files NAME.json, got none. Run \`oppo data check\` for what to download.`;
    throw new DatasetError("ERR_DATASET_ABSENT", message, { file: base });
  }
  const seen = new Set<string>();
  const flat = entries.filter((entry) => entry.endsWith(".json"));
  const corpora = entries.filter((entry) => !entry.endsWith(".json") && nameProblem(entry) === null);
  for (const corpus of [null, ...corpora]) {
    const inside = corpus === null ? flat : list(join(base, corpus)).sort();
    const video = mediaFinder(folder, [corpus === null ? "video" : `video/${corpus}`], extensions);
    for (const name of inside) {
      if (!name.endsWith(".json")) continue;
      const file = join(base, corpus ?? "", name);
      const stem = basename(name, ".json");
      const id = corpus === null ? stem : `${corpus}_${stem}`;
      const described = readDescriptions(file, id, skip);
      if (described === null) continue;
      if (seen.has(id)) skip({ kind: "repeated-name", file, line: 0, reason: `"${id}" again`, name: id });
      seen.add(id);
      const { subtitle, descriptions } = described;
      const reasoning = descriptions.map((one) => one.text).join("\n");
      const meta = { dataset: saber.title, split, ...(corpus === null ? {} : { corpus }), descriptions };
      const sample = { id, media: video(stem), subtitle, labels: [], reasoning, cues: [], meta };
      yield { sample, annotation: null };
    }
  }
}

function readDescriptions(file: string, id: string, skip: SkipRow) {
  const problem = nameProblem(id);
  if (problem !== null) {
    skip({ kind: "unsafe-name", file, line: 0, reason: problem, name: id });
    return null;
  }
  const read = parsed(file);
  if (typeof read === "string") {
    skip({ kind: "malformed", file, line: 0, reason: read, name: id });
    return null;
  }
  const descriptions = parts.flatMap(([name, kind]) => (read[name] === "" ? [] : [{ kind, text: read[name] }]));
  if (descriptions.length > 0) return { subtitle: read.speech_content, descriptions };
  skip({ kind: "unlabelled", file, line: 0, reason: "no description", name: id });
  return null;
}

/** The descriptions, or why there are none. */
function parsed(file: string): z.output<typeof schema> | string {
  const { size } = statSync(file);
  if (size > maxBytes) return `expected at most ${maxBytes} bytes, got ${size}`;
  try {
    const { data, error } = schema.safeParse(JSON.parse(readFileSync(file, "utf8")));
    return data ?? `${error?.issues[0]?.path.join(".")}: ${error?.issues[0]?.message}`;
  } catch (error) {
    return (error as Error).message;
  }
}
