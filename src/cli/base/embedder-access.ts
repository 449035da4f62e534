// How an embedder that a person chose is reached: the key from the environment, the budget, and where vectors are kept.

import type { EmbedderAccess } from "../../corpus/embedding/opened-embedder.ts";
import type { ClientSettings } from "../../corpus/settings.ts";
import { clientOptions } from "./endpoint-access.ts";

/** @throws OppoError ERR_ENDPOINT_KEY */
export async function embedderAccess(
  settings: ClientSettings,
  clauseInstruction: string,
  signal: AbortSignal,
  keeps: EmbedderAccess["keeps"] = "cues",
): Promise<EmbedderAccess> {
  const { oppoHome } = await import("../../run/lexicon-store.ts");
  const folder = `${oppoHome(process.env)}/cache/embeddings`;
  // Address and model are in the choice itself.
  const { cacheFolder, ...client } = clientOptions(settings, process.env, folder);
  return { clauseInstruction, cacheFolder, keeps, client: { ...client, signal } };
}
