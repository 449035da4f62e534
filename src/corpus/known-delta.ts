// The thresholds that `oppo embed calibrate` found for embedders, and whether a delta fits the embedder that it is used with.
import { readFileSync } from "node:fs";
import { z } from "zod";
import { OppoError } from "../error.ts";

/** What stands at the head of a calibration file. */
export const calibrationFormat = "oppo calibration";
export const calibrationVersion = 1;

/** What a delta is compared with. */
export interface KnownDelta {
  readonly embedder: string;
  readonly delta: number;
  /** Thresholds that are as good. */
  readonly range: readonly [low: number, high: number];
}

const cosine = z.number().min(-1).max(1);
const recordSchema = z.object({
  format: z.literal(calibrationFormat),
  version: z.literal(calibrationVersion),
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
    `${file}: expected a calibration of version ${calibrationVersion}, got ${got}. ${advice}`,
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
