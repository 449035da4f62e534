// How an embedder that a person chose is reached: the key from the environment, the budget, and where vectors are kept.

import type { EmbedderAccess } from "../corpus/open-embedder.ts";
import { type EndpointFlags, endpointOptions } from "./endpoint-flags.ts";

/** @throws OppoError ERR_ENDPOINT_KEY */
export async function embedderAccess(
  flags: EndpointFlags,
  clauseInstruction: string,
  signal: AbortSignal,
  keeps: EmbedderAccess["keeps"] = "cues",
): Promise<EmbedderAccess> {
  const { oppoHome } = await import("../run/lexicon-store.ts");
  const home = oppoHome(process.env);
  // Address and model are in the choice itself.
  const {
    cacheFolder: _,
    url: __,
    model: ___,
    ...client
  } = endpointOptions(flags, { url: "", model: "" }, process.env, home);
  return {
    clauseInstruction,
    cacheFolder: flags.cache ?? `${home}/cache/embeddings`,
    keeps,
    client: { ...client, signal },
  };
}
