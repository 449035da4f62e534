// Batched routing must equal routing one by one.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Cue, Embedder } from "../../src/evidence/cue.ts";
import { routeEvidence } from "../../src/evidence/route.ts";
import { routeBatch } from "../../src/evidence/route-batch.ts";
import { createRandom } from "../../src/random.ts";
import type { Clause } from "../../src/text/clause.ts";
import { unitRows } from "../support/vectors.ts";

/** A random but fixed unit vector per text. */
function randomEmbedder(dimension: number): Embedder & { readonly calls: string[][] } {
  const calls: string[][] = [];
  return {
    name: "random",
    dimension,
    calls,
    embed(texts) {
      calls.push([...texts]);
      const rows = texts.map((text) =>
        unitRows(1, dimension, createRandom([...text].reduce((h, c) => h * 31 + c.charCodeAt(0), 7))),
      );
      return Float32Array.from(rows.flatMap((row) => [...row]));
    },
  };
}

function clausesOf(...texts: readonly string[]): Clause[] {
  return texts.map((text, k) => ({ text, chars: { start: k, end: k + 1 }, tokens: { start: k, end: k + 1 } }));
}

test("requests with nothing in common, and requests with everything in common, equal routeEvidence too", async () => {
  const embedder = randomEmbedder(5);
  const own = Array.from({ length: 6 }, (_, i) => ({
    cues: [0, 1, 2].map((c): Cue => ({ kind: "video", text: `cue ${i} ${c}` })),
    clauses: clausesOf(...[0, 1, 2, 3].map((k) => `clause ${i} ${k}`)),
  }));
  const common = own.map((_, i) => ({
    cues: [i % 2, 2 - (i % 3)].map((c): Cue => ({ kind: "audio", text: `cue ${c}` })),
    clauses: clausesOf(...[i % 2, 1, 0].map((k) => `clause ${k}`)),
  }));
  for (const requests of [own, common, [...own, ...common]]) {
    const routings = await routeBatch(requests, embedder);
    requests.forEach(({ cues, clauses }, i) => {
      const vectors = (items: readonly { text: string }[]) =>
        embedder.embed(items.map((item) => item.text)) as Float32Array;
      assert.deepEqual(routings[i], routeEvidence(cues, clauses, vectors(cues), vectors(clauses), 5));
    });
  }
});

test("equals routeEvidence bit for bit, embeds every distinct text once", async () => {
  const shared: readonly Cue[] = [
    { kind: "video", text: "a frown" },
    { kind: "audio", text: "a loud voice" },
    { kind: "emotion", text: "anger" },
    { kind: "video", text: "a frown" },
  ];
  const requests = [
    { cues: shared, clauses: clausesOf("a frown", "wide eyes", "a frown", "x") },
    { cues: shared, clauses: clausesOf("y", "wide eyes") },
    { cues: [{ kind: "audio", text: "a gasp" } as const], clauses: clausesOf("wide eyes", "anger", "a gasp") },
    { cues: shared, clauses: [] },
    { cues: [], clauses: clausesOf("x") },
    { cues: [...shared], clauses: clausesOf("z", "x", "y", "q", "a loud voice") },
  ];
  const embedder = randomEmbedder(7);
  const routings = await routeBatch(requests, embedder);
  assert.equal(embedder.calls.length, 1);
  assert.equal(new Set(embedder.calls[0]).size, embedder.calls[0]!.length);
  for (const [i, { cues, clauses }] of requests.entries()) {
    const vectors = async (items: readonly { text: string }[]) => embedder.embed(items.map((item) => item.text));
    const expected = routeEvidence(cues, clauses, await vectors(cues), await vectors(clauses), 7);
    assert.deepEqual(routings[i], expected);
  }
  assert.notDeepEqual(routings[0]!.similarity, routings[5]!.similarity);
  assert.deepEqual(await routeBatch([], embedder), []);
});

test("an asymmetric embedder is asked for cues and clauses apart, each distinct text once", async () => {
  const symmetric = randomEmbedder(5);
  const asked: string[][] = [];
  const embedder: Embedder = {
    ...symmetric,
    isAsymmetric: true,
    embed(texts, role) {
      asked.push([role ?? "", ...texts]);
      return symmetric.embed(texts.map((text) => `${role}: ${text}`));
    },
  };
  const cues: readonly Cue[] = [
    { kind: "video", text: "a frown" },
    { kind: "audio", text: "a loud voice" },
  ];
  const requests = [
    { cues, clauses: clausesOf("a frown", "hm", "a frown") },
    { cues: cues.slice(1), clauses: clausesOf("hm") },
  ];
  const routings = await routeBatch(requests, embedder);
  assert.deepEqual(asked, [
    ["cue", "a frown", "a loud voice"],
    ["clause", "a frown", "hm"],
  ]);
  for (const [i, request] of requests.entries()) {
    const vectors = (items: readonly { text: string }[], role: "cue" | "clause") =>
      embedder.embed(
        items.map(({ text }) => text),
        role,
      ) as Float32Array;
    const { cues: own, clauses } = request;
    assert.deepEqual(routings[i], routeEvidence(own, clauses, vectors(own, "cue"), vectors(clauses, "clause"), 5));
  }
  // The same words are another vector as a clause.
  assert.ok(routings[0]!.similarity[0]! < 0.999);
});
