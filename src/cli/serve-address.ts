// What every server's command has: address, token, size of bodies; and serving until it is stopped.

import type { Command } from "commander";
import { OppoError } from "../error.ts";
import { npmAbove, watchParents } from "../run/parent-watch.ts";
import type { CommonOptions } from "./command.ts";
import { count, wholeNumber } from "./number.ts";

export interface AddressOptions extends CommonOptions {
  readonly host: string;
  readonly port: number;
  readonly tokenEnv?: string;
  readonly maxBodyMb: number;
}

/** Before anything is loaded: whoever kills npx meanwhile wants the server to end, too. */
const starters = npmAbove(process.env);

export const bytesPerMb = 1024 * 1024;

/** The options that every server has. */
export function addressed(command: Command, port: number, maxBodyMb: number): Command {
  return command
    .option("--host <address>", "where to listen; others than 127.0.0.1 are reached from outside", "127.0.0.1")
    .option("--port <number>", "0: any free one", wholeNumber, port)
    .option("--token-env <variable>", "ask for the bearer token that this environment variable holds")
    .option("--max-body-mb <count>", "largest request", count, maxBodyMb)
    .option("--json", "print the startup line and errors as JSON")
    .option("--verbose", "print errors with their stack");
}

/** The bearer token from the environment. @throws OppoError ERR_TOKEN_EMPTY where the variable holds none */
export function tokenOf({ tokenEnv }: AddressOptions): string | null {
  if (tokenEnv === undefined) return null;
  const token = process.env[tokenEnv];
  if (token !== undefined && /^\S+$/.test(token)) return token;
  throw new OppoError(
    "ERR_TOKEN_EMPTY",
    `--token-env: expected a token without spaces in the environment variable ${tokenEnv}, got none. Set it first.`,
  );
}

/**
 * Serves until Ctrl-C, a request to end, the signal, or the end of the npx that started it; then finishes what runs. A
 * second Ctrl-C ends at once.
 */
export async function untilStopped(close: () => Promise<void>, signal?: AbortSignal): Promise<void> {
  const { listenForInterrupt } = await import("../run/interrupt.ts");
  using interrupt = listenForInterrupt({
    onRequest: () => process.stderr.write("Stopping after what runs; Ctrl-C again stops at once.\n"),
  });
  using _ = watchParents(starters, () => {
    process.stderr.write("The npm that started this has ended.\n");
    interrupt.request();
  });
  const either = signal === undefined ? interrupt.signal : AbortSignal.any([interrupt.signal, signal]);
  await new Promise<void>((resolve) => {
    either.addEventListener("abort", () => resolve());
    if (either.aborted) resolve();
  });
  await close();
}
