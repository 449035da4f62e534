// `oppo data` as a person types it: text or JSON, and the exit code.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { datasets } from "../../src/data/readers/datasets.ts";
import { datasetFolder } from "../support/dataset-folder.ts";

const program = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));

function run(...args: string[]): { code: number | null; output: string } {
  const { status, stdout } = spawnSync(process.execPath, [program, "data", ...args], { encoding: "utf8" });
  return { code: status, output: stdout };
}

test("list names every set; check reads one and its exit code says whether there is something to repair", (t) => {
  const list = run("list", "--json");
  assert.deepEqual(
    JSON.parse(list.output).datasets.map(({ name }: { name: string }) => name),
    datasets.map(({ name }) => name),
  );
  const files = { "Actor_01/01-01-01-01-01-01-01.mp4": "" };
  const clean = run("check", "RAVDESS", datasetFolder(t, files), "--json");
  assert.equal(clean.code, 0);
  assert.deepEqual(JSON.parse(clean.output).splits[0].labels, { neutral: 1 });
  const dirty = run("check", "ravdess", datasetFolder(t, { ...files, "Actor_01/x.mp4": "" }));
  assert.equal(dirty.code, 1);
  assert.match(dirty.output, /x\.mp4:0: expected a name of seven two-digit numbers/);
  const unknown = run("check", "mer2022", ".", "--json");
  assert.equal(unknown.code, 1);
  assert.equal(JSON.parse(unknown.output).error.code, "ERR_DATASET_UNKNOWN");
});
