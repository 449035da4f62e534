// Every source file is run by a test. A test vouches for the files that it imports, for their neighbours of the same folder
// that they are made of, and for what an index.ts gathers; whatever else is tested from the outside is listed here.
import assert from "node:assert/strict";
import { basename, dirname } from "node:path";
import { test } from "node:test";
import { type Edge, importsOf, readTree } from "./support/source-tree.ts";

/** Files (folders end with a slash) that no test imports -> what runs them. */
const runBy: Readonly<Record<string, string>> = {
  "src/corpus/way-to-media.ts": "test/recipes/data/data-export.test.ts",
  "src/media/isolated/answer.ts": "test/media/isolated/decoders.test.ts",
  "src/media/isolated/decoder.ts": "test/media/isolated/decoders.test.ts",
  "src/media/isolated/watch.ts": "test/media/isolated/decoders.test.ts",
  "src/media/isolated/watch-parent.ts": "test/media/isolated/decoders.test.ts",
  "src/corpus/clips/reader/reader-thread.ts": "test/corpus/clip-reader.test.ts",
  "src/cli/main.ts": "test/cli/program.test.ts",
  "src/data/lexicon/spreadsheet-child.ts": "test/data/lexicon/spreadsheet.test.ts",
  "src/data/layouts/": "test/data/layouts/merbench.test.ts",
  "src/models/lora/adapter.ts": "test/models/lora.test.ts",
  "src/models/qwen-omni/config/published-ids.ts": "test/models/qwen-omni/checkpoint.test.ts",
  "src/media/decode/": "test/media/decode.test.ts",
  "src/recipes/ablate/": "test/recipes/ablate/ablate.test.ts",
  "src/recipes/ablate/corpus/": "test/recipes/ablate/corpus.test.ts",
  "src/recipes/train/corpus-reading.ts": "test/cli/observer-commands.test.ts",
  "src/train/observer/observe-corpus.ts": "test/recipes/ablate/measure-corpus.test.ts",
  "src/serve/studio/path-id.ts": "test/serve/studio/runs.test.ts",
  "src/serve/studio/data/": "test/serve/studio/data.test.ts",
  "src/recipes/demo/": "test/recipes/demo/demo.test.ts",
  "src/train/theatre/": "test/recipes/demo/demo.test.ts",
  "src/recipes/r1-omni/": "test/recipes/r1-omni/r1-omni.test.ts",
  "src/recipes/doctor/doctor.ts": "test/cli/program.test.ts",
  "src/recipes/doctor/native-findings.ts": "test/cli/program.test.ts",
  "src/recipes/infer/infer.ts": "test/cli/model-commands.test.ts",
  "src/recipes/infer/text-stream.ts": "test/cli/model-commands.test.ts",
  "src/recipes/init/init-model.ts": "test/cli/model-commands.test.ts",
  "src/recipes/inspect/inspect-model.ts": "test/cli/model-commands.test.ts",
  "src/page/narration.ts": "test/recipes/mep/run.test.ts",
  "src/recipes/demo/rebuild-report.ts": "test/cli/commands.test.ts",
  "src/recipes/launch/": "test/cli/launch.test.ts",
  "src/train/world/learn-and-save.ts": "test/cli/commands.test.ts",
  "src/train/world/over-ranks.ts": "test/train/world/training.test.ts",
  "src/recipes/train/train.ts": "test/cli/commands.test.ts",
  "src/recipes/train/memory.ts": "test/cli/plan-commands.test.ts",
  "src/train/memory/settings.ts": "test/cli/plan-commands.test.ts",
  "src/corpus/embedding/embedder-child.ts": "test/corpus/embedding/embedder-process.test.ts",
  "src/recipes/train/dev-set.ts": "test/cli/watch-commands.test.ts",
  "src/train/export.ts": "test/cli/watch-commands.test.ts",
  "src/recipes/report/": "test/cli/watch-commands.test.ts",
  "src/train/method/draw-step.ts": "test/train/method/options.test.ts",
  "src/train/method/learn.ts": "test/train/method/options.test.ts",
  "src/train/watch/run-logs.ts": "test/train/watch/evaluations.test.ts",
  "src/train/watch/watch-settings.ts": "test/cli/watch-commands.test.ts",
  "src/recipes/score/rebuild-report.ts": "test/cli/watch-commands.test.ts",
  "src/recipes/theatre/build-theatre.ts": "test/cli/commands.test.ts",
  "src/serve/model/weights/": "test/serve/weights.test.ts",
  "src/train/rollouts/requests.ts": "test/train/rollouts/served.test.ts",
  "src/serve/model/worker.ts": "test/serve/model-server.test.ts",
  "src/serve/studio/xray/": "test/serve/studio/xray.test.ts",
};

const fewestSources = 150;

function carries({ from, to }: Edge): boolean {
  return dirname(from) === dirname(to) || (basename(from) === "index.ts" && to.startsWith(`${dirname(from)}/`));
}

/** The files with code (path -> text) that no test vouches for. */
function untested(sources: ReadonlyMap<string, string>, tests: ReadonlyMap<string, string>): string[] {
  const reached = new Set<string>();
  const reach = (path: string): void => {
    if (reached.has(path)) return;
    reached.add(path);
    for (const edge of importsOf(path, sources.get(path) ?? "")) if (carries(edge)) reach(edge.to);
  };
  for (const [path, text] of tests) for (const { to } of importsOf(path, text)) reach(to);
  const hasCode = (text: string) => /^(export )?(default )?(async )?(function|class|const|using|await)\b/m.test(text);
  return [...sources].filter(([path, text]) => !reached.has(path) && hasCode(text)).map(([path]) => path);
}

const sources = readTree("src", /\.ts$/);
const tests = readTree("test", /\.ts$/);

test("every source file is run by a test", () => {
  assert.ok(sources.size > fewestSources, `only ${sources.size} source files were found`);
  const missing = untested(sources, tests);
  const isListed = (path: string) => path in runBy || `${dirname(path)}/` in runBy;
  assert.deepEqual(
    missing.filter((path) => !isListed(path)),
    [],
    "no test imports these: add one under test/, or say here what runs them",
  );
  for (const [path, runner] of Object.entries(runBy)) {
    assert.ok(
      missing.some((file) => file === path || `${dirname(file)}/` === path),
      `${path} needs no row`,
    );
    assert.ok(tests.has(runner), `${runner} is not there`);
  }
});

test("a file without a test, a type without code and a neighbour are told apart", () => {
  const files = new Map([
    ["src/a/one.ts", 'import { two } from "./two.ts";\nimport "../b/three.ts";\nexport const one = two;'],
    ["src/a/two.ts", "export function two() {}"],
    ["src/b/three.ts", "export const three = 3;"],
    ["src/b/types.ts", "export interface Four {}"],
    ["src/c/index.ts", 'export { five } from "./deep/five.ts";'],
    ["src/c/deep/five.ts", "export class five {}"],
  ]);
  const tested = new Map([
    ["test/a/one.test.ts", 'import { one } from "../../src/a/one.ts";\nimport { five } from "../../src/c/index.ts";'],
  ]);
  assert.deepEqual(untested(files, tested), ["src/b/three.ts"]);
  assert.deepEqual(untested(files, new Map()), [
    "src/a/one.ts",
    "src/a/two.ts",
    "src/b/three.ts",
    "src/c/deep/five.ts",
  ]);
});
