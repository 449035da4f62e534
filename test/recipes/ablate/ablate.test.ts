// A grid from nothing to its page, as small as it gets: a cell that is killed costs that cell, the next call makes it and nothing
// else, and another grid finds what is there. Numbers mean nothing at this size.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { repositoryRoot } from "../../support/repository.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const main = join(repositoryRoot, "build/js/src/cli/main.js");
const clips = "{warmup: 4, warmupDev: 2, sft: 4, rl: 4, dev: 2, devConflict: 2, congruent: 3, conflict: 2}";
const small = [
  ...[`play.clips=${clips}`, "play.shards=1", "play.rlSteps=1", "play.warmup.steps=2", "play.warmup.clipsPerStep=2"],
  ...["play.sft.steps=2", "play.sft.clipsPerStep=2", "play.sft.warmupSteps=0"],
].flatMap((setting) => ["--set", setting]);

function call(root: string, ...more: string[]) {
  const args = [main, "ablate", "--run", root, "--json", ...small, ...more];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  return { status, stderr, json: stdout === "" ? null : JSON.parse(stdout) };
}

const modelTimes = (root: string) =>
  new Map(readdirSync(join(root, "cells")).map((key) => [key, statSync(join(root, "cells", key, "done")).mtimeMs]));

test("a grid is made, killed in a cell, finished, and shared with another grid", (t) => {
  const root = join(temporaryFolder(t), "grid");
  const grid = ["--presets", "oppo", "--set", "alpha=0.2,0.5"];
  const planned = call(root, ...grid, "--dry-run");
  assert.equal(planned.status, 0, planned.stderr);
  assert.deepEqual([planned.json.numCells, planned.json.numMade], [3, 0]);
  assert.ok(
    planned.json.tasks.some(({ name }: { name: string }) =>
      /^oppo\/alpha=0\.5, cold start mixed 1, seed 1$/.test(name),
    ),
  );
  assert.ok(!existsSync(root), "a plan makes nothing");

  const first = call(root, ...grid);
  assert.equal(first.status, 0, first.stderr);
  assert.deepEqual(first.json.failures, []);
  for (const file of Object.values(first.json.files) as string[]) assert.ok(existsSync(file), file);
  const rows = first.json.all.rows as {
    row: { name: string };
    runs: unknown[];
    report: Record<string, { count: number }>;
  }[];
  assert.deepEqual(
    rows.map(({ row, runs }) => [row.name, runs.length]),
    [
      ["sft", 1],
      ["oppo/alpha=0.2", 1],
      ["oppo/alpha=0.5", 1],
    ],
  );
  for (const { report } of rows) assert.equal(report.recall!.count, 3);
  const page = readFileSync(first.json.files.report, "utf8");
  for (const part of ["OPPO, alpha=0.5", "Everything measured", "drawCharts("]) assert.ok(page.includes(part), part);
  assert.ok(!/src="http|href="http/.test(page), "the page asks no server");

  const before = modelTimes(root);
  assert.equal(before.size, 2);

  // A cell without its model, whose process finds a folder in the place of a file and fails.
  const written = JSON.parse(readFileSync(first.json.files.results, "utf8"));
  const lost = written.cells.find(({ row }: { row: string }) => row === "oppo/alpha=0.5").key as string;
  rmSync(join(root, "cells", lost), { recursive: true });
  writeFileSync(join(root, "cells", lost), "in the way");
  const failed = call(root, ...grid, "--choose");
  assert.equal(failed.status, 1);
  assert.deepEqual(
    failed.json.failures.map(({ row }: { row: string }) => row),
    ["oppo/alpha=0.5"],
  );
  assert.equal(failed.json.all.phase, "dev", "a choice looks at the dev split");
  assert.ok(failed.json.chosen.row !== "oppo/alpha=0.5");
  const tested = failed.json.chosen.test.rows.filter(({ runs }: { runs: unknown[] }) => runs.length > 0);
  assert.deepEqual(
    tested.map(({ row }: { row: { name: string } }) => row.name),
    [failed.json.chosen.row],
    "the test split sees the chosen row alone",
  );
  assert.match(readFileSync(failed.json.files.report, "utf8"), /Missing cells/);
  rmSync(join(root, "cells", lost));
  mkdirSync(join(root, "cells"), { recursive: true });
  const mended = call(root, ...grid);
  assert.equal(mended.status, 0, mended.stderr);
  const after = modelTimes(root);
  for (const [key, time] of before) assert.equal(after.get(key) === time, key !== lost, key);
  assert.deepEqual(mended.json.all, first.json.all, "the same numbers from what is there and from what is made again");

  const table = call(root, "--table", "4", "--cold-starts", "1", "--seeds", "1", "--dry-run");
  assert.equal(table.json.numMade, 1, "the choice above has measured alpha 0.2 on the dev split");
  const toDo = table.json.tasks.map(({ name }: { name: string }) => name.split(",")[0]);
  assert.deepEqual(
    toDo.filter((name: string) => name.startsWith("alpha=")),
    ["alpha=0.3", "alpha=0.4", "alpha=0.5", "alpha=0.6"],
  );
});

test("a grid with a typo, an idle setting or nothing to do is refused with the reason", (t) => {
  const root = join(temporaryFolder(t), "none");
  const refused = (...args: string[]) => {
    const { status, stderr } = spawnSync(process.execPath, [main, "ablate", "--run", root, ...args], {
      encoding: "utf8",
    });
    assert.notEqual(status, 0);
    return stderr;
  };
  assert.match(
    refused("--presets", "oppo", "--set", "perception.maskRato=0.7,1"),
    /Did you mean "perception\.maskRatio"\?/,
  );
  assert.match(refused("--presets", "reward-only", "--set", "rho=0.7,1"), /has no effect: perception\.views is none/);
  assert.match(refused("--presets", "humanomni-v2"), /reward\.judged, which asks a language model/);
  assert.match(refused("--presets", "oppo", "--vary", "rho=0.7,,1"), /an empty value/);
  assert.match(
    refused("--table", "3", "--presets", "oppo"),
    /has no effect: a table, figure or experiment has its own rows/,
  );
  assert.match(refused(), /expected --table, .* got none of them.*ERR_ABLATE_GRID/);
  const file = join(temporaryFolder(t), "grid.yaml");
  writeFileSync(file, "presets: [oppo]\nvarry:\n  alpha: [0.2]\n");
  assert.match(refused("--grid", file), /grid\.yaml:2: .*Did you mean "vary"\?/);
  writeFileSync(file, `presets: [oppo]\nvary:\n  seed: [${Array.from({ length: 300 }, (_, i) => i)}]\n`);
  assert.match(refused("--grid", file), /at most 200 rows/);
  assert.ok(!existsSync(root));
});
