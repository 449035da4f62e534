// How a model behind a server is reached: address and name from `URL#MODEL`, the key from the environment (it is no option,
// because options end up in histories and process lists), and the budget.

import { type ClientSettings, defaultKeyVariable } from "../../corpus/settings.ts";
import { OppoError } from "../../error.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export interface Address {
  readonly url: string;
  /** null: the one that the server has. */
  readonly model: string | null;
}

/** Example: "http://localhost:8000/v1#Qwen/Qwen2.5-7B-Instruct" */
function parseAddress(text: string): Address {
  const at = text.indexOf("#");
  return at < 0 ? { url: text, model: null } : { url: text.slice(0, at), model: text.slice(at + 1) };
}

/** @param keyVariable the option that named the variable is `option` @throws OppoError ERR_ENDPOINT_KEY when it is not set */
function keyFrom(environment: Environment, keyVariable: string, option = "--key-env"): string | null {
  const key = environment[keyVariable] ?? "";
  if (key !== "") return key;
  if (keyVariable === defaultKeyVariable) return null;
  throw new OppoError(
    "ERR_ENDPOINT_KEY",
    `${option}: expected a key in the environment variable ${keyVariable}, got nothing. Set it, or leave the option out.`,
  );
}

/**
 * The options of a client (src/endpoint) as the settings say, without address and model.
 * @param cacheFolder where replies are kept when no folder is named
 * @throws OppoError ERR_ENDPOINT_KEY
 */
export function clientOptions(client: ClientSettings, environment: Environment, cacheFolder: string) {
  return {
    key: keyFrom(environment, client.keyEnv),
    cacheFolder: client.cache ?? cacheFolder,
    concurrency: client.concurrency,
    maxRequests: client.maxRequests ?? undefined,
    maxTokens: client.maxTokens ?? undefined,
    timeoutMilliseconds: client.timeout * 1000,
  };
}

/** The options of a client that asks the model at `URL#MODEL`. @throws OppoError ERR_ENDPOINT_KEY, ERR_ENDPOINT_MODEL */
export async function endpointOptions(
  text: string,
  client: ClientSettings,
  environment: Environment,
  cacheFolder: string,
) {
  const { url, model } = parseAddress(text);
  const options = clientOptions(client, environment, cacheFolder);
  if (model !== null) return { url, model, ...options };
  const { servedModel } = await import("../../corpus/served-model.ts");
  return { url, model: await servedModel(url, options), ...options };
}

/** Where replies are kept when no folder is named. */
export async function endpointCache(environment: Environment): Promise<string> {
  const { oppoHome } = await import("../../run/lexicon-store.ts");
  return `${oppoHome(environment)}/cache/endpoint`;
}
