// Which commands import the addon as soon as they run. All others work in a package that was installed without a compiler,
// at least with the settings that need no local model: a new import that drags the addon in shows up here.
import assert from "node:assert/strict";
import { basename } from "node:path";
import { test } from "node:test";
import { importsOf, readTree } from "../support/source-tree.ts";

const addon = "src/tensor/native.ts";
const commandFolder = "src/cli/commands/";
/** Commands that compute whatever they are asked; launch serves the store through which ranks meet. `serve-model` computes in a worker and `init` in a row of the registry, which they import later. */
const computing = ["ablate", "index", "infer", "launch", "r1-omni", "report", "sft", "task", "train"];

const sources = readTree("src", /\.ts$/);

/** What is loaded with a file: imports of values, not of types and not the ones that wait for a call. */
function loadedWith(path: string, files: ReadonlyMap<string, string>): string[] {
  const statements = (files.get(path) ?? "").match(/^(?:import|export) (?!type )[^;]*?"\.[^"]+";/gm) ?? [];
  return importsOf(path, statements.join("\n")).map(({ to }) => to);
}

/** The files on the way from any of `starts` to the addon; null when there is none. */
function wayToAddon(starts: readonly string[], files: ReadonlyMap<string, string>): string[] | null {
  const from = new Map<string, string | null>(starts.map((start) => [start, null]));
  for (const path of from.keys()) {
    if (path === addon) {
      const way: string[] = [];
      for (let step: string | null = path; step !== null; step = from.get(step) ?? null) way.unshift(step);
      return way;
    }
    for (const to of loadedWith(path, files)) if (!from.has(to)) from.set(to, path);
  }
  return null;
}

test("only commands that compute import the addon", () => {
  const commands = [...sources.keys()].filter(
    (path) => path.startsWith(commandFolder) && path !== `${commandFolder}index.ts`,
  );
  const reaching = commands.flatMap((path) => {
    const starts = [path, ...importsOf(path, sources.get(path)!).map(({ to }) => to)];
    const way = wayToAddon(starts, sources);
    return way === null ? [] : [[basename(path, ".ts"), way] as const];
  });
  const unexpected = reaching.filter(([name]) => !computing.includes(name));
  assert.deepEqual(unexpected, [], "import it where it is needed, with await import");
  assert.deepEqual(reaching.map(([name]) => name).sort(), computing);
  assert.equal(wayToAddon(["src/cli/main.ts"], sources), null);
});

test("a way over a value is found, one over a type or a later import is none", () => {
  const files = (statement: string) =>
    new Map([
      ["src/a.ts", `${statement}\nexport {};`],
      ["src/tensor/index.ts", 'export {\n  x,\n} from "./native.ts";'],
      [addon, ""],
    ]);
  const way = (statement: string) => wayToAddon(["src/a.ts"], files(statement));
  const found = ["src/a.ts", "src/tensor/index.ts", addon];
  assert.deepEqual(way('import { x } from "./tensor/index.ts";'), found);
  assert.deepEqual(way('import { type X } from "./tensor/index.ts";'), found);
  assert.deepEqual(way('import "./tensor/index.ts";'), found);
  assert.equal(way('import type { X } from "./tensor/index.ts";'), null);
  assert.equal(way('const { x } = await import("./tensor/index.ts");'), null);
});
