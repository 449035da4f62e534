// What the folder of a training run holds, read for its page: nothing in it is trusted to be whole, for a run may be under way.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { latestCheckpoint } from "../../run/checkpoint.ts";
import { readConfigFile } from "../../run/config.ts";
import { formatBytes } from "../../run/disk.ts";
import { readLastRows, readStepLog, type StepRow } from "../../run/metrics.ts";
import type { RunKind } from "../../run/run-directory.ts";

export interface Warned {
  readonly step: number;
  readonly line: string;
}

export interface TrainingRun {
  readonly directory: string;
  readonly kind: Exclude<RunKind, "mep" | "r1-omni">;
  /** Dotted path -> value, as config.yaml has them. */
  readonly settings: ReadonlyMap<string, string>;
  /** What run.json says beside: versions, device, what was chosen by itself. */
  readonly facts: ReadonlyMap<string, string>;
  readonly metrics: readonly StepRow[];
  readonly evaluations: readonly StepRow[];
  readonly warnings: readonly Warned[];
  /** Clips that were left out, with reasons. */
  readonly skipped: readonly { readonly id: string; readonly reason: string }[];
  /** Updates behind the newest checkpoint; null: there is none. */
  readonly checkpoint: number | null;
  readonly hasModel: boolean;
  readonly hasBest: boolean;
  /** The last step's groups of rollouts, or the last evaluation's answers. */
  readonly lastRows: readonly StepRow[];
}

/** @throws OppoError ERR_LOG_BROKEN, ConfigError */
export function readTrainingRun(directory: string, kind: TrainingRun["kind"]): TrainingRun {
  const path = (name: string) => join(directory, name);
  const record = existsSync(path("run.json")) ? parsed(readFileSync(path("run.json"), "utf8")) : null;
  return {
    directory,
    kind,
    settings: flat(readConfigFile(path("config.yaml")).values),
    facts: flat(forPeople(record ?? {})),
    metrics: readStepLog(path("metrics.jsonl")),
    evaluations: readStepLog(path("evaluation.jsonl")),
    warnings: readStepLog(path("warnings.jsonl")).map(({ step, line }) => ({ step, line: String(line) })),
    skipped: skippedClips(path("skipped.jsonl")),
    checkpoint: latestCheckpoint(path("checkpoints"))?.step ?? null,
    hasModel: existsSync(path("model")),
    hasBest: existsSync(path("best")),
    lastRows: lastStepOf(path(kind === "train" ? "rollouts.jsonl" : "answers.jsonl")),
  };
}

/** Example: `{ lora: { rank: 16 } }` -> "lora.rank" -> "16" */
function flat(value: unknown, prefix = ""): Map<string, string> {
  const isGroup = typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isGroup) return new Map([[prefix, shown(value)]]);
  return new Map(
    Object.entries(value).flatMap(([key, inner]) => [...flat(inner, prefix === "" ? key : `${prefix}.${key}`)]),
  );
}

/** Example: `[{ name: "omni", weight: 0.5 }]` -> "omni 0.5" */
function shown(value: unknown): string {
  if (value === null || value === undefined) return "\u2013";
  if (Array.isArray(value)) return value.map(shown).join(", ");
  return typeof value === "object" ? Object.values(value).map(shown).join(" ") : String(value);
}

/** Sizes and hashes as one reads them. */
function forPeople(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const versions = { ...(record.versions as Record<string, unknown> | undefined) };
  const { memoryBytes, gitCommit } = versions;
  if (typeof memoryBytes === "number") versions.memoryBytes = formatBytes(memoryBytes);
  if (typeof gitCommit === "string") versions.gitCommit = gitCommit.slice(0, 10);
  return { ...record, versions };
}

function skippedClips(file: string): TrainingRun["skipped"] {
  if (!existsSync(file)) return [];
  const rows = readFileSync(file, "utf8").split("\n").map(parsed);
  return rows.flatMap((row) => (row === null ? [] : [{ id: String(row.id), reason: String(row.reason) }]));
}

/** The rows of a log's last step. */
function lastStepOf(file: string): StepRow[] {
  const rows = readLastRows(file);
  return rows.filter(({ step }) => step === rows.at(-1)!.step);
}

/** null: a line that was cut, or is none. */
function parsed(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
