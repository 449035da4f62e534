// Cue vectors are computed once, across embedders of one name; clauses always; damage is noticed.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Embedder } from "../../src/evidence/cue.ts";
import { storeCues, type VectorMemory } from "../../src/evidence/stored-embedder.ts";

function counting(name: string): Embedder & { readonly calls: string[][] } {
  const calls: string[][] = [];
  return {
    name,
    dimension: 2,
    calls,
    embed(texts) {
      calls.push([...texts]);
      return Float32Array.from(texts.flatMap((text) => (text === "?" ? [0, 0] : [0.6, text.length > 1 ? 0.8 : -0.8])));
    },
  };
}

const memoryOf = (kept: Map<string, unknown>): VectorMemory => ({
  get: (key) => kept.get(key),
  put: (key, value) => void kept.set(key, value),
});

test("what was embedded is found again, also by another process; other names and clauses are not", async () => {
  const kept = new Map<string, unknown>();
  const first = counting("one");
  const stored = storeCues(first, memoryOf(kept));
  const want = [...Float32Array.from([0.6, 0.8, 0.6, -0.8, 0, 0])];
  assert.deepEqual([...(await stored.embed(["ab", "c", "?"]))], want);
  assert.deepEqual([...(await stored.embed(["ab", "c", "?"], "cue"))], want);
  assert.deepEqual(first.calls, [["ab", "c", "?"]]);
  await stored.embed(["ab"], "clause");
  await stored.embed(["ab"], "clause");
  assert.equal(first.calls.length, 3, "clauses are not kept");

  const second = counting("one");
  assert.deepEqual([...(await storeCues(second, memoryOf(kept)).embed(["d", "?", "ab"]))].slice(4), want.slice(0, 2));
  assert.deepEqual(second.calls, [["d"]], "only what is new");
  const other = counting("two");
  await storeCues(other, memoryOf(kept)).embed(["ab"]);
  assert.deepEqual(other.calls, [["ab"]]);
});

test("a damaged entry is computed again", async () => {
  for (const damage of [7, "AAAA", Buffer.from(Float32Array.of(3, 4).buffer).toString("base64"), "AADAfwAAwH8="]) {
    const kept = new Map<string, unknown>();
    const embedder = counting("one");
    const stored = storeCues(embedder, memoryOf(kept));
    await stored.embed(["ab"]);
    for (const key of kept.keys()) kept.set(key, damage);
    assert.deepEqual([...(await stored.embed(["ab"]))], [...Float32Array.of(0.6, 0.8)]);
    assert.equal(embedder.calls.length, 2, String(damage));
  }
});
