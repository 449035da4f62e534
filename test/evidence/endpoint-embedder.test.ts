// A server's model has a name without its address, and its vectors as they come from the client.
import assert from "node:assert/strict";
import { test } from "node:test";
import { endpointEmbedder } from "../../src/evidence/endpoint-embedder.ts";

test("name, dimension and rows", async () => {
  const client = {
    dimension: async () => 2,
    embed: async (texts: readonly string[]) => Float32Array.from(texts.flatMap(() => [1, 0])),
  };
  const embedder = await endpointEmbedder(client, "bge-m3");
  assert.deepEqual([embedder.name, embedder.dimension, embedder.isAsymmetric], ["endpoint-bge-m3-2", 2, undefined]);
  assert.deepEqual([...(await embedder.embed(["a", "b"]))], [1, 0, 1, 0]);
});
