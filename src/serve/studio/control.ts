// Stopping a run and going on with it, where the studio was asked to allow that: a run is asked to end as Ctrl-C asks it, and is begun
// again with its own configuration, in a process that outlives the studio.
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { readHolder } from "../../run/run-lock.ts";
import { HttpError } from "../http/http-error.ts";
import { readSmall } from "./logs/safe-read.ts";
import type { RunPlace } from "./runs/find-runs.ts";
import { summarize } from "./runs/run-facts.ts";

const maxLockBytes = 4096;

/** The command line that the studio itself was started from. */
export interface RunControlOptions {
  /** Node and what it takes before the command's own words. Example: ["/usr/bin/node", "build/js/src/cli/main.js"] */
  readonly command: readonly string[];
}

export class RunControl {
  readonly #command: readonly string[];

  constructor({ command }: RunControlOptions) {
    this.#command = command;
  }

  /** @throws HttpError ERR_STUDIO_CONTROL (400) when nobody of this machine holds the run */
  stop({ path }: RunPlace): { readonly pid: number } {
    const holder = readHolder(readSmall(join(path, "run.lock"), maxLockBytes) ?? "");
    if (holder === null || holder.host !== hostname()) {
      throw refusal(`${path}: expected a run that a process of this machine holds, got none. It may have ended.`);
    }
    process.kill(holder.pid, "SIGINT");
    return { pid: holder.pid };
  }

  /** What the run says goes into RUN/studio.log. @throws HttpError ERR_STUDIO_CONTROL (400) */
  start(place: RunPlace): { readonly pid: number } {
    const { path } = place;
    const { shape, state } = summarize(place);
    if ((shape !== "train" && shape !== "sft") || !place.files.has("config.yaml") || state !== "stopped") {
      throw refusal(`${path}: expected a stopped run of oppo train or oppo sft, got a ${shape} that is ${state}.`);
    }
    const [node, ...before] = this.#command;
    const log = openSync(join(path, "studio.log"), "a");
    try {
      const words = [shape, "--config", join(path, "config.yaml"), "--run", path];
      const child = spawn(node!, [...before, ...words], { detached: true, stdio: ["ignore", log, log] });
      child.unref();
      return { pid: child.pid ?? 0 };
    } finally {
      closeSync(log);
    }
  }
}

function refusal(message: string): HttpError {
  return new HttpError(400, "ERR_STUDIO_CONTROL", message);
}
