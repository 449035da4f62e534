// Where a soak works: one temporary folder with a small theatre and a small model, and our command line as a process of its
// own group that can be killed with its children. Everything goes with the folder.
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type SmallTheatre, smallTheatre } from "../test/support/small-theatre.ts";

export interface Place extends AsyncDisposable {
  readonly root: string;
  readonly theatre: SmallTheatre;
  readonly model: string;
  /** For mock servers: what runs at the end. */
  after(tidy: () => void): void;
}

export interface Started {
  readonly child: ChildProcess;
  /** Exit code, or null when a signal ended it; and the last lines of what it said. */
  readonly ended: Promise<{ readonly code: number | null; readonly said: string }>;
}

const main = fileURLToPath(new URL("../src/cli/main.js", import.meta.url));
const mostSaid = 4000;

export async function openPlace(): Promise<Place> {
  const theatre = await smallTheatre(4);
  const tidies: (() => void)[] = [];
  return {
    root: theatre.root,
    theatre,
    model: theatre.freshModel(1),
    after: (tidy) => tidies.push(tidy),
    [Symbol.asyncDispose]: async () => {
      for (const tidy of tidies) tidy();
      theatre[Symbol.dispose]();
    },
  };
}

/** @param task what a child of a pool gets over its channel; null for a command as a person types it */
export function startCommand(
  cwd: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  task: unknown = null,
): Started {
  const child = spawn(process.execPath, [main, ...args], {
    cwd,
    env: {
      ...process.env,
      OPPO_HOME: join(cwd, "home"),
      ...environment,
      ...(task === null ? {} : { OPPO_POOL_CHILD: "1" }),
    },
    stdio: task === null ? ["ignore", "pipe", "pipe"] : ["ignore", "pipe", "pipe", "ipc"],
    detached: true,
  });
  if (task !== null) child.send({ kind: "start", payload: task }, () => undefined);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-mostSaid);
    });
  }
  const ended = new Promise<{ code: number | null; said: string }>((resolve) =>
    child.on("close", (code) => resolve({ code, said })),
  );
  return { child, ended };
}

/** Ends a command at once: with the children that it started, or alone, so that they find out by themselves. */
export function killCommand({ child }: Started, isWithChildren: boolean): void {
  try {
    process.kill(isWithChildren ? -child.pid! : child.pid!, "SIGKILL");
  } catch {
    // It ended meanwhile.
  }
}
