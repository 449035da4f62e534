// The processes of one training on this machine: started together, their lines told with their rank, and ended together: whichever
// fails first, the others follow within seconds, and its reason is the one that is told.

import { type ChildProcess, spawn } from "node:child_process";
import { OppoError } from "../../error.ts";
import { type ChildStream, followLines } from "../child-lines.ts";
import { INTERRUPTED_EXIT_CODE, InterruptedError } from "../interrupt.ts";

export interface RanksOptions {
  readonly processes: number;
  /** The script and its arguments. */
  readonly command: readonly string[];
  /** Beside RANK, WORLD_SIZE and LOCAL_RANK. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** A whole line that a rank wrote. */
  readonly onLine: (rank: number, stream: ChildStream, line: string) => void;
  /** When it aborts, every rank is asked to stop. */
  readonly signal: AbortSignal;
}

/** Set for ranks that end when whoever started them is gone. */
export const LAUNCHED_VARIABLE = "OPPO_LAUNCHED";

/** How long the others have to say what they know, once one has failed for the sake of another: the reason is still to come. */
const graceMilliseconds = 2_000;
const tailLines = 3;
/** What a rank says when another one is at fault. */
const isFollowing = /\[ERR_RANK_(LOST|LATE)\]/;

interface RankEnd {
  readonly rank: number;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The launcher ended it. */
  readonly isOurs: boolean;
  readonly tail: readonly string[];
}

/** @throws OppoError ERR_RANK_FAILED with the reason of the first rank that failed by itself, InterruptedError */
export async function runRanks(options: RanksOptions): Promise<void> {
  const { processes, signal } = options;
  const children = Array.from({ length: processes }, (_, rank) => startRank(rank, options));
  const ended = new Set<number>();
  const running = () => children.filter((_, rank) => !ended.has(rank));
  const killAll = (): void => {
    for (const child of running()) killGroup(child);
  };
  const ask = (): void => {
    for (const child of running()) child.kill("SIGINT");
  };
  const endOthers = (): void => {
    isKilling = true;
    killAll();
  };
  process.on("exit", killAll);
  signal.addEventListener("abort", ask);
  let timer: NodeJS.Timeout | undefined;
  let isKilling = false;
  const ends: RankEnd[] = [];
  try {
    await Promise.all(
      children.map(async (child, rank) => {
        const tail = followLines(child, { tailLines, onLine: (line, stream) => options.onLine(rank, stream, line) });
        const [code, by] = await endOf(child);
        ended.add(rank);
        ends.push({ rank, code, signal: by, isOurs: isKilling, tail });
        if (code === 0 || code === INTERRUPTED_EXIT_CODE || isKilling) return;
        if (!isLeftBehind(ends.at(-1)!)) endOthers();
        else timer ??= setTimeout(endOthers, graceMilliseconds);
      }),
    );
  } finally {
    clearTimeout(timer);
    process.off("exit", killAll);
    signal.removeEventListener("abort", ask);
  }
  requireSuccess(ends, processes);
}

function startRank(rank: number, { processes, command, environment }: RanksOptions): ChildProcess {
  return spawn(process.execPath, [...command], {
    env: {
      ...process.env,
      ...environment,
      ...{ RANK: String(rank), WORLD_SIZE: String(processes), LOCAL_RANK: String(rank), [LAUNCHED_VARIABLE]: "1" },
    },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    // A group of its own: a terminal's Ctrl-C reaches it through us alone, and what it started ends with it.
    detached: true,
  });
}

function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // It is gone.
  }
}

function endOf(child: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> {
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve([code, signal]));
    // What it started may hold its output open, and has nobody left to work for.
    child.on("exit", () => killGroup(child));
  });
}

/** It failed because another one did. */
function isLeftBehind({ signal, tail }: RankEnd): boolean {
  return signal === null && tail.some((line) => isFollowing.test(line));
}

function requireSuccess(ends: readonly RankEnd[], processes: number): void {
  const failed = ends.filter(({ code, isOurs }) => code !== 0 && code !== INTERRUPTED_EXIT_CODE && !isOurs);
  // Whoever was stopped before all had met leaves the others behind.
  const isStopped = ends.some(({ code }) => code === INTERRUPTED_EXIT_CODE) && failed.every(isLeftBehind);
  const first = failed.find((end) => !isLeftBehind(end)) ?? failed[0];
  if (isStopped) throw new InterruptedError();
  if (first === undefined) {
    if (ends.some(({ code }) => code !== 0)) throw new InterruptedError();
    return;
  }
  const { rank, code, signal, tail } = first;
  const how =
    signal === null
      ? `ended with exit code ${code}`
      : `was ended by ${signal}${signal === "SIGKILL" ? ", probably for want of memory" : ""}`;
  const said = tail.length === 0 ? "It said nothing." : `Its last lines: ${tail.join(" / ")}`;
  throw new OppoError(
    "ERR_RANK_FAILED",
    `rank ${rank} of ${processes}: expected it to finish, but it ${how}; the others were ended. The same command goes on from the last checkpoint. ${said}`,
  );
}
