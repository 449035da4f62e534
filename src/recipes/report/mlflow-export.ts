// A training run as MLflow keeps runs in a folder: `mlflow ui --backend-store-uri DIR` shows it beside others. An experiment's folder holds
// one folder a run: meta.yaml, a file for every setting under params/, for every fact under tags/, for every number under metrics/ with
// a line "milliseconds value step" a step; names with slashes are folders. The run's name there comes from its path: exported again it
// takes its own place, and whatever else is in the folder stays.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { stringify } from "yaml";
import { OppoError } from "../../error.ts";
import type { StepRow } from "../../run/metrics.ts";
import { readHolder } from "../../run/run-lock.ts";
import { temporaryBeside } from "../../temporary-files.ts";
import type { TrainingRun } from "./training-run.ts";

export interface MlflowExport {
  /** Of the run, in the experiment's folder. */
  readonly folder: string;
  readonly runId: string;
  readonly experimentId: string;
  readonly numMetrics: number;
  readonly numParams: number;
}

const experiment = "oppo";
/** As MLflow numbers them: eighteen digits. */
const experimentId = "726911404802516337";
/** RunStatus of MLflow's protocol. */
const statuses = { running: 1, finished: 3, killed: 5 };
/** SourceType of MLflow's protocol. */
const localSource = 4;
const idLetters = 32;
/** MLflow's limits of names and of values. */
const maxNameLetters = 250;
const maxValueLetters = 6000;
const millisecondsPerSecond = 1000;

/** @throws OppoError ERR_EXPORT_FOLDER where the folder holds something else than runs of MLflow */
export function exportToMlflow(run: TrainingRun, root: string): MlflowExport {
  const path = resolve(run.directory);
  const runId = createHash("sha256").update(path).digest("hex").slice(0, idLetters);
  const home = join(root, experimentId);
  writeExperiment(root, home);
  const folder = join(home, runId);
  const part = temporaryBeside(folder);
  rmSync(part, { recursive: true, force: true });
  const times = timesOf(run);
  for (const name of ["artifacts", "metrics", "params", "tags"]) mkdirSync(join(part, name), { recursive: true });
  const metrics = metricFiles(run, times);
  for (const [name, lines] of metrics) write(join(part, "metrics"), name, lines);
  const params = new Map([...run.settings].map(([name, value]) => [legalName(name), value.slice(0, maxValueLetters)]));
  for (const [name, value] of params) if (name !== null) write(join(part, "params"), name, value);
  for (const [name, value] of tagsOf(run)) write(join(part, "tags"), name, value.slice(0, maxValueLetters));
  const about = {
    artifact_uri: pathToFileURL(resolve(folder, "artifacts")).href,
    end_time: times.end,
    entry_point_name: "",
    experiment_id: experimentId,
    lifecycle_stage: "active",
    run_id: runId,
    run_name: basename(path),
    run_uuid: runId,
    source_name: "",
    source_type: localSource,
    source_version: "",
    start_time: times.start,
    status: statuses[stateOf(run)],
    tags: [],
    user_id: "oppo",
  };
  writeFileSync(join(part, "meta.yaml"), stringify(about));
  rmSync(folder, { recursive: true, force: true });
  renameSync(part, folder);
  return { folder, runId, experimentId, numMetrics: metrics.size, numParams: params.size };
}

/** The experiment's own file, once; MLflow lists folders that have one. */
function writeExperiment(root: string, home: string): void {
  const file = join(home, "meta.yaml");
  if (existsSync(file)) return;
  if (existsSync(home) || (existsSync(root) && !statSync(root).isDirectory())) {
    throw new OppoError(
      "ERR_EXPORT_FOLDER",
      `${home}: expected a folder of MLflow's, or none, got something else. Choose another folder.`,
    );
  }
  mkdirSync(home, { recursive: true });
  const now = Date.now();
  const about = {
    artifact_location: pathToFileURL(resolve(home)).href,
    creation_time: now,
    experiment_id: experimentId,
    last_update_time: now,
    lifecycle_stage: "active",
    name: experiment,
  };
  writeFileSync(file, stringify(about));
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
    of.set(row.step, Math.round(time));
    time -= millisecondsPerSecond * (typeof row.step_time === "number" && row.step_time > 0 ? row.step_time : 0);
  }
  return { start: Math.round(time), end, of };
}

/** Name -> its lines, of steps and of evaluations; null and what is no number is left out. */
function metricFiles({ metrics, evaluations }: TrainingRun, times: Times): Map<string, string> {
  const lines = new Map<string, string[]>();
  const take = (rows: readonly StepRow[], prefix: string) => {
    for (const { step, ...row } of rows) {
      for (const [key, value] of Object.entries(row)) {
        const name = legalName(prefix + key);
        if (name === null || typeof value !== "number" || !Number.isFinite(value)) continue;
        const list = lines.get(name) ?? [];
        lines.set(name, list);
        list.push(`${times.of.get(step) ?? times.end} ${value} ${step}\n`);
      }
    }
  };
  take(metrics, "");
  take(evaluations, "eval/");
  const names = [...lines.keys()];
  // A file cannot be a folder too: where "kl" and "kl/video" are there, the second one becomes "kl.video".
  const isBelowFile = (name: string) => names.some((other) => name.startsWith(`${other}/`));
  return new Map(
    [...lines].map(([name, list]) => [isBelowFile(name) ? name.replaceAll("/", ".") : name, list.join("")]),
  );
}

function tagsOf({ kind, directory, facts }: TrainingRun): [string, string][] {
  const own = [...facts].flatMap(([name, value]): [string, string][] => {
    const legal = legalName(`oppo.${name}`);
    return legal === null ? [] : [[legal, value]];
  });
  const source: [string, string][] = [
    ["mlflow.runName", basename(resolve(directory))],
    ["mlflow.source.name", `oppo ${kind}`],
    ["mlflow.source.type", "LOCAL"],
  ];
  const commit = facts.get("versions.gitCommit");
  return [
    ...own,
    ...source,
    ...(commit === undefined ? [] : [["mlflow.source.git.commit", commit] as [string, string]]),
  ];
}

function stateOf({ directory, hasModel }: TrainingRun): keyof typeof statuses {
  const lock = join(directory, "run.lock");
  if (existsSync(lock) && readHolder(readFileSync(lock, "utf8")) !== null) return "running";
  return hasModel ? "finished" : "killed";
}

/** MLflow's letters, and no way out of the folder: null where nothing is left. */
function legalName(name: string): string | null {
  const steps = name.split("/").map((step) => step.replaceAll(/[^\w.\- ]/g, "_"));
  const legal = steps.join("/").slice(0, maxNameLetters);
  return steps.some((step) => step === "" || step === "." || step === "..") ? null : legal;
}

function write(folder: string, name: string, text: string): void {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
