// What the commands of servers share: the token from the environment, and serving until they are stopped.

import { OppoError } from "../../error.ts";
import { watchParents } from "../../run/parent-watch.ts";
import { starters } from "./starters.ts";

export const bytesPerMb = 1024 * 1024;

/** The bearer token from the environment. @throws OppoError ERR_TOKEN_EMPTY where the variable holds none */
export function tokenOf({ tokenEnv }: { readonly tokenEnv: string | null }): string | null {
  return bearerToken(tokenEnv, "--token-env");
}

/** @param variable that holds it; null: there is none @throws OppoError ERR_TOKEN_EMPTY */
export function bearerToken(variable: string | null, option = "--rollout-key-env"): string | null {
  if (variable === null) return null;
  const token = process.env[variable];
  if (token !== undefined && /^\S+$/.test(token)) return token;
  throw new OppoError(
    "ERR_TOKEN_EMPTY",
    `${option}: expected a token without spaces in the environment variable ${variable}, got none. Set it first.`,
  );
}

/**
 * Serves until Ctrl-C, a request to end, the signal, or the end of the npx that started it; then finishes what runs. A
 * second Ctrl-C ends at once.
 */
export async function untilStopped(close: () => Promise<void>, signal?: AbortSignal): Promise<void> {
  const { listenForInterrupt } = await import("../../run/interrupt.ts");
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
