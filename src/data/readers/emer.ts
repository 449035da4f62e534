// EMER: clips of MER2023 with reasons that people wrote or checked. v1 has 100 clips with one word, subtitle and reason; v2 has
// 332 with a reason alone (its label sets were published as OV-MERD). The media are MER2023's. Columns: EMER/README.md and
// the tables of zeroQiaoba/AffectGPT.
import { type DatasetFolder, findFile, mediaFinder, nameProblem, openFolder } from "../folder.ts";
import {
  type AnnotatedSample,
  type DatasetReader,
  type DatasetReadOptions,
  type SkipRow,
  skipCounter,
  splitOf,
} from "../reader.ts";
import { readTableByName } from "../table.ts";

export const emer: DatasetReader = {
  name: "emer",
  title: "EMER",
  kind: "open",
  labels: [],
  splits: [
    { name: "v1", role: "train", numPublished: 100 },
    { name: "v2", role: "train", numPublished: 332, isUnlabelled: true },
  ],
  scoredSplit: null,
  source: {
    access:
      "Tables: folder EMER of github.com/zeroQiaoba/AffectGPT, free to read. Clips: MER2023 (its agreement); put or link " +
      "them into video/.",
    layout: [
      "EMER/",
      "  dataset-v1/gt-eng.csv               (names,emotions,subtitles,reasons)",
      "  dataset-v2/final-EMER-reason.csv    (name,chinese,english)",
      "  video/NAME.mp4 or .avi",
    ],
    traps: [
      "v2 is the same 332 clips as OV-MERD.",
      "R1-Omni's cold start took 232 of them; which ones was never published.",
    ],
  },
  read,
};

interface EmerRow {
  readonly line: number;
  readonly emotion: string;
  readonly subtitle: string;
  readonly reason: string;
}

async function* read(root: string, split: string, options?: DatasetReadOptions): AsyncGenerator<AnnotatedSample> {
  const skip = skipCounter(options);
  const { name: version } = splitOf(emer, split);
  const folder = openFolder(root, ["EMER"]);
  const file = findFile(folder, version === "v1" ? files.v1 : files.v2);
  const rows = await (version === "v1" ? readFirst(file, skip) : readSecond(file, skip));
  const video = clips(folder);
  for (const [name, { line, emotion, subtitle, reason }] of rows) {
    const problem = nameProblem(name) ?? (reason === "" ? "no reason" : null);
    if (problem !== null) {
      skip({ kind: reason === "" ? "unlabelled" : "unsafe-name", file, line, reason: problem, name });
      continue;
    }
    const labels = emotion === "" ? [] : [emotion];
    const meta = { dataset: emer.title, split: version };
    const sample = { id: name, media: video(name), subtitle, labels, reasoning: reason, cues: [], meta };
    yield { sample, annotation: emotion || null };
  }
}

const files = {
  v1: ["dataset-v1/gt-eng.csv", "gt-eng.csv"],
  v2: ["dataset-v2/final-EMER-reason.csv", "final-EMER-reason.csv"],
} as const;

function clips(folder: DatasetFolder): (name: string) => string {
  return mediaFinder(folder, ["video", "mer2023-dataset-process/video"], [".mp4", ".avi"]);
}

async function readFirst(file: string, skip: SkipRow): Promise<Map<string, EmerRow>> {
  const table = await readTableByName(file, "names", ["names", "emotions", "subtitles", "reasons"], skip);
  const rows = [...table].map(([name, { line, cells }]): [string, EmerRow] => {
    const emotion = cells.emotions.trim().toLowerCase();
    return [name, { line, emotion, subtitle: cells.subtitles, reason: cells.reasons.trim() }];
  });
  return new Map(rows);
}

async function readSecond(file: string, skip: SkipRow): Promise<Map<string, EmerRow>> {
  const table = await readTableByName(file, "name", ["name", "english"], skip);
  const rows = [...table].map(([name, { line, cells }]): [string, EmerRow] => {
    return [name, { line, emotion: "", subtitle: "", reason: cells.english.trim() }];
  });
  return new Map(rows);
}
