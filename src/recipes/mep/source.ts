// What a MEP set is made from: the samples of a JSONL file, or of a published data set in its official layout, with the cues
// that `oppo evidence extract` found in their descriptions.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { z } from "zod";
import { readCorpus } from "../../corpus/clips/read-corpus.ts";
import { readDataset } from "../../data/read-dataset.ts";
import { datasetNamed } from "../../data/readers/datasets.ts";
import type { FieldMap } from "../../data/row-fields.ts";
import type { Sample } from "../../data/sample.ts";
import { OppoError } from "../../error.ts";
import type { Cue } from "../../evidence/cue.ts";
import { createRandom, permutation } from "../../random.ts";
import { deriveSeed } from "../../seeds.ts";
import { decodeUtf8 } from "../../text/utf8.ts";

export interface SourceOptions {
  /** Samples as JSONL, or null. */
  readonly data: string | null;
  /** A published set and the folder of all data sets, or null. */
  readonly dataset: { readonly name: string; readonly root: string; readonly split: string | null } | null;
  /** JSONL of `{ id, cues }` for samples that do not bring their own; null for none. */
  readonly cues: string | null;
  /** Where the media are; null: beside the file, or the data sets' folder. */
  readonly mediaRoot: string | null;
  readonly maxSkippedRows: number;
  /** Where rows of files call things by other names than the usual ones. */
  readonly fields?: FieldMap | undefined;
  readonly log: (line: string) => void;
}

export interface Source {
  readonly name: string;
  readonly samples: readonly Sample[];
  readonly mediaRoot: string;
  /** Over everything that was read of the samples. */
  readonly hash: string;
  /** Cues that are no short phrase, left out of their samples. */
  readonly numDroppedCues: number;
}

/** @throws OppoError ERR_MEP_SOURCE, ERR_NO_SAMPLES, DatasetError */
export async function readSource(options: SourceOptions): Promise<Source> {
  const { name, samples: bare, root } = await readBare(options);
  const cues = options.cues === null ? null : readCues(options.cues);
  const annotated = bare.map((sample) => ({ ...sample, cues: cues?.get(sample.id) ?? sample.cues }));
  const samples = annotated.map((sample) => ({ ...sample, cues: sample.cues.filter(({ text }) => isPhrase(text)) }));
  if (!samples.some((sample) => sample.cues.length > 0)) {
    throw new OppoError(
      "ERR_MEP_SOURCE",
      `${name}: expected samples with cues, got none in ${samples.length}${cues === null ? "" : ` (${cues.size} rows of ${options.cues}, no id in common)`}. Make them with: oppo evidence extract; then give --cues.`,
    );
  }
  return {
    name,
    samples,
    mediaRoot: options.mediaRoot ?? root,
    hash: createHash("sha256").update(JSON.stringify(annotated)).digest("hex"),
    numDroppedCues: numCues(annotated) - numCues(samples),
  };
}

const maxCueLength = 100;
const maxCueWords = 12;

/** A cue becomes a part of a question: a phrase of one line without marks that end or open one, not a text of its own. */
function isPhrase(text: string): boolean {
  const isPlain = text.length <= maxCueLength && !/[\p{Cc}?!<>{}"\u201c\u201d:]|[.;]\s/u.test(text);
  return isPlain && text.trim().split(/\s+/).length <= maxCueWords;
}

function numCues(samples: readonly Sample[]): number {
  return samples.reduce((sum, { cues }) => sum + cues.length, 0);
}

async function readBare({ data, dataset, maxSkippedRows, fields, log }: SourceOptions) {
  if (data !== null) {
    return { name: basename(data), samples: await readCorpus(data, maxSkippedRows, log, fields), root: dirname(data) };
  }
  if (dataset === null) {
    throw new OppoError(
      "ERR_MEP_SOURCE",
      "mep build: expected a corpus, got none. Give --data FILE, or --dataset NAME.",
    );
  }
  const reader = datasetNamed(dataset.name);
  const split = dataset.split ?? reader.scoredSplit ?? reader.splits[0]!.name;
  const samples: Sample[] = [];
  for await (const sample of readDataset(reader, dataset.root, split, { maxSkippedRows })) samples.push(sample);
  return { name: `${reader.title} ${split}`, samples, root: dataset.root };
}

const rowSchema = z.object({
  id: z.string().min(1),
  cues: z.array(z.object({ kind: z.enum(["video", "audio", "emotion"]), text: z.string().min(1) })),
});

function readCues(file: string): Map<string, readonly Cue[]> {
  const cues = new Map<string, readonly Cue[]>();
  const text = decodeUtf8(readFileSync(file));
  if (text === null) {
    throw new OppoError(
      "ERR_MEP_SOURCE",
      `${file}: expected text in UTF-8, got bytes of another encoding. Save it as UTF-8.`,
    );
  }
  for (const [i, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    try {
      const row = rowSchema.parse(JSON.parse(line));
      cues.set(row.id, row.cues);
    } catch (cause) {
      throw new OppoError(
        "ERR_MEP_SOURCE",
        `${file}:${i + 1}: expected a row such as { "id": "clip1", "cues": [{ "kind": "video", "text": "a frown" }] }, got ${line.slice(0, 80)}. Repair or remove it.`,
        { cause },
      );
    }
  }
  return cues;
}

/** So many of the samples, drawn from the seed, in their order. */
export function drawCandidates(samples: readonly Sample[], count: number, seed: number): readonly Sample[] {
  if (samples.length <= count) return samples;
  const order = permutation(samples.length, createRandom(deriveSeed(seed, "mep", "candidates")));
  const kept = new Set(order.slice(0, count));
  return samples.filter((_, i) => kept.has(i));
}
