// `oppo embed calibrate`: where delta should lie for an embedder, measured on a bank of paraphrases or on a corpus' cues;
// the record that a training compares its delta with.

import { readCorpus } from "../../corpus/clips/read-corpus.ts";
import { chooseEmbedder } from "../../corpus/corpus-embedder.ts";
import type { EmbedderAccess, OpenedEmbedder } from "../../corpus/embedding/opened-embedder.ts";
import { calibrationFormat, calibrationVersion } from "../../corpus/known-delta.ts";
import { openEmbedder, readBank } from "../../corpus/open-embedder.ts";
import type { FieldMap } from "../../data/row-fields.ts";
import { phraseGroups } from "../../data/theatre/script.ts";
import { OppoError } from "../../error.ts";
import { type Calibration, calibrate, paperDelta } from "../../evidence/calibrate.ts";
import { bankPairs, defaultPairLimits, type PhrasePairs } from "../../evidence/phrase-pairs.ts";
import { samplePairs } from "./sample-pairs.ts";

export interface CalibrationSource {
  /** Paraphrases that a person wrote; null for others. */
  readonly bank: string | null;
  /** A corpus, whose annotation says less; null for others. Both null: the theatre's phrases. */
  readonly data: string | null;
  /** Where its rows call things by other names than the usual ones. */
  readonly fields?: FieldMap | undefined;
  readonly seed: number;
}

export interface CalibrationRecord extends Calibration {
  readonly format: typeof calibrationFormat;
  readonly version: typeof calibrationVersion;
  /** What the pairs come from. */
  readonly source: string;
  /** What keeps these numbers from being taken at face value. */
  readonly cautions: readonly string[];
}

const maxSkippedRows = 10;
/** Of the equal error: one in five of either sort on the wrong side. */
const poorRate = 0.2;

/**
 * The embedder to calibrate: also "cues", the one that is fitted on the corpus' own.
 * @throws OppoError ERR_EMBEDDER, ERR_BANK, DatasetError and those of the embedder
 */
export async function openCalibrated(
  choice: string,
  { data, fields }: Pick<CalibrationSource, "data" | "fields">,
  access: EmbedderAccess,
  log: (line: string) => void,
): Promise<OpenedEmbedder> {
  if (choice !== "cues") return openEmbedder(choice, access, "cues (with --data), ");
  if (data === null) {
    throw new OppoError(
      "ERR_EMBEDDER",
      "--embedder cues: expected the corpus that it is fitted on, got none. Give --data SAMPLES.jsonl.",
    );
  }
  const samples = await readCorpus(data, maxSkippedRows, log, fields);
  return chooseEmbedder(samples, null, { embedder: choice, similarityThreshold: paperDelta, access });
}

/** @throws OppoError ERR_CALIBRATION, ERR_BANK, DatasetError and those of the embedder */
export async function calibrateEmbedder(
  { embedder }: Pick<OpenedEmbedder, "embedder">,
  source: CalibrationSource,
  log: (line: string) => void,
): Promise<CalibrationRecord> {
  const { name, pairs } = await readPairs(source, log);
  const result = await calibrate(embedder, pairs, { seed: source.seed });
  return {
    format: calibrationFormat,
    version: calibrationVersion,
    source: name,
    ...result,
    cautions: cautionsOf(result, source),
  };
}

function cautionsOf({ embedder, equalError }: Calibration, { data }: CalibrationSource): string[] {
  const cautions: string[] = [];
  if (equalError.rate > poorRate) {
    cautions.push("no threshold tells these cues apart well: choose another embedder, or cues that differ more");
  }
  if (equalError.rate === 0 && embedder.startsWith("builtin-")) {
    cautions.push("perfect, as the embedder was fitted on phrases like these; other wordings will do worse");
  }
  if (data !== null) cautions.push("labels say less than paraphrases do: same pairs are emotions and word forms only");
  return cautions;
}

async function readPairs(
  { bank, data, fields, seed }: CalibrationSource,
  log: (line: string) => void,
): Promise<{ name: string; pairs: PhrasePairs }> {
  const limits = { ...defaultPairLimits, seed };
  if (data !== null) {
    const samples = await readCorpus(data, maxSkippedRows, log, fields);
    return { name: `cues of ${data}, told apart by its labels`, pairs: samplePairs(samples, limits) };
  }
  if (bank !== null) return { name: `paraphrases of ${bank}`, pairs: bankPairs(readBank(bank), limits) };
  return { name: "paraphrases of the theatre", pairs: bankPairs(phraseGroups(), limits) };
}
