// The folder of a run: what lies where, and the record of what it ran with. A lock keeps two processes from writing into
// one run (`run-lock.ts`).

import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { OppoError } from "../error.ts";
import { latestCheckpoint, replaceFile } from "./checkpoint.ts";
import { configDifferences, configToYaml, readConfigFile } from "./config.ts";
import { diskFullError, isDiskFull } from "./disk.ts";
import { lockRun } from "./run-lock.ts";
import type { Versions } from "./versions.ts";

/** Whose run a folder holds; the demo has folders of its own. */
export type RunKind = "train" | "sft" | "mep" | "r1-omni";

/** Holds the run until disposed. */
export interface RunDirectory extends Disposable {
  readonly path: string;
  /** The resolved configuration; `--config` of this file repeats the run. */
  readonly configFile: string;
  readonly checkpoints: string;
  readonly metricsFile: string;
  readonly rolloutsFile: string;
  /** Whether the folder held this same run already, so that it goes on. */
  readonly isResumed: boolean;
}

export interface RunFacts {
  /** Which program's; `oppo report` asks. */
  readonly kind?: RunKind;
  /** The resolved configuration. */
  readonly config: unknown;
  /** Dotted paths that may change when a run goes on, such as a number of steps. */
  readonly mayChange?: readonly string[];
  readonly versions: Versions;
  readonly seeds: readonly number[];
  readonly device: string;
  /** What was chosen by itself, such as a lexicon with its hash: a run that goes on must find the same. */
  readonly choices?: Readonly<Record<string, string>>;
}

/**
 * Opens the folder, locks it, and writes `config.yaml` and `run.json` before anything else happens.
 * @throws OppoError ERR_RUN_LOCKED, ERR_RUN_DIFFERS (it holds another configuration), ERR_DISK_FULL
 */
export function openRunDirectory(path: string, facts: RunFacts): RunDirectory {
  const configFile = join(path, "config.yaml");
  let release: () => void;
  try {
    mkdirSync(path, { recursive: true });
    release = lockRun(path);
  } catch (error) {
    throw isDiskFull(error) ? diskFullError(path, "the run's folder", error) : error;
  }
  try {
    const isResumed = existsSync(configFile);
    const record = join(path, "run.json");
    if (isResumed) requireSameConfig(path, configFile, facts);
    if (isResumed) requireSameChoices(path, record, facts);
    replaceFile(
      configFile,
      configToYaml(facts.config, "The resolved configuration: --config of this file repeats the run."),
    );
    const { kind, versions, seeds, device, choices = {} } = facts;
    replaceFile(record, `${JSON.stringify({ kind, versions, seeds, device, choices }, null, 2)}\n`);
    return { ...followRunDirectory(path, isResumed), [Symbol.dispose]: release };
  } catch (error) {
    release();
    throw error;
  }
}

/** The folder of a run that another process holds: to read from. */
export function followRunDirectory(path: string, isResumed: boolean): RunDirectory {
  return {
    path,
    configFile: join(path, "config.yaml"),
    checkpoints: join(path, "checkpoints"),
    metricsFile: join(path, "metrics.jsonl"),
    rolloutsFile: join(path, "rollouts.jsonl"),
    isResumed,
    [Symbol.dispose]() {},
  };
}

function requireSameConfig(path: string, configFile: string, facts: RunFacts): void {
  const before = readConfigFile(configFile).values;
  // Compared as what the file would hold, where an absent optional setting has no key.
  const now: unknown = JSON.parse(JSON.stringify(facts.config));
  const changed = configDifferences(before, now).filter((name) => !(facts.mayChange ?? []).includes(name));
  if (changed.length === 0) return;
  throw new OppoError(
    "ERR_RUN_DIFFERS",
    `${path}: expected the configuration that this run began with, got other values of ${changed.slice(0, 5).join(", ")}. Choose another folder, or remove this one.`,
  );
}

function requireSameChoices(path: string, record: string, { choices = {}, mayChange = [] }: RunFacts): void {
  if (!existsSync(record)) return;
  const { choices: before = {} } = JSON.parse(readFileSync(record, "utf8")) as Pick<RunFacts, "choices">;
  const changed = Object.entries(choices).find(
    ([name, value]) => before[name] !== undefined && before[name] !== value && !mayChange.includes(name),
  );
  if (changed === undefined) return;
  const [name, value] = changed;
  throw new OppoError(
    "ERR_RUN_DIFFERS",
    `${path}: expected the ${name} that this run began with, ${before[name]}, got ${value}. Bring it back, or choose another folder.`,
  );
}

/**
 * Until its first checkpoint a run has learned nothing: whatever stopped it may be put right.
 * @param always dotted paths that may change at any time @param choices names of what is chosen by itself (`RunFacts.choices`)
 */
export function changeableSettings(
  directory: string,
  config: unknown,
  always: readonly string[],
  choices: readonly string[],
): string[] {
  const file = join(directory, "config.yaml");
  if (latestCheckpoint(join(directory, "checkpoints")) !== null || !existsSync(file)) return [...always];
  return [...configDifferences(readConfigFile(file).values, JSON.parse(JSON.stringify(config))), ...choices];
}

const kinds: readonly string[] = ["train", "sft", "mep", "r1-omni"] satisfies RunKind[];

/** null: the folder is no run, or one of another kind. What was begun before run.json said so is known by its files. */
export function kindOfRun(directory: string): RunKind | null {
  const has = (name: string) => existsSync(join(directory, name));
  const kind = has("run.json") ? statedKind(readFileSync(join(directory, "run.json"), "utf8")) : null;
  if (kind !== null) return kind;
  if (!has("config.yaml")) return null;
  if (has("answers") && has("training") && has("settings")) return "r1-omni";
  if (has("rollouts.jsonl")) return "train";
  if (has("metrics.jsonl")) return "sft";
  return has("answers.partial.jsonl") || has("answers.jsonl") ? "mep" : null;
}

function statedKind(text: string): RunKind | null {
  try {
    const kind: unknown = (JSON.parse(text) as { kind?: unknown } | null)?.kind;
    return typeof kind === "string" && kinds.includes(kind) ? (kind as RunKind) : null;
  } catch {
    return null;
  }
}
