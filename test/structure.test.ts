// The shape of the code that a machine can check: no cycle of any kind, short functions, small folders, no export that only
// tests use. Each check is shown to find what it looks for.
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { describe, test } from "node:test";
import { importsOf, readTree } from "./support/source-tree.ts";

const maxFunctionLines = 60;
const maxFilesInFolder = 20;
const fewestFunctions = 1000;
const fewestExports = 800;

const sources = readTree("src", /\.ts$/);
const handWritten = new Map([...sources].filter(([path]) => !path.endsWith(".gen.ts")));

type Graph = ReadonlyMap<string, readonly string[]>;

/** Groups of nodes that reach each other (Tarjan), of two or more. */
function cycles(graph: Graph): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (node: string): void => {
    index.set(node, index.size);
    low.set(node, index.get(node)!);
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!index.has(next)) visit(next);
      if (stack.includes(next)) low.set(node, Math.min(low.get(node)!, low.get(next)!));
    }
    if (low.get(node) !== index.get(node)) return;
    const group = stack.splice(stack.indexOf(node));
    if (group.length > 1) found.push(group.sort());
  };
  for (const node of graph.keys()) if (!index.has(node)) visit(node);
  return found;
}

/** Who imports whom, type-only and dynamic imports too. */
function fileGraph(files: ReadonlyMap<string, string>): Graph {
  return new Map([...files].map(([path, text]) => [path, importsOf(path, text).map(({ to }) => to)]));
}

/** A folder and what lies in it are one room: files in its root may use its inner folders and be used by them. */
function isInside(folder: string, other: string): boolean {
  return folder.startsWith(`${other}/`) || other.startsWith(`${folder}/`);
}

function folderGraph(files: Graph): Graph {
  const folders = new Map<string, Set<string>>();
  for (const [path, targets] of files) {
    const own = folders.get(dirname(path)) ?? new Set();
    for (const target of targets.map(dirname)) {
      if (target !== dirname(path) && !isInside(target, dirname(path))) own.add(target);
    }
    folders.set(dirname(path), own);
  }
  return new Map([...folders].map(([folder, targets]) => [folder, [...targets]]));
}

/** Functions, methods and arrows with a body of their own lines, found by the formatter's indentation. */
function functionLengths(text: string): { readonly line: number; readonly length: number }[] {
  const lines = text.split("\n");
  return lines.flatMap((head, i) => {
    const isHead = /(=>|\)(: .+)?) \{$/.test(head) && !/^\s*(\} )?(else )?(if|for|while|switch|catch)\b/.test(head);
    if (!isHead) return [];
    const indent = /^ */.exec(head)![0];
    const end = lines.findIndex((line, j) => j > i && line.startsWith(`${indent}}`));
    return end < 0 ? [] : [{ line: i + 1, length: end - i + 1 }];
  });
}

/** Comments do not use anything, and what a list hands on is used by whoever reads the list. */
function codeOf(text: string): string {
  return text.replace(/^\s*\/\*[\s\S]*?\*\//gm, "").replace(/^\s*\/\/.*$/gm, "");
}

/** Exports (path and name) that nothing in the files mentions but their own declaration and index lists. */
function unusedExports(files: ReadonlyMap<string, string>, users: ReadonlyMap<string, string>) {
  const words = new Map<string, number>();
  const lists = /^export (type )?\{[^}]*\} from "[^"]*";$/gm;
  for (const [path, text] of users) {
    const code = path.endsWith("/index.ts") ? codeOf(text).replace(lists, "") : codeOf(text);
    for (const [word] of code.matchAll(/\b\w+\b/g)) words.set(word, (words.get(word) ?? 0) + 1);
  }
  const declared = /^export (?:abstract )?(?:async )?(?:function\*?|const|class|interface|type) (\w+)/gm;
  return [...files].flatMap(([path, text]) =>
    [...text.matchAll(declared)].map((match) => ({ path, name: match[1]!, uses: words.get(match[1]!) ?? 0 })),
  );
}

/** Exports that tests alone have reason to use -> the reason. */
const forTests: Readonly<Record<string, string>> = {
  numLiveTensors: "every test of tensors asserts that none leaked",
  loadTextModel: "the decoder is held against transformers' text models; programs only embed with them",
};

describe("no cycles", () => {
  test("between files, type-only imports included", () => {
    const graph = fileGraph(sources);
    assert.ok(graph.size > 300);
    assert.deepEqual(cycles(graph), []);
  });

  test("between folders", () => {
    const graph = folderGraph(fileGraph(sources));
    assert.ok(graph.size > 30);
    assert.deepEqual(cycles(graph), []);
  });

  test("a circle of types and one of folders are found", () => {
    const files = new Map([
      ["src/a/one.ts", 'import type { Two } from "../b/two.ts";'],
      ["src/b/two.ts", 'import type { One } from "../a/one.ts";'],
      ["src/a/three.ts", ""],
      ["src/b/four.ts", 'import { three } from "../a/three.ts";'],
    ]);
    assert.deepEqual(cycles(fileGraph(files)), [["src/a/one.ts", "src/b/two.ts"]]);
    const apart = new Map([...files, ["src/b/two.ts", ""], ["src/a/one.ts", 'import "../b/two.ts";']]);
    assert.deepEqual(cycles(fileGraph(apart)), []);
    assert.deepEqual(cycles(folderGraph(fileGraph(apart))), [["src/a", "src/b"]]);
  });
});

describe("sizes", () => {
  test("no function is longer than a screen", () => {
    const all = [...handWritten].flatMap(([path, text]) => functionLengths(text).map((one) => ({ path, ...one })));
    assert.ok(all.length > fewestFunctions, `only ${all.length} functions were found`);
    const long = all.filter(({ length }) => length > maxFunctionLines);
    assert.deepEqual(
      long.map(({ path, line, length }) => `${path}:${line} has ${length} lines`),
      [],
    );
  });

  test("no folder root holds more files than one can look over", () => {
    const counts = new Map<string, number>();
    for (const path of sources.keys()) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
    const full = [...counts].filter(([, count]) => count > maxFilesInFolder);
    assert.deepEqual(full, []);
  });

  test("a long function is measured, a long object is not one", () => {
    const body = "  work();\n".repeat(70);
    assert.deepEqual(functionLengths(`function long(): void {\n${body}}\n`), [{ line: 1, length: 72 }]);
    assert.deepEqual(functionLengths(`const table = {\n${body}};\nif (ready) {\n${body}}\n`), []);
  });
});

describe("no dead twins", () => {
  test("every export has a user outside tests", () => {
    const users = new Map([...sources, ...readTree("speed", /\.ts$/), ...readTree("soak", /\.ts$/)]);
    const all = unusedExports(handWritten, users);
    assert.ok(all.length > fewestExports, `only ${all.length} exports were found`);
    const dead = all.filter(({ name, uses }) => uses <= 1 && !(name in forTests));
    assert.deepEqual(
      dead.map(({ path, name }) => `${path} exports ${name}`),
      [],
    );
    for (const name of Object.keys(forTests)) assert.ok(all.find((one) => one.name === name)!.uses <= 1, name);
  });

  test("an export that is only declared, listed or spoken of is found", () => {
    const files = new Map([
      ["src/a/one.ts", "// dead is not used\nexport function dead() {}\nexport const used = 1;"],
      ["src/a/index.ts", 'export { dead, used } from "./one.ts";'],
      ["src/b/two.ts", 'import { used } from "../a/index.ts";'],
    ]);
    const uses = unusedExports(files, files).map(({ name, uses }) => [name, uses > 1]);
    assert.deepEqual(uses, [
      ["dead", false],
      ["used", true],
    ]);
  });
});
