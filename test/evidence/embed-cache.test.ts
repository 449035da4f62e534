// The memo in front of an embedder: same vectors, fewer calls, bounded memory.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Embedder } from "../../src/evidence/cue.ts";
import { EmbedCache } from "../../src/evidence/embed-cache.ts";

/** Embeds a text as [its length, its first character code]; remembers what it was asked. */
function countingEmbedder(): Embedder & { readonly calls: string[][] } {
  const calls: string[][] = [];
  return {
    name: "counting",
    dimension: 2,
    calls,
    embed(texts) {
      calls.push([...texts]);
      return Float32Array.from(texts.flatMap((text) => [text.length, text.charCodeAt(0)]));
    },
  };
}

test("same vectors as the embedder, every distinct text embedded once and in one call", async () => {
  const embedder = countingEmbedder();
  const cache = new EmbedCache(embedder);
  assert.deepEqual([cache.name, cache.dimension], ["counting", 2]);
  assert.deepEqual([...(await cache.embed(["ab", "c", "ab"]))], [2, 97, 1, 99, 2, 97]);
  assert.deepEqual([...(await cache.embed(["c", "ddd", "ab"]))], [1, 99, 3, 100, 2, 97]);
  assert.deepEqual(embedder.calls, [["ab", "c"], ["ddd"]]);
  assert.equal(cache.numEmbedded, 3);
  assert.equal((await cache.embed([])).length, 0);
});

test("the result is the caller's own: writing to it does not change the memo", async () => {
  const cache = new EmbedCache(countingEmbedder());
  (await cache.embed(["ab"])).fill(0);
  assert.deepEqual([...(await cache.embed(["ab"]))], [2, 97]);
});

test("memory is bounded, and a text in use survives", async () => {
  const embedder = countingEmbedder();
  const cache = new EmbedCache(embedder, 4);
  await cache.embed(["hot"]);
  for (let i = 0; i < 20; i++) await cache.embed([`text ${i}`, "hot"]);
  assert.equal(embedder.calls.flat().filter((text) => text === "hot").length, 1);
  await cache.embed(["text 0"]);
  assert.equal(embedder.calls.flat().filter((text) => text === "text 0").length, 2);
  await cache.embed(["text 19"]);
  assert.equal(embedder.calls.flat().filter((text) => text === "text 19").length, 1);
});

test("roles are kept apart for an asymmetric embedder only", async () => {
  const symmetric = countingEmbedder();
  const one = new EmbedCache(symmetric);
  await one.embed(["ab"], "cue");
  await one.embed(["ab"], "clause");
  assert.deepEqual(symmetric.calls, [["ab"]]);
  const asked: string[] = [];
  const two = new EmbedCache({
    name: "asymmetric",
    dimension: 1,
    isAsymmetric: true,
    embed(texts, role) {
      asked.push(`${role} ${texts.join()}`);
      return Float32Array.from(texts, () => (role === "clause" ? 2 : 1));
    },
  });
  for (let i = 0; i < 2; i++) {
    assert.deepEqual([...(await two.embed(["ab"]))], [1]);
    assert.deepEqual([...(await two.embed(["ab"], "clause"))], [2]);
  }
  assert.deepEqual(asked, ["cue ab", "clause ab"]);
});

test("texts that were begun ahead are embedded once, and asked for as ever", async () => {
  const calls: (readonly string[])[] = [];
  const apart: Embedder = {
    ...{ name: "apart", dimension: 1, isApart: true },
    async embed(texts) {
      calls.push(texts);
      await new Promise((resolve) => setTimeout(resolve, 5));
      return Float32Array.from(texts, () => 1);
    },
  };
  const cache = new EmbedCache(apart);
  cache.prefetch(["a", "b", "a"], "clause");
  cache.prefetch(["b"], "clause");
  assert.equal((await cache.embedRows(["b", "c", "a"], "clause")).length, 3);
  assert.deepEqual(calls, [["a", "b"], ["c"]]);
});

test("what fails ahead is told to who asks; an embedder in this thread is not begun with", async () => {
  let numCalls = 0;
  const failing = (isApart: boolean): Embedder => ({
    ...{ name: "failing", dimension: 1, isApart },
    async embed() {
      numCalls++;
      throw new Error("gone");
    },
  });
  const cache = new EmbedCache(failing(true));
  cache.prefetch(["a"], "cue");
  await assert.rejects(cache.embedRows(["a"], "cue"), /gone/);
  numCalls = 0;
  new EmbedCache(failing(false)).prefetch(["a"], "cue");
  assert.equal(numCalls, 0);
});
