// What a training run is for MLflow, wherever it is written to: settings as params, facts as tags, numbers of steps and evaluations as
// metrics with the time when their step was over, all under names and in lengths that MLflow takes.
import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import type { StepRow } from "../../../run/metrics.ts";
import { readHolder } from "../../../run/run-lock.ts";
import type { TrainingRun } from "../training-run.ts";

export interface MetricPoint {
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly value: number;
  readonly step: number;
}

export interface MlflowRun {
  readonly name: string;
  /** Of the run's folder, absolute: exported again, a run is known by it. */
  readonly path: string;
  readonly status: "RUNNING" | "FINISHED" | "KILLED";
  /** Milliseconds since 1970. */
  readonly startTime: number;
  /** null: it is under way. */
  readonly endTime: number | null;
  readonly params: ReadonlyMap<string, string>;
  readonly tags: ReadonlyMap<string, string>;
  readonly metrics: ReadonlyMap<string, readonly MetricPoint[]>;
}

/** The experiment that all runs are put under. */
export const experimentName = "oppo";
/** MLflow's limits (mlflow/utils/validation.py); older servers take the shorter ones. */
const maxNameLetters = 250;
const maxParamLetters = 6000;
const maxTagLetters = 5000;
const millisecondsPerSecond = 1000;

export function mlflowRun(run: TrainingRun): MlflowRun {
  const path = resolve(run.directory);
  const times = timesOf(run);
  const status = statusOf(run);
  return {
    name: basename(path),
    path,
    status,
    startTime: times.start,
    endTime: status === "RUNNING" ? null : times.end,
    params: shortened(legallyNamed(run.settings), maxParamLetters),
    tags: shortened(tagsOf(run), maxTagLetters),
    metrics: metricsOf(run, times),
  };
}

interface Times {
  readonly start: number;
  readonly end: number;
  /** Milliseconds since 1970 when a step was over. */
  readonly of: ReadonlyMap<number, number>;
}

/** Logs say how long steps took; when the last one was over, the file says. */
function timesOf({ directory, metrics }: TrainingRun): Times {
  const stats = statSync(join(directory, "metrics.jsonl"), { throwIfNoEntry: false });
  const end = Math.round(stats?.mtimeMs ?? Date.now());
  const of = new Map<number, number>();
  let time = end;
  for (const row of metrics.toReversed()) {
    of.set(row.step, Math.max(0, Math.round(time)));
    time -= millisecondsPerSecond * (typeof row.step_time === "number" && row.step_time > 0 ? row.step_time : 0);
  }
  return { start: Math.max(0, Math.round(time)), end, of };
}

/** Of steps and of evaluations; null and what is no number is left out. */
function metricsOf({ metrics, evaluations }: TrainingRun, times: Times): Map<string, MetricPoint[]> {
  const points = new Map<string, MetricPoint[]>();
  const take = (rows: readonly StepRow[], prefix: string) => {
    for (const { step, ...row } of rows) {
      if (!Number.isSafeInteger(step)) continue;
      for (const [key, value] of Object.entries(row)) {
        if (typeof value !== "number" || !Number.isFinite(value)) continue;
        const list = points.get(prefix + key) ?? [];
        points.set(prefix + key, list);
        list.push({ timestamp: times.of.get(step) ?? times.end, value, step });
      }
    }
  };
  take(metrics, "");
  take(evaluations, "eval/");
  return legallyNamed(points);
}

function tagsOf({ kind, directory, facts }: TrainingRun): Map<string, string> {
  const commit = facts.get("versions.gitCommit");
  return new Map([
    ...legallyNamed(new Map([...facts].map(([name, value]) => [`oppo.${name}`, value]))),
    ["mlflow.runName", basename(resolve(directory))],
    ["mlflow.source.name", `oppo ${kind}`],
    ["mlflow.source.type", "LOCAL"],
    ...(commit === undefined ? [] : [["mlflow.source.git.commit", commit] as const]),
  ]);
}

function statusOf({ directory, hasModel }: TrainingRun): MlflowRun["status"] {
  const lock = join(directory, "run.lock");
  if (existsSync(lock) && readHolder(readFileSync(lock, "utf8")) !== null) return "RUNNING";
  return hasModel ? "FINISHED" : "KILLED";
}

/** The same under names that MLflow takes: what none is left of is left out, of two that became one the later has a number behind. */
function legallyNamed<T>(entries: ReadonlyMap<string, T>): Map<string, T> {
  const named = new Map<string, T>();
  for (const [name, value] of entries) {
    const legal = legalName(name);
    if (legal === null) continue;
    let free = legal;
    for (let n = 2; named.has(free); n++) free = `${legal.slice(0, maxNameLetters - 1 - String(n).length)}_${n}`;
    named.set(free, value);
  }
  return named;
}

/** MLflow's letters, and no way out of a folder: null where nothing is left. */
function legalName(name: string): string | null {
  const legal = name.replaceAll(/[^\w.\-/ ]/g, "_").slice(0, maxNameLetters);
  const isWay = legal.split("/").some((step) => step === "" || step === "." || step.startsWith(".."));
  return isWay ? null : legal;
}

function shortened(texts: ReadonlyMap<string, string>, most: number): Map<string, string> {
  return new Map([...texts].map(([name, text]) => [name, cut(text, most)]));
}

/** A cut may split a pair of surrogates: what is left of one has no bytes in UTF-8 and becomes a replacement character. */
function cut(text: string, most: number): string {
  return Buffer.from(text.slice(0, most), "utf8").toString("utf8");
}
