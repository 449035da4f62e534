// The options that every command has which talks to a language model's server, and what they come to. The key is read
// from the environment here and handed on; it is no option, because options end up in histories and process lists.

import { type Command, InvalidArgumentError } from "commander";
import { OppoError } from "../error.ts";
import { count } from "./number.ts";

export interface EndpointFlags {
  readonly endpoint?: string;
  readonly keyEnv: string;
  readonly cache?: string;
  readonly concurrency: number;
  readonly maxRequests?: number;
  readonly maxTokens?: number;
  readonly timeout: number;
}

export const defaultKeyVariable = "OPENAI_API_KEY";

/** Declares --endpoint, --key-env, --cache, --concurrency, --max-requests, --max-tokens and --timeout. */
export function addEndpointFlags(command: Command): Command {
  return addClientFlags(
    command.option("--endpoint <url>", "an OpenAI-compatible server, up to and with /v1: http://localhost:8000/v1"),
  );
}

/** The same without --endpoint, for commands that are told the address in another way. */
export function addClientFlags(command: Command): Command {
  return command
    .option("--key-env <variable>", "the environment variable with the key", defaultKeyVariable)
    .option("--cache <folder>", "where its replies are kept (default: cache/endpoint in OPPO_HOME or ~/.oppo)")
    .option("--concurrency <number>", "requests at once", count, 8)
    .option("--max-requests <number>", "budget: stop before more requests than this", count)
    .option("--max-tokens <number>", "budget: stop when prompts and replies had this many tokens", count)
    .option("--timeout <seconds>", "for one request, at most 300", seconds, 120);
}

/**
 * The options of a client (src/endpoint) as the flags say.
 * @param home where caches go when no folder is named (`oppoHome`)
 * @throws OppoError ERR_ENDPOINT_KEY when a variable was named that is not set
 */
export function endpointOptions(
  flags: EndpointFlags,
  { url, model }: { readonly url: string; readonly model: string },
  environment: Readonly<Record<string, string | undefined>>,
  home: string,
) {
  const key = environment[flags.keyEnv] ?? "";
  if (key === "" && flags.keyEnv !== defaultKeyVariable) {
    throw new OppoError(
      "ERR_ENDPOINT_KEY",
      `--key-env: expected a key in the environment variable ${flags.keyEnv}, got nothing. Set it, or leave the option out.`,
    );
  }
  return {
    url,
    model,
    key: key === "" ? null : key,
    cacheFolder: flags.cache ?? `${home}/cache/endpoint`,
    concurrency: flags.concurrency,
    maxRequests: flags.maxRequests,
    maxTokens: flags.maxTokens,
    timeoutMilliseconds: flags.timeout * 1000,
  };
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value > 0 && value <= 300) return value;
  throw new InvalidArgumentError("Expected seconds, more than 0 and at most 300.");
}
