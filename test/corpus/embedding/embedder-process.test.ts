// An embedder in a process of its own gives the vectors that it gives in this one, while this thread goes on; what goes wrong there
// is an error here.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { openEmbedderProcess } from "../../../src/corpus/embedding/embedder-process.ts";
import { defaultAccess, openEmbedder } from "../../../src/corpus/open-embedder.ts";
import { sharedPath } from "../../support/shared.ts";

const checkpoint = sharedPath("golden/qwen-omni/qwen3_embed")!;
const texts = ["a trembling voice", "a broad smile", "she looks away"];

test("vectors of both roles, the name and the notes are those of the same embedder in this process", async () => {
  const choice = `qwen3:${checkpoint}`;
  using here = await openEmbedder(choice);
  using apart = await openEmbedder(choice, { ...defaultAccess, isApart: true });
  assert.equal(apart.embedder.name, here.embedder.name);
  assert.equal(apart.embedder.dimension, here.embedder.dimension);
  assert.equal(apart.isSlow, here.isSlow);
  assert.deepEqual(apart.notes.slice(0, -1), here.notes);
  assert.match(apart.notes.at(-1)!, /process of its own/);
  for (const role of ["cue", "clause"] as const) {
    const [expected, got] = [await here.embedder.embed(texts, role), await apart.embedder.embed(texts, role)];
    assert.deepEqual(got, expected);
  }
  const clauses = await apart.embedder.embed(texts, "clause");
  assert.notDeepEqual(clauses, await apart.embedder.embed(texts, "cue"), "roles differ, so the comparison can fail");
});

test("this thread goes on: the vectors are there when it looks again", async () => {
  using apart = await openEmbedder(`qwen3:${checkpoint}`, { ...defaultAccess, isApart: true });
  const many = Array.from({ length: 400 }, (_, i) => `clause number ${i} of a long reasoning about a person`);
  const busy = (milliseconds: number) => {
    const end = performance.now() + milliseconds;
    while (performance.now() < end);
  };
  const alone = performance.now();
  await apart.embedder.embed(many, "cue");
  const needed = performance.now() - alone;
  const asked = apart.embedder.embed(
    many.map((text) => `${text}!`),
    "cue",
  );
  // As a step does: a thread that computes and looks at no message.
  busy(3 * needed);
  const before = performance.now();
  await asked;
  const waited = performance.now() - before;
  assert.ok(waited < 0.5 * needed, `waited ${waited.toFixed(0)} ms of ${needed.toFixed(0)} ms`);
});

test("a folder that is no model, and a process that ends, are errors", async () => {
  await assert.rejects(openEmbedderProcess(`qwen3:${join(checkpoint, "nowhere")}`, defaultAccess), {
    code: "ERR_CHECKPOINT_MISSING",
  });
  const apart = await openEmbedder(`qwen3:${checkpoint}`, { ...defaultAccess, isApart: true });
  const pid = Number(/\((\d+)\)/.exec(apart.notes.at(-1)!)![1]);
  const asked = apart.embedder.embed(Array.from({ length: 500 }, (_, i) => `text ${i} that takes a while`));
  process.kill(pid, "SIGKILL");
  await assert.rejects(async () => await asked, { code: "ERR_EMBEDDER_PROCESS", message: /SIGKILL/ });
  apart[Symbol.dispose]();
});
