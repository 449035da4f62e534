// `oppo embed calibrate`: where delta should lie for an embedder, measured on a bank of paraphrases or on a corpus' cues;
// the record that a training compares its delta with.
import { readFileSync } from "node:fs";
import { z } from "zod";
import { phraseGroups } from "../../data/theatre/script.ts";
import { OppoError } from "../../error.ts";
import { type Calibration, calibrate } from "../../evidence/calibrate.ts";
import { bankPairs, defaultPairLimits, type PhrasePairs } from "../../evidence/phrase-pairs.ts";
import { readCorpus } from "../corpus.ts";
import { type OpenedEmbedder, readBank } from "./open-embedder.ts";
import { samplePairs } from "./sample-pairs.ts";

export interface CalibrationSource {
  /** Paraphrases that a person wrote; null for others. */
  readonly bank: string | null;
  /** A corpus, whose annotation says less; null for others. Both null: the theatre's phrases. */
  readonly data: string | null;
  readonly seed: number;
}

export interface CalibrationRecord extends Calibration {
  readonly format: typeof format;
  readonly version: typeof version;
  /** What the pairs come from. */
  readonly source: string;
  /** What keeps these numbers from being taken at face value. */
  readonly cautions: readonly string[];
}

const format = "oppo calibration";
const version = 1;
const maxSkippedRows = 10;
/** Of the equal error: one in five of either sort on the wrong side. */
const poorRate = 0.2;

/** @throws OppoError ERR_CALIBRATION, ERR_BANK, DatasetError and those of the embedder */
export async function calibrateEmbedder(
  { embedder }: Pick<OpenedEmbedder, "embedder">,
  source: CalibrationSource,
  log: (line: string) => void,
): Promise<CalibrationRecord> {
  const { name, pairs } = await readPairs(source, log);
  const result = await calibrate(embedder, pairs, { seed: source.seed });
  return { format, version, source: name, ...result, cautions: cautionsOf(result, source) };
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
  { bank, data, seed }: CalibrationSource,
  log: (line: string) => void,
): Promise<{ name: string; pairs: PhrasePairs }> {
  const limits = { ...defaultPairLimits, seed };
  if (data !== null) {
    const samples = await readCorpus(data, maxSkippedRows, log);
    return { name: `cues of ${data}, told apart by its labels`, pairs: samplePairs(samples, limits) };
  }
  if (bank !== null) return { name: `paraphrases of ${bank}`, pairs: bankPairs(readBank(bank), limits) };
  return { name: "paraphrases of the theatre", pairs: bankPairs(phraseGroups(), limits) };
}

/** What a delta is compared with. */
export interface KnownDelta {
  readonly embedder: string;
  readonly delta: number;
  /** Thresholds that are as good. */
  readonly range: readonly [low: number, high: number];
}

const cosine = z.number().min(-1).max(1);
const recordSchema = z.object({
  format: z.literal(format),
  version: z.literal(version),
  embedder: z.string().min(1),
  delta: cosine,
  range: z.tuple([cosine, cosine]),
});

/** Reads what `--out` wrote. @throws OppoError ERR_CALIBRATION */
export function readKnownDelta(file: string): KnownDelta {
  const advice = "Make it with oppo embed calibrate --out.";
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    const got = (cause as Error).message;
    throw new OppoError("ERR_CALIBRATION", `${file}: expected a calibration, got ${got}. ${advice}`, { cause });
  }
  const parsed = recordSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const got = `${issue!.path.join(".") || "the file"}: ${issue!.message}`;
  throw new OppoError(
    "ERR_CALIBRATION",
    `${file}: expected a calibration of version ${version}, got ${got}. ${advice}`,
  );
}

/** Closer than this to the good thresholds is near enough. */
const nearby = 0.05;

/** Lines for the log when a delta does not fit the embedder that it is used with. */
export function deltaWarnings(embedder: string, delta: number, known: readonly KnownDelta[]): string[] {
  const own = known.find((one) => one.embedder === embedder);
  if (own === undefined) {
    const others = known.map((one) => one.embedder).join(", ");
    return [
      `warning: delta ${delta} is not calibrated for this embedder (${embedder}; calibrated: ${others}). "oppo embed calibrate --out FILE" says where it should lie, calibration=FILE compares`,
    ];
  }
  const [low, high] = own.range;
  if (delta >= low - nearby && delta <= high + nearby) return [];
  const effect = delta < low ? "other cues will count as hits" : "paraphrases of a cue will not count";
  return [
    `warning: delta ${delta} is far from what was calibrated for ${embedder}: ${own.delta.toFixed(2)}, good from ${low.toFixed(2)} to ${high.toFixed(2)}; ${effect}`,
  ];
}
