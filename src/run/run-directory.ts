// The folder of a run: what lies where, who holds it, and the record of what it ran with. A lock keeps two processes from
// writing into one run; a lock whose process is gone is taken over.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { OppoError } from "../error.ts";
import { replaceFile } from "./checkpoint.ts";
import { configDifferences, configToYaml, readConfigFile } from "./config.ts";
import { diskFullError, isDiskFull } from "./disk.ts";
import type { Versions } from "./versions.ts";

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

interface LockHolder {
  readonly pid: number;
  readonly host: string;
  /** Tells a process from a later one with the same number; empty where the system does not say. */
  readonly started: string;
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
    release = lock(path);
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
    const { versions, seeds, device, choices = {} } = facts;
    replaceFile(record, `${JSON.stringify({ versions, seeds, device, choices }, null, 2)}\n`);
    return {
      path,
      configFile,
      checkpoints: join(path, "checkpoints"),
      metricsFile: join(path, "metrics.jsonl"),
      rolloutsFile: join(path, "rollouts.jsonl"),
      isResumed,
      [Symbol.dispose]: release,
    };
  } catch (error) {
    release();
    throw error;
  }
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

/** Takes the lock and returns what gives it back. */
function lock(path: string): () => void {
  const file = join(path, "run.lock");
  const self: LockHolder = { pid: process.pid, host: hostname(), started: startOf(process.pid) };
  for (;;) {
    try {
      writeFileSync(file, JSON.stringify(self), { flag: "wx" });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const holder = readHolder(file);
    if (holder !== null && isAlive(holder)) {
      const onHost = holder.host === self.host ? "" : ` on ${holder.host}`;
      throw new OppoError(
        "ERR_RUN_LOCKED",
        `${path}: expected a run that nobody writes to, got one held by process ${holder.pid}${onHost}. Wait for it, stop it, or choose another folder (if it is gone, remove ${file}).`,
      );
    }
    rmSync(file, { force: true });
  }
}

/** Null when the lock is gone by now or was never written to its end. */
function readHolder(file: string): LockHolder | null {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as LockHolder;
  } catch {
    return null;
  }
}

function isAlive(holder: LockHolder): boolean {
  // Another machine's processes cannot be seen from here: believed to be alive.
  if (holder.host !== hostname()) return true;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  return startOf(holder.pid) === holder.started;
}

/** The time a process started, in the kernel's ticks. */
function startOf(pid: number): string {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return "";
  // The second field is the name in parentheses and may hold spaces; the start time is field 22.
  const text = readFileSync(file, "utf8");
  return text.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}
