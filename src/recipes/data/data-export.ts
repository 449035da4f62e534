// A published data set, or one split of it, as the JSON lines that training, evaluation and MEP-Bench read. Media stay where
// they are: paths are relative to the file, through a link beside it where the file does not lie above the data.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { wayToMedia } from "../../corpus/way-to-media.ts";
import { audioPath, mediaPath, writeSamples } from "../../data/jsonl.ts";
import { readDataset } from "../../data/read-dataset.ts";
import type { DatasetReader } from "../../data/reader.ts";
import { datasetNamed, onlySplit } from "../../data/readers/datasets.ts";
import type { Sample } from "../../data/sample.ts";
import { OppoError } from "../../error.ts";

export interface ExportRequest {
  readonly dataset: string;
  readonly root: string;
  /** Null where the set has one split only. */
  readonly split: string | null;
  readonly out: string;
  /** Sound from the layout's sound files, or from the videos' own tracks. */
  readonly sound: "files" | "video";
  /** Samples whose clip or sound file is not there: stop, or write the rest. */
  readonly missing: "refuse" | "leave-out";
  readonly maxSkippedRows: number;
}

export interface ExportResult {
  readonly dataset: string;
  readonly split: string;
  readonly file: string;
  readonly numSamples: number;
  /** Rows that are no samples. */
  readonly numSkippedRows: number;
  /** Samples whose media are not there. */
  readonly leftOut: readonly string[];
  /** The link that was made or found beside the file; null where none is needed. */
  readonly link: string | null;
}

/** @throws DatasetError, OppoError ERR_EXPORT_SPLIT, ERR_EXPORT_MEDIA, ERR_EXPORT_LINK */
export async function exportDataset(request: ExportRequest): Promise<ExportResult> {
  const { root, out, sound, missing, maxSkippedRows } = request;
  const reader = datasetNamed(request.dataset);
  const split = request.split ?? onlySplit(reader);
  let numSkippedRows = 0;
  const onSkip = ({ kind }: { kind: string }) => {
    if (kind !== "repeated-name") numSkippedRows++;
  };
  const samples: Sample[] = [];
  const leftOut: string[] = [];
  for await (const read of readDataset(reader, root, split, { maxSkippedRows, onSkip })) {
    const { audio: _, ...silent } = read;
    const sample = sound === "video" ? silent : read;
    const absent = [mediaPath(root, sample), audioPath(root, sample)].find(
      (file) => file !== null && !existsSync(file),
    );
    if (absent === undefined) samples.push(sample);
    else {
      leftOut.push(sample.id);
      if (missing === "refuse") throw mediaMissing(sample.id, absent!, sound);
    }
  }
  if (samples.length === 0) throw nothingLeft(reader, root, split, leftOut.length);
  const { prefix, link } = wayToMedia(resolve(out), resolve(root), reader.name);
  const under = (path: string) => (prefix === "" ? path : `${prefix}/${path}`);
  await writeSamples(
    out,
    samples.map((sample) => ({
      ...sample,
      media: under(sample.media),
      ...(sample.audio === undefined ? {} : { audio: under(sample.audio) }),
    })),
  );
  return { dataset: reader.title, split, file: out, numSamples: samples.length, numSkippedRows, leftOut, link };
}

function mediaMissing(id: string, file: string, sound: ExportRequest["sound"]): OppoError {
  const isSound = sound === "files" && /\.(wav|mp3)$/i.test(file);
  const advice = `${isSound ? "Take the video's own sound with --sound video, or leave" : "Leave"} such samples out with --missing leave-out.`;
  return new OppoError(
    "ERR_EXPORT_MEDIA",
    `${file}: expected the ${isSound ? "sound" : "clip"} of ${id}, got nothing there. ${advice}`,
  );
}

function nothingLeft({ title, name }: DatasetReader, root: string, split: string, numLeftOut: number): OppoError {
  const got = numLeftOut > 0 ? `none of ${numLeftOut}` : "none";
  return new OppoError(
    "ERR_EXPORT_MEDIA",
    `${root}: expected samples of ${title}, split ${split}, with their media, got ${got}. See: oppo data check ${name} ${root}`,
  );
}
