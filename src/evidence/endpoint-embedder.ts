// A server's embedding model as an Embedder. What it sends is checked and brought to length 1 by the client.
import type { EmbeddingClient } from "../endpoint/embedding-client.ts";
import type { Embedder } from "./cue.ts";

/**
 * Asks the server for one vector where nobody knows yet how long they are. The address is no part of the name: the same
 * model elsewhere gives the same vectors, and a server may move.
 * @throws OppoError ERR_ENDPOINT_*
 */
export async function endpointEmbedder(
  client: Pick<EmbeddingClient, "dimension" | "embed">,
  model: string,
): Promise<Embedder> {
  const dimension = await client.dimension();
  return { name: `endpoint-${model}-${dimension}`, dimension, embed: (texts) => client.embed(texts) };
}
