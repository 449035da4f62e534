// A run as MLflow keeps runs in a folder: an experiment's folder holds one folder a run: meta.yaml, a file for every setting under params/,
// for every fact under tags/, for every number under metrics/ with a line "milliseconds value step" a step; names with slashes are folders.
// The run's id there comes from its path: exported again it takes its own place, and whatever else is in the folder stays.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { stringify } from "yaml";
import { OppoError } from "../../../error.ts";
import { temporaryBeside } from "../../../temporary-files.ts";
import { experimentName, type MetricPoint, type MlflowRun } from "./mlflow-run.ts";

export interface FolderExport {
  /** Of the run, in the experiment's folder. */
  readonly folder: string;
  readonly runId: string;
  readonly experimentId: string;
  readonly numMetrics: number;
  readonly numParams: number;
}

/** As MLflow numbers them: eighteen digits. */
const experimentId = "726911404802516337";
/** RunStatus of MLflow's protocol. */
const statuses = { RUNNING: 1, FINISHED: 3, KILLED: 5 } as const;
/** SourceType of MLflow's protocol. */
const localSource = 4;
const idLetters = 32;

/** Whether a person means a server or a database, and no folder: "http://host:5000", "sqlite:///x.db", "localhost:5000". */
export function looksLikeAddress(target: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\/|^[\w.-]+:\d+\/?$/i.test(target);
}

/** @throws OppoError ERR_EXPORT_FOLDER where the folder holds something else than runs of MLflow */
export function exportToFolder(run: MlflowRun, root: string): FolderExport {
  const runId = createHash("sha256").update(run.path).digest("hex").slice(0, idLetters);
  const home = join(root, experimentId);
  writeExperiment(root, home);
  const folder = join(home, runId);
  const part = temporaryBeside(folder);
  rmSync(part, { recursive: true, force: true });
  for (const name of ["artifacts", "metrics", "params", "tags"]) mkdirSync(join(part, name), { recursive: true });
  writeEach(join(part, "metrics"), run.metrics, linesOf);
  writeEach(join(part, "params"), run.params, (value) => value);
  writeEach(join(part, "tags"), run.tags, (value) => value);
  const about = {
    artifact_uri: pathToFileURL(resolve(folder, "artifacts")).href,
    end_time: run.endTime,
    entry_point_name: "",
    experiment_id: experimentId,
    lifecycle_stage: "active",
    run_id: runId,
    run_name: run.name,
    run_uuid: runId,
    source_name: "",
    source_type: localSource,
    source_version: "",
    start_time: run.startTime,
    status: statuses[run.status],
    tags: [],
    user_id: "oppo",
  };
  writeFileSync(join(part, "meta.yaml"), stringify(about));
  rmSync(folder, { recursive: true, force: true });
  renameSync(part, folder);
  return { folder, runId, experimentId, numMetrics: run.metrics.size, numParams: run.params.size };
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
    name: experimentName,
  };
  writeFileSync(file, stringify(about));
}

function linesOf(points: readonly MetricPoint[]): string {
  return points.map(({ timestamp, value, step }) => `${timestamp} ${value} ${step}\n`).join("");
}

/** A file cannot be a folder too: where "kl" and "kl/video" are there, the second one becomes "kl.video". */
function writeEach<T>(folder: string, entries: ReadonlyMap<string, T>, textOf: (value: T) => string): void {
  const names = [...entries.keys()];
  for (const [name, value] of entries) {
    const isBelowFile = names.some((other) => name.startsWith(`${other}/`));
    const path = join(folder, isBelowFile ? name.replaceAll("/", ".") : name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, textOf(value));
  }
}
