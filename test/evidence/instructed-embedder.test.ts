// The instruction goes before clauses and nothing else, and the name tells instructions apart.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Embedder } from "../../src/evidence/cue.ts";
import { instructClauses, queryText } from "../../src/evidence/instructed-embedder.ts";

test("clauses are queries, cues are documents", async () => {
  const seen: string[] = [];
  const plain: Embedder = {
    name: "plain",
    dimension: 1,
    embed(texts) {
      seen.push(...texts);
      return Float32Array.from(texts, (text) => text.length);
    },
  };
  const asking = instructClauses(plain, "Find it");
  assert.equal(asking.isAsymmetric, true);
  await asking.embed(["a frown"]);
  await asking.embed(["a frown"], "cue");
  await asking.embed(["she frowns"], "clause");
  assert.deepEqual(seen, ["a frown", "a frown", "Instruct: Find it\nQuery:she frowns"]);
  assert.equal(queryText("x", "y"), "Instruct: x\nQuery:y");
  assert.notEqual(asking.name, instructClauses(plain, "Find them").name);
  assert.ok(asking.name.startsWith("plain-q"));
});
