// The house rules that a machine can check: imports point down the layers, files stay short. The checks count what they
// looked at, because a check that looks at nothing passes.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Edge, importsOf, readTree } from "./support/source-tree.ts";

/** Root files that every folder may import; they import nothing of ours. */
const pure = ["error.ts", "seeds.ts", "random.ts", "edit-distance.ts", "temporary-files.ts"];
const shared = [...pure, "run", "data", "evidence", "emotion", "text", "media", "tensor"];
/** Folder -> what it may import beside itself; a file name narrows the permission to that file. Type-only imports count. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  tensor: [...pure],
  text: [...pure],
  media: [...pure],
  emotion: [...pure],
  endpoint: [...pure],
  hub: [...pure],
  nn: [...pure, "tensor"],
  evidence: [...pure, "text", "endpoint"],
  models: [...pure, "nn", "tensor", "text", "media", "evidence"],
  data: [...pure, "media", "text", "emotion", "evidence"],
  rl: [...pure, "models/omni-model.ts", "data/sample.ts", "evidence", "emotion", "text", "media", "nn", "tensor"],
  bench: [...pure, "data", "models/omni-model.ts", "evidence", "emotion", "text", "media"],
  run: [...pure, "nn", "tensor"],
  corpus: [...shared, "rl", "bench", "models", "endpoint"],
  page: [...pure, "bench", "data", "evidence", "emotion", "text", "media", "run"],
  train: [...shared, "rl", "bench", "models", "corpus", "nn"],
  recipes: [...shared, "rl", "bench", "models", "corpus", "page", "train", "nn", "endpoint", "hub"],
  serve: [...shared, "rl", "bench", "models", "corpus", "train"],
  cli: [...pure, "recipes", "corpus", "page", "run", "serve"],
};

/** Floors whose folders are programs of their own: none imports another one of the same floor. */
const apart = ["recipes"];

const maxLines = 400;
const maxNativeFileLines = 250;
const maxNativeLines = 1300;
const fewestFound = 20;

/** Whether an import leads from one program's folder into another's; what lies in the floor's root is shared. */
function crossesPrograms(from: string, to: string): boolean {
  const [floor, own, inOwn] = from.split("/");
  const [, other, inOther] = to.split("/");
  return apart.includes(floor!) && inOwn !== undefined && inOther !== undefined && own !== other;
}

/** What an edge between files below src/ breaks, or null. */
function violation(edge: Edge): string | null {
  const [from, to] = [edge.from, edge.to].map((path) => path.replace(/^src\//, "")) as [string, string];
  const layer = from.split("/")[0]!;
  const target = to.split("/")[0]!;
  if (layer === target)
    return crossesPrograms(from, to) ? `${edge.from} may not import another program, ${edge.to}` : null;
  const permitted = allowed[layer];
  if (permitted === undefined) return `${edge.from}: the folder has no row in the layer table`;
  if (permitted.includes(target) || permitted.includes(to)) return null;
  return `${edge.from} may not import ${edge.to}`;
}

const sources = readTree("src", /\.ts$/);
const countLines = (text: string) => text.split("\n").length - 1;

describe("layers", () => {
  test("imports point down", () => {
    const edges = [...sources].flatMap(([path, text]) => importsOf(path, text));
    assert.ok(edges.length > fewestFound, `only ${edges.length} imports were found`);
    assert.deepEqual(edges.map(violation).filter(Boolean), []);
  });

  test("a made-up upward, sideways, unlisted or undeclared import is reported", () => {
    const bad: readonly (readonly [string, string])[] = [
      ["src/tensor/scope.ts", "src/nn/adamw.ts"],
      ["src/text/clauses.ts", "src/media/clip.ts"],
      ["src/rl/step.ts", "src/models/qwen-omni/model.ts"],
      ["src/rl/step.ts", "src/run/metrics.ts"],
      ["src/media/mel.ts", "src/tensor/index.ts"],
      ["src/surprise/new.ts", "src/tensor/index.ts"],
      ["src/seeds.ts", "src/text/clauses.ts"],
      ["src/rl/step.ts", "test/support/shared.ts"],
      ["src/recipes/train/train.ts", "src/recipes/demo/demo.ts"],
      ["src/train/grpo.ts", "src/recipes/train/train.ts"],
      ["src/corpus/setting.ts", "src/train/presets.ts"],
    ];
    for (const [from, to] of bad) assert.notEqual(violation({ from, to }), null, `${from} -> ${to}`);
    assert.equal(violation({ from: "src/rl/step.ts", to: "src/models/omni-model.ts" }), null);
    assert.equal(violation({ from: "src/nn/adamw.ts", to: "src/nn/index.ts" }), null);
    assert.equal(violation({ from: "src/nn/adamw.ts", to: "src/seeds.ts" }), null);
  });

  test("every form of import is seen", () => {
    const text = [
      'import type { A } from "../nn/a.ts";',
      'export { b } from "./b.ts";',
      'import "../nn/c.ts";',
      'const d = await import("../nn/d.ts");',
      'import {\n  e,\n} from "../nn/e.ts";',
    ].join("\n");
    const edges = importsOf("src/text/x.ts", text);
    const found = edges.map((edge) => edge.to);
    assert.deepEqual(found, ["src/nn/a.ts", "src/text/b.ts", "src/nn/c.ts", "src/nn/d.ts", "src/nn/e.ts"]);
    assert.equal(edges.filter((edge) => violation(edge) !== null).length, 4);
  });
});

describe("sizes", () => {
  test("no hand-written file is longer than the limit", () => {
    const files = ["src", "test", "speed", "soak", "scripts"].flatMap((folder) => [...readTree(folder, /\.(ts|mjs)$/)]);
    assert.ok(files.length > fewestFound, `only ${files.length} files were found`);
    const long = files.filter(([path, text]) => !path.endsWith(".gen.ts") && countLines(text) > maxLines);
    assert.deepEqual(
      long.map(([path]) => path),
      [],
    );
  });

  test("the addon stays within its budget", () => {
    const lengths = [...readTree("native", /\.(cc|h)$/).values()].map(countLines);
    assert.ok(lengths.length >= 6);
    assert.ok(Math.max(...lengths) <= maxNativeFileLines, `the longest native file has ${Math.max(...lengths)} lines`);
    const total = lengths.reduce((sum, length) => sum + length, 0);
    assert.ok(total <= maxNativeLines, `${total} native lines`);
  });

  test("source is ASCII", () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the whole ASCII range is meant
    const notAscii = /[^\x00-\x7f]/;
    const files = [...sources, ...readTree("native", /\.(cc|h)$/)];
    assert.deepEqual(
      files.filter(([, text]) => notAscii.test(text)).map(([path]) => path),
      [],
    );
  });
});

/** What only some folders or files of src/ may do. */
const habits: readonly { readonly what: string; readonly pattern: RegExp; readonly allowedIn: RegExp }[] = [
  {
    what: "writes to the console (lower layers return numbers)",
    pattern: /\bconsole\.|\bprocess\.(stdout|stderr)\b/,
    allowedIn: /^src\/(cli|recipes)\/|^src\/run\/progress\.ts$/,
  },
  {
    what: "reads the environment",
    pattern: /\bprocess\.env\b/,
    allowedIn: /^src\/(cli|run)\/|^src\/tensor\/native\.ts$/,
  },
  {
    what: "reads the clock",
    pattern: /\bDate\.now\b|\bnew Date\b|\bperformance\.now\b/,
    allowedIn: /^src\/(cli|recipes|train|run|serve)\//,
  },
  {
    what: "decodes media in its own process (media/isolated is the way)",
    pattern: /^import (?!type).*\bmedia\/(decode|decode-image|decode-video|container|remux)\.ts"/m,
    allowedIn: /^src\/media\//,
  },
  {
    what: "draws without a seed",
    pattern: /\bMath\.random\b|\brandomUUID\b|\brandomBytes\b/,
    allowedIn: /^src\/run\/|^src\/serve\/http\/access-token\.ts$/,
  },
];

function broken(files: Iterable<readonly [path: string, text: string]>): string[] {
  return [...files].flatMap(([path, text]) =>
    habits
      .filter(({ pattern, allowedIn }) => pattern.test(text) && !allowedIn.test(path))
      .map(({ what }) => `${path} ${what}`),
  );
}

describe("habits", () => {
  test("only recipes and commands talk, only the outside is read where it may be", () => {
    assert.deepEqual(broken(sources), []);
  });

  test("a file that does what it may not is named", () => {
    const text =
      'import { decodeClip } from "../media/decode.ts";\nconsole.log(process.env.HOME, Date.now(), Math.random());';
    assert.equal(broken([["src/rl/step.ts", text]]).length, habits.length);
    assert.deepEqual(broken([["src/cli/main.ts", text]]), [
      "src/cli/main.ts decodes media in its own process (media/isolated is the way)",
      "src/cli/main.ts draws without a seed",
    ]);
  });

  test("every file opens with what it is", () => {
    const files = ["src", "test", "speed", "soak", "scripts"].flatMap((folder) => [...readTree(folder, /\.(ts|mjs)$/)]);
    assert.deepEqual(
      files.filter(([, text]) => !/^(#!.*\n)?\/\/ \S/.test(text)).map(([path]) => path),
      [],
    );
  });

  test("no drawer for everything", () => {
    const paths = ["src", "test", "speed", "soak", "scripts"].flatMap((folder) => [
      ...readTree(folder, /\.(ts|mjs)$/).keys(),
    ]);
    assert.deepEqual(
      paths.filter((path) => /\b(utils?|helpers?|common|misc|manager|handler)\b/.test(path)),
      [],
    );
  });
});
