// Several processes that are one world, each running one task of support/rank-tasks.ts; the store is served by the test.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { serveStore } from "../../src/tensor/index.ts";

const entry = fileURLToPath(new URL("./rank-tasks.js", import.meta.url));
let jobs = 0;

export interface RankEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What the task gave; undefined when it failed. */
  readonly result: unknown;
  readonly error: string;
}

export interface StartedRanks {
  readonly children: readonly ChildProcess[];
  readonly ends: Promise<RankEnd[]>;
}

export interface RankOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** Of one rank, over the others'. */
  readonly of?: (rank: number) => Readonly<Record<string, string>>;
}

let port = 0;

export function startRanks(size: number, task: string, argument: unknown, options: RankOptions = {}): StartedRanks {
  // One store serves all jobs of a test file: their keys have other beginnings.
  port ||= serveStore("127.0.0.1", "test");
  const job = String(++jobs);
  const children = Array.from({ length: size }, (_, rank) =>
    spawn(process.execPath, [entry, task, JSON.stringify(argument)], {
      env: {
        ...process.env,
        ...{ RANK: String(rank), WORLD_SIZE: String(size), LOCAL_RANK: String(rank) },
        ...{ MASTER_ADDR: "127.0.0.1", MASTER_PORT: String(port), TORCHELASTIC_RUN_ID: job },
        ...{ TORCHELASTIC_USE_AGENT_STORE: "True", OPPO_LAUNCHED: "1" },
        ...options.environment,
        ...options.of?.(rank),
      },
      stdio: ["ignore", "pipe", "pipe"],
    }),
  );
  return { children, ends: Promise.all(children.map(endOf)) };
}

/** The results of all ranks. @throws when one of them fails */
export async function onRanks<T>(size: number, task: string, argument: unknown): Promise<T[]> {
  const ends = await startRanks(size, task, argument).ends;
  return ends.map(({ code, signal, result, error }, rank) => {
    if (code !== 0) throw new Error(`rank ${rank} ended with ${code ?? signal}: ${error}`);
    return result as T;
  });
}

async function endOf(child: ChildProcess): Promise<RankEnd> {
  let out = "";
  let error = "";
  child.stdout!.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    error += text;
  });
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  const line = out.trim().split("\n").at(-1) ?? "";
  return {
    code,
    signal,
    result: line.startsWith("result ") ? JSON.parse(line.slice("result ".length)) : undefined,
    error,
  };
}
