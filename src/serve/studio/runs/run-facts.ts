// What a run's folder says about itself beside its curves: which program's it is, whether it runs, its settings, its warnings. Everything
// in it may be broken, of another version or hostile: what cannot be read is named, and nothing is believed to be short.
import { join } from "node:path";
import { parseConfigText } from "../../../run/config-text.ts";
import { readHolder } from "../../../run/run-lock.ts";
import type { RunShape, RunState, RunSummary, RunWarning } from "../api.ts";
import { readSmall, readTail, statRegular } from "../logs/safe-read.ts";
import type { RunPlace } from "./find-runs.ts";

const maxFactsBytes = 262_144;
const lastRowsBytes = 65_536;
const maxText = 2000;
const maxSettings = 1000;
const maxDepth = 8;

export const logNames = ["metrics.jsonl", "evaluation.jsonl", "warnings.jsonl", "rollouts.jsonl"] as const;
const listed = ["reward", "loss", "kl", "step_time"];

export interface Settings {
  readonly values: Readonly<Record<string, unknown>>;
  readonly problem: string | null;
}

export function readSettings(path: string): Settings {
  const text = readSmall(join(path, "config.yaml"), maxFactsBytes);
  if (text === null) return { values: {}, problem: null };
  const read = parseConfigText("config.yaml", text);
  return "problem" in read ? { values: {}, problem: read.problem } : { values: read.values, problem: null };
}

/** What stands in run.json; an empty object where it is not there or is none. */
export function readFacts(path: string): Readonly<Record<string, unknown>> {
  const text = readSmall(join(path, "run.json"), maxFactsBytes);
  if (text === null) return {};
  try {
    const facts: unknown = JSON.parse(text);
    return typeof facts === "object" && facts !== null && !Array.isArray(facts)
      ? (facts as Record<string, unknown>)
      : {};
  } catch {
    return {};
  }
}

export function summarize(place: RunPlace): RunSummary {
  const { path, files } = place;
  const { values, problem } = readSettings(path);
  const facts = readFacts(path);
  const row = lastRow(join(path, "metrics.jsonl"));
  const wanted = values.steps;
  const numSteps = typeof row.step === "number" ? row.step + 1 : files.has("metrics.jsonl") ? 0 : null;
  const wantedSteps = typeof wanted === "number" && Number.isInteger(wanted) ? wanted : null;
  const shape = shapeOf(files, facts);
  return {
    id: place.id,
    name: place.name,
    path,
    shape,
    state: stateOf(path, files, { numSteps, wantedSteps }),
    preset: typeof values.preset === "string" ? values.preset.slice(0, maxText) : null,
    numSteps,
    wantedSteps,
    last: Object.fromEntries(listed.map((name) => [name, finite(row[name])])),
    hasRollouts: files.has("rollouts.jsonl"),
    numWarnings: readWarnings(path).length,
    changedAt: Math.max(0, ...[...logNames, "config.yaml", "results.json"].map((name) => timeOf(path, name))),
    problems: problem === null ? [] : [problem.slice(0, maxText)],
  };
}

/** Of at most a few dozen kinds, so the end of the log holds them all. */
export function readWarnings(path: string): RunWarning[] {
  return readTail(join(path, "warnings.jsonl"), lastRowsBytes)
    .split("\n")
    .flatMap((text): RunWarning[] => {
      const row = parseObject(text);
      if (typeof row?.line !== "string") return [];
      const step = finite(row.step);
      return [{ step, name: String(row.name).slice(0, maxText), line: row.line.slice(0, maxText) }];
    });
}

/** Nested settings as dotted path -> JSON, bounded in number and length. */
export function flatten(values: Readonly<Record<string, unknown>>): Record<string, string> {
  const flat: Record<string, string> = {};
  let count = 0;
  const visit = (value: unknown, path: string, depth: number): void => {
    const isGroup = typeof value === "object" && value !== null && !Array.isArray(value) && depth < maxDepth;
    if (count >= maxSettings) return;
    if (!isGroup) {
      count++;
      flat[path] = (JSON.stringify(value) ?? "null").slice(0, maxText);
    } else
      for (const [key, inner] of Object.entries(value)) visit(inner, path === "" ? key : `${path}.${key}`, depth + 1);
  };
  visit(values, "", 0);
  return flat;
}

export function finite(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

function shapeOf(files: ReadonlySet<string>, { kind }: Readonly<Record<string, unknown>>): RunShape {
  if (kind === "train" || kind === "sft" || kind === "mep") return kind;
  if (files.has("rollouts.jsonl")) return "train";
  if (files.has("arms") || files.has("corpus")) return "demo";
  if (files.has("training") || files.has("results.json")) return "table";
  if (files.has("answers.jsonl") || files.has("answers.partial.jsonl")) return "mep";
  return files.has("config.yaml") && files.has("metrics.jsonl") ? "sft" : "log";
}

interface Steps {
  readonly numSteps: number | null;
  readonly wantedSteps: number | null;
}

function stateOf(path: string, files: ReadonlySet<string>, { numSteps, wantedSteps }: Steps): RunState {
  if (readHolder(readSmall(join(path, "run.lock"), maxFactsBytes) ?? "") !== null) return "running";
  if (files.has("results.json")) return "finished";
  if (numSteps === null || wantedSteps === null) return files.has("model") ? "finished" : "unknown";
  return numSteps >= wantedSteps ? "finished" : "stopped";
}

function lastRow(path: string): Readonly<Record<string, unknown>> {
  const lines = readTail(path, lastRowsBytes).split("\n");
  for (const text of lines.reverse()) {
    const row = parseObject(text);
    if (typeof row?.step === "number") return row;
  }
  return {};
}

function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const row: unknown = JSON.parse(text);
    return typeof row === "object" && row !== null ? (row as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function timeOf(path: string, name: string): number {
  return statRegular(join(path, name))?.mtimeMs ?? 0;
}
