// Architectures are rooms of their own: nothing imports from one but the registry, and only its row.
import assert from "node:assert/strict";
import { basename, dirname } from "node:path";
import { test } from "node:test";
import { type Edge, importsOf, readTree } from "../support/source-tree.ts";

const models = "src/models";
const sources = readTree("src", /\.ts$/);
const edges = [...sources].flatMap(([path, text]) => importsOf(path, text));
const registry = `${models}/registry.ts`;

/** Folders with a row for the registry. */
function architectures(paths: Iterable<string>): string[] {
  const rows = [...paths].filter((path) => basename(path) === "row.ts" && dirname(dirname(path)) === models);
  return rows.map(dirname);
}

/** Imports into an architecture's folder from outside of it, but the registry's of its row. */
function intrusions(folder: string, all: readonly Edge[]): Edge[] {
  const isInside = (path: string) => path.startsWith(`${folder}/`);
  const isRow = ({ from, to }: Edge) => from === registry && to === `${folder}/row.ts`;
  return all.filter((edge) => isInside(edge.to) && !isInside(edge.from) && !isRow(edge));
}

test("nobody imports from an architecture but the registry, of its row", () => {
  const folders = architectures(sources.keys());
  for (const known of ["qwen-omni", "qwen-text"]) assert.ok(folders.includes(`${models}/${known}`), known);
  for (const folder of folders) {
    assert.ok(
      edges.some(({ from, to }) => from === registry && to === `${folder}/row.ts`),
      `${folder} has no row in the registry`,
    );
    assert.deepEqual(intrusions(folder, edges), []);
  }
});

test("an import past the registry is found", () => {
  const folder = `${models}/qwen-omni`;
  const bad = [
    { from: "src/train/sft.ts", to: `${folder}/thinker.ts` },
    { from: `${models}/qwen-text/text-model.ts`, to: `${folder}/row.ts` },
    { from: registry, to: `${folder}/load.ts` },
  ];
  const good = [
    { from: registry, to: `${folder}/row.ts` },
    { from: `${folder}/load.ts`, to: `${folder}/thinker.ts` },
    { from: `${folder}/load.ts`, to: `${models}/decoder/layers.ts` },
  ];
  assert.deepEqual(intrusions(folder, [...bad, ...good]), bad);
});
