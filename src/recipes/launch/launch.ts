// `oppo launch`: one training by several processes of this machine. The store through which they find each other is served here, on a
// free port, so that no port has to be chosen and the end of rank 0 leaves the others somebody who says so.
import { fileURLToPath } from "node:url";
import { OppoError } from "../../error.ts";
import type { Interrupt } from "../../run/interrupt.ts";
import { runRanks } from "../../run/world/ranks.ts";
import { serveStore } from "../../tensor/index.ts";
import { launchable } from "./settings.ts";

export interface Launch {
  readonly processes: number;
  /** The command line of every rank, its command first. */
  readonly args: readonly string[];
  readonly interrupt: Interrupt;
  readonly onLine: (rank: number, stream: "out" | "error", line: string) => void;
}

const host = "127.0.0.1";

/** @throws OppoError ERR_LAUNCH, and those of runRanks */
export async function launch({ processes, args, interrupt, onLine }: Launch): Promise<void> {
  const [command = "nothing"] = args;
  if (!launchable.includes(command)) {
    throw new OppoError(
      "ERR_LAUNCH",
      `oppo launch: expected a command that trains (${launchable.join(", ")}), got ${command}. Example: oppo launch --processes 2 train --preset oppo ...`,
    );
  }
  const port = serveStore(host, "launch");
  await runRanks({
    processes,
    command: [fileURLToPath(new URL("../../cli/main.js", import.meta.url)), ...args],
    environment: {
      MASTER_ADDR: host,
      MASTER_PORT: String(port),
      TORCHELASTIC_USE_AGENT_STORE: "True",
      TORCHELASTIC_RUN_ID: "launch",
      TORCHELASTIC_RESTART_COUNT: "0",
    },
    signal: interrupt.signal,
    onLine,
  });
}
