// Mutations of a model's settings files, by a seed: cut texts, values of other kinds, missing fields. A directory is loaded
// or refused with an OppoError; nothing else gets out, and nothing stays behind.
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { buildTheatreTokenizer } from "../../src/data/theatre/tokenizer.ts";
import { OppoError } from "../../src/error.ts";
import { initTiny } from "../../src/models/qwen-omni/init.ts";
import { loadThinker } from "../../src/models/qwen-omni/load.ts";
import { loadTextEmbedder } from "../../src/models/qwen-text/embedder.ts";
import { createRandom, type Random } from "../../src/random.ts";
import { numLiveTensors } from "../../src/tensor/index.ts";
import { sharedPath } from "../support/shared.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const mutationsPerFile = 60;
const nasty: readonly unknown[] = [
  ...[-1, 0, 1, 3.5, 2 ** 31, 2 ** 53, 1e9, 1e300, null, true, "", "x", "__proto__", "\u0000"],
  ...[[], {}, [[]], [0], [null], { a: 1 }],
];

/** Replaces, removes or adds a value somewhere in a JSON tree. */
function mutate(node: unknown, random: Random): unknown {
  const any = nasty[random.int(nasty.length)];
  if (typeof node !== "object" || node === null || random.next() < 0.1) return any;
  // Vocabularies are long; what is at their beginning stands for the rest.
  const most = 60;
  if (Array.isArray(node)) {
    if (node.length === 0) return [any];
    const at = random.int(Math.min(node.length, most));
    return node.map((item, i) => (i === at ? mutate(item, random) : item));
  }
  const keys = Object.keys(node);
  const key = keys[random.int(Math.min(keys.length, most))];
  if (key === undefined) return any;
  const { [key]: value, ...rest } = node as Record<string, unknown>;
  return random.next() < 0.15 ? rest : { ...(node as object), [key]: mutate(value, random) };
}

/** @returns outcomes, by code */
function outcomes(directory: string, load: (directory: string) => void): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of readdirSync(directory).filter((file) => file.endsWith(".json"))) {
    const path = join(directory, name);
    const text = readFileSync(path, "utf8");
    for (let trial = 0; trial < mutationsPerFile; trial++) {
      const random = createRandom(trial * 31 + name.length);
      const changed = JSON.stringify(mutate(JSON.parse(text), random)) ?? "null";
      writeFileSync(path, trial % 8 === 0 ? text.slice(0, random.int(text.length)) : changed);
      let outcome = "loaded";
      try {
        load(directory);
      } catch (error) {
        assert.ok(error instanceof OppoError, `${name}, mutation ${trial}: ${(error as Error).stack}`);
        assert.ok(error.message.length < 2000, `${name}, mutation ${trial}: ${error.message.length} characters`);
        outcome = error.code;
      }
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    }
    writeFileSync(path, text);
  }
  return counts;
}

function check(directory: string, load: (directory: string) => void): void {
  const before = numLiveTensors();
  load(directory);
  const counts = outcomes(directory, load);
  assert.equal(numLiveTensors(), before);
  for (const code of ["loaded", "ERR_CHECKPOINT_CONFIG", "ERR_TOKENIZER_FILE", "ERR_TOKENIZER_UNSUPPORTED"]) {
    assert.ok(counts.has(code), `${code} in ${[...counts].join(" ")}`);
  }
}

function copyOf(t: TestContext, source: string): string {
  const directory = join(temporaryFolder(t), "model");
  mkdirSync(directory);
  for (const name of readdirSync(source)) {
    if (!name.startsWith("golden")) copyFileSync(join(source, name), join(directory, name));
  }
  return directory;
}

const sentenceFiles = {
  "modules.json": [
    { path: "", type: "sentence_transformers.models.Transformer" },
    { path: "1_Pooling", type: "sentence_transformers.models.Pooling" },
  ],
  "1_Pooling/config.json": { pooling_mode: "mean" },
  "config_sentence_transformers.json": { prompts: { query: "Instruct: a\nQuery:", document: "" } },
  "sentence_bert_config.json": { max_seq_length: 100 },
};

test("a thinker's settings", (t) => {
  const directory = join(temporaryFolder(t), "tiny");
  initTiny(directory, buildTheatreTokenizer(), 1);
  check(directory, (path) => loadThinker(path)[Symbol.dispose]());
});

test("an embedder's settings, up to its vectors", (t) => {
  const directory = copyOf(t, sharedPath("golden/qwen-omni/qwen3_embed")!);
  for (const [name, json] of Object.entries(sentenceFiles)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), JSON.stringify(json));
  }
  check(directory, (path) => {
    using embedder = loadTextEmbedder(path);
    assert.equal(embedder.embed(["a smile"]).length, embedder.dimension);
  });
});

test("settings of a gigabyte are refused before they are read", (t) => {
  const directory = join(temporaryFolder(t), "tiny");
  initTiny(directory, buildTheatreTokenizer(), 1);
  for (const name of ["config.json", "tokenizer.json", "generation_config.json"]) {
    const path = join(directory, name);
    const text = readFileSync(path);
    truncateSync(path, 2 ** 30);
    const before = process.memoryUsage().rss;
    assert.throws(() => loadThinker(directory), { message: new RegExp(`${name}: expected at most 268435456 bytes`) });
    assert.ok(process.memoryUsage().rss - before < 100 * 2 ** 20);
    writeFileSync(path, text);
  }
});
