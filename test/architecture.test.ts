// The house rules that a machine can check: imports point down the layers, files stay short. The checks count what they
// looked at, because a check that looks at nothing passes.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Root files that every folder may import; they import nothing of ours. */
const pure = ["error.ts", "seeds.ts", "random.ts"];
/** Folder -> what it may import beside itself; a file name narrows the permission to that file. Type-only imports count. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  tensor: [...pure],
  text: [...pure],
  media: [...pure],
  emotion: [...pure],
  nn: [...pure, "tensor"],
  evidence: [...pure, "text"],
  models: [...pure, "nn", "tensor", "text", "media", "evidence"],
  data: [...pure, "media", "text", "emotion", "evidence"],
  rl: [...pure, "models/omni-model.ts", "data/sample.ts", "evidence", "emotion", "text", "media", "nn", "tensor"],
  bench: [...pure, "data", "models/omni-model.ts", "evidence", "emotion", "text", "media"],
  run: [...pure, "nn", "tensor"],
  recipes: [...pure, "run", "rl", "bench", "models", "data", "nn", "evidence", "tensor", "text", "media", "emotion"],
  serve: [...pure, "recipes", "run", "rl", "bench", "models", "data", "evidence", "text", "media", "emotion"],
  cli: [...pure, "recipes", "run", "serve"],
};

interface Edge {
  /** Paths below src/. */
  readonly from: string;
  readonly to: string;
}

const maxLines = 400;
const maxNativeFileLines = 250;
const maxNativeLines = 1000;
const fewestImportsExpected = 20;

/** Package entries: they may re-export from anywhere. */
const entries = new Set(["index.ts"]);

/** What an edge breaks, or null. */
function violation({ from, to }: Edge): string | null {
  const layer = from.split("/")[0]!;
  const target = to.split("/")[0]!;
  if (entries.has(from) || layer === target) return null;
  const permitted = allowed[layer];
  if (permitted === undefined) return `src/${from}: the folder has no row in the layer table`;
  if (permitted.includes(target) || permitted.includes(to)) return null;
  return `src/${from} may not import src/${to}`;
}

function filesBelow(directory: string, suffix: RegExp): string[] {
  return readdirSync(join(root, directory), { recursive: true, encoding: "utf8" })
    .filter((name) => suffix.test(name))
    .map((name) => join(directory, name));
}

/** Every relative import of a source text, type-only and dynamic ones too. */
function importsOf(file: string, text: string): Edge[] {
  const specifiers = [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]+)"/g)].map((match) => match[1]!);
  const below = (path: string) => relative("src", path);
  return specifiers.map((specifier) => ({ from: below(file), to: below(join(dirname(file), specifier)) }));
}

const countLines = (file: string) => readFileSync(join(root, file), "utf8").split("\n").length - 1;

describe("layers", () => {
  test("imports point down", () => {
    const edges = filesBelow("src", /\.ts$/).flatMap((file) => importsOf(file, readFileSync(join(root, file), "utf8")));
    assert.ok(edges.length > fewestImportsExpected, `only ${edges.length} imports were found`);
    assert.deepEqual(edges.map(violation).filter(Boolean), []);
  });

  test("a made-up upward, sideways, unlisted or undeclared import is reported", () => {
    const bad: readonly (readonly [string, string])[] = [
      ["tensor/scope.ts", "nn/adamw.ts"],
      ["text/clauses.ts", "media/clip.ts"],
      ["rl/step.ts", "models/qwen-omni/model.ts"],
      ["rl/step.ts", "run/metrics.ts"],
      ["media/mel.ts", "tensor/index.ts"],
      ["surprise/new.ts", "tensor/index.ts"],
      ["seeds.ts", "text/clauses.ts"],
    ];
    for (const [from, to] of bad) assert.notEqual(violation({ from, to }), null, `${from} -> ${to}`);
    assert.equal(violation({ from: "rl/step.ts", to: "models/omni-model.ts" }), null);
    assert.equal(violation({ from: "nn/adamw.ts", to: "nn/index.ts" }), null);
  });

  test("every form of import is seen", () => {
    const text = [
      'import type { A } from "../nn/a.ts";',
      'export { b } from "./b.ts";',
      'import "../nn/c.ts";',
      'const d = await import("../nn/d.ts");',
      'import {\n  e,\n} from "../nn/e.ts";',
    ].join("\n");
    const found = importsOf("src/text/x.ts", text).map((edge) => edge.to);
    assert.deepEqual(found, ["nn/a.ts", "text/b.ts", "nn/c.ts", "nn/d.ts", "nn/e.ts"]);
    assert.equal(importsOf("src/text/x.ts", text).filter((edge) => violation(edge) !== null).length, 4);
  });
});

describe("sizes", () => {
  test("no hand-written file is longer than the limit", () => {
    const files = ["src", "test", "bench", "scripts"].flatMap((folder) => filesBelow(folder, /\.(ts|mjs)$/));
    assert.ok(files.length > fewestImportsExpected, `only ${files.length} files were found`);
    const long = files.filter((file) => !file.endsWith(".gen.ts") && countLines(file) > maxLines);
    assert.deepEqual(long, []);
  });

  test("the addon stays within its budget", () => {
    const files = filesBelow("native", /\.(cc|h)$/);
    assert.ok(files.length >= 6);
    const lengths = files.map(countLines);
    assert.ok(Math.max(...lengths) <= maxNativeFileLines, `the longest native file has ${Math.max(...lengths)} lines`);
    const total = lengths.reduce((sum, length) => sum + length, 0);
    assert.ok(total <= maxNativeLines, `${total} native lines`);
  });

  test("source is ASCII", () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the whole ASCII range is meant
    const notAscii = /[^\x00-\x7f]/;
    const files = [...filesBelow("src", /\.ts$/), ...filesBelow("native", /\.(cc|h)$/)];
    assert.deepEqual(
      files.filter((file) => notAscii.test(readFileSync(join(root, file), "utf8"))),
      [],
    );
  });
});
