// A grid on a corpus of one's own: a small theatre whose rows say nothing of their scenes, so that nothing knows it. Made, kept, a lost
// cell made again and nothing else, refused where it cannot be. Numbers mean nothing at this size.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { partnersAmong } from "../../../src/bench/support/conditions.ts";
import { withOtherLabels } from "../../../src/recipes/ablate/corpus/measure-corpus.ts";
import { readingSettings, readShared } from "../../../src/recipes/ablate/corpus/shared.ts";
import { repositoryRoot } from "../../support/repository.ts";
import { type SmallTheatre, smallTheatre } from "../../support/small-theatre.ts";

const main = join(repositoryRoot, "build/js/src/cli/main.js");
let theatre: SmallTheatre;
let grid: string[];
let root: string;

before(async () => {
  theatre = await smallTheatre(12);
  root = join(theatre.root, "grid");
  const bare = theatre.samples.map(({ meta: _, ...sample }) => JSON.stringify(sample));
  const file = (name: string, lines: readonly string[]) => {
    const path = join(dirname(theatre.samplesFile), `${name}.jsonl`);
    writeFileSync(path, `${lines.join("\n")}\n`);
    return path;
  };
  const shared = join(theatre.root, "shared.yaml");
  writeFileSync(
    shared,
    [
      "train: { steps: 1, promptsPerStep: 2, groupSize: 2, maxNewTokens: 6, maxSkippedRows: 3 }",
      "build: { minAssociation: 0, minCues: 1 }",
      "measure: { maxNewTokens: 6, maxUnreadable: 0 }",
    ].join("\n"),
  );
  grid = ["--data", file("mine", bare.slice(0, 8)), "--test", file("held", bare.slice(8)), "--shared", shared];
});
after(() => theatre[Symbol.dispose]());

function ablate(...more: string[]) {
  const args = [main, "ablate", "--run", root, "--json", ...more];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  return { status, stderr, json: stdout === "" ? null : JSON.parse(stdout) };
}

const marks = () =>
  new Map(readdirSync(join(root, "cells")).map((key) => [key, statSync(join(root, "cells", key, "done")).mtimeMs]));

describe("oppo ablate --data", { timeout: 1_800_000 }, () => {
  test("trains and measures every row from every model, keeps it, and makes again what is lost", () => {
    const starts = ["--start", `a=${theatre.freshModel(1)}`, "--start", `b=${theatre.freshModel(2)}`];
    const rows = [...grid, ...starts, "--presets", "reward-only"];
    const planned = ablate(...rows, "--dry-run");
    assert.equal(planned.status, 0, planned.stderr);
    assert.deepEqual(
      planned.json.tasks.map(({ name }: { name: string }) => name),
      [
        "set of the test samples",
        "sft, cold start a 1",
        "sft, cold start b 2",
        "reward-only, cold start a 1, seed 1",
        "reward-only, cold start b 2, seed 1",
      ],
    );
    assert.ok(!existsSync(root), "a plan makes nothing");

    const first = ablate(...rows);
    assert.equal(first.status, 0, first.stderr);
    assert.deepEqual(first.json.failures, []);
    const results = first.json.all.rows as {
      row: { name: string };
      numStarts: number;
      runs: unknown[];
      report: Record<string, { count: number }>;
    }[];
    assert.deepEqual(
      results.map(({ row, numStarts, runs }) => [row.name, numStarts, runs.length]),
      [
        ["sft", 2, 2],
        ["reward-only", 2, 2],
      ],
    );
    for (const { report } of results) assert.equal(report.recall!.count, 4);
    for (const file of Object.values(first.json.files) as string[]) assert.ok(existsSync(file), file);
    const written = JSON.parse(readFileSync(first.json.files.results, "utf8"));
    const cells = written.cells.filter(({ key }: { key?: string }) => key !== undefined);
    assert.deepEqual([...new Set(cells.map(({ config }: { config: { steps: number } }) => config.steps))], [1]);
    // A cell is an ordinary run.
    assert.ok(existsSync(join(root, "cells", cells[0].key, "config.yaml")));
    assert.ok(existsSync(join(root, "cells", cells[0].key, "model/config.json")));

    const before = marks();
    assert.equal(before.size, 2);
    rmSync(join(root, "cells", cells[1].key), { recursive: true });
    const again = ablate(...rows);
    assert.equal(again.status, 0, again.stderr);
    assert.deepEqual(again.json.all, first.json.all, "made again, to the same numbers");
    for (const [key, time] of before) assert.equal(marks().get(key) === time, key !== cells[1].key, key);
    const other = ablate(...rows, "--presets", "oppo", "--dry-run");
    assert.deepEqual([other.json.numCells, other.json.numMade], [6, 4], "another grid finds what is there");
  });

  test("the sceptic's experiment has an observer per model and no arm that needs the theatre", () => {
    const model = theatre.freshModel(1);
    const { json } = ablate(...grid, "--model", model, "--experiment", "faithfulness", "--seeds", "1", "--dry-run");
    const names = json.tasks.map(({ name }: { name: string }) => name) as string[];
    assert.ok(names.includes("observer of fresh-1"), names.join("; "));
    assert.ok(names.includes("oppo-family, cold start fresh-1 1, seed 1"));
    assert.ok(!names.some((name) => name.startsWith("honest-labels")));
  });

  test("what cannot be is refused before anything is made", () => {
    const model = ["--model", theatre.freshModel(1)];
    const refused = (...args: string[]) => {
      const all = [main, "ablate", "--run", root, ...args];
      const { status, stderr } = spawnSync(process.execPath, all, { encoding: "utf8" });
      assert.notEqual(status, 0);
      return stderr;
    };
    const rows = ["--presets", "oppo"];
    assert.match(refused(...grid, ...rows), /expected --model FOLDER, or --start NAME=FOLDER.*\[ERR_ABLATE_DATA\]/);
    assert.match(refused(...grid, ...rows, "--start", "x"), /got "=x"/);
    assert.match(refused(...grid, ...rows, "--model", "nowhere"), /nowhere: expected a model's folder/);
    assert.match(refused(...grid.slice(0, 2), ...rows, ...model), /Give --test FILE.*\[ERR_ABLATE_DATA\]/);
    assert.match(refused(...grid, ...rows, ...model, "--choose"), /Give --dev FILE/);
    assert.match(refused(...rows, ...model), /--model .* has no effect: the theatre has clips and models of its own/);
    assert.match(refused(...grid, ...rows, ...model, "--starts", "honest"), /has no effect: they are the theatre's/);
    assert.match(
      refused(...grid, ...rows, ...model, "--set", "rho=0.7,1", "--presets", "reward-only"),
      /has no effect/,
    );
    const itself = ["--data", grid[1]!, "--test", grid[1]!];
    assert.match(refused(...itself, ...rows, ...model), /the same id.*\[ERR_OVERLAP\]/);
  });
});

test("shared settings: the method's go to every row, the grid's own are refused", () => {
  const file = join(theatre.root, "own.yaml");
  writeFileSync(
    file,
    "train: { perception: { maskRatio: 1 }, steps: 3, clips: { workers: 1 } }\nmeasure: { batch: 8 }\n",
  );
  const shared = readShared(file);
  assert.deepEqual(shared.training, ["perception.maskRatio=1", "steps=3"]);
  assert.deepEqual(shared.train, { clips: { workers: 1 } });
  assert.deepEqual(shared.measure, { batch: 8 });
  assert.deepEqual(readShared(null).training, []);
  assert.equal(readingSettings(shared.all).clips.workers, 1);
  assert.throws(() => readingSettings({ clips: { workers: "two" } }), {
    code: "ERR_ABLATE_DATA",
    message: /train\.clips\.workers: expected what oppo train takes/,
  });
  writeFileSync(file, "train: { seed: 3 }\n");
  assert.throws(() => readShared(file), { code: "ERR_ABLATE_DATA", message: /train\.seed: .* the grid says itself/ });
  writeFileSync(file, "tran: {}\n");
  assert.throws(() => readShared(file), /expected the sections train, build, measure, got "tran"/);
});

test("a swapped-in clip is one with other labels, where there is one", () => {
  const clip = (id: string, label: string) => ({ ...theatre.samples[0]!, id, labels: [label] });
  const samples = [clip("a", "sad"), clip("b", "sad"), clip("c", "happy")];
  const partners = partnersAmong(samples, withOtherLabels);
  const ids = (kind: string, dose: number, of = 0) =>
    partners(samples[of]!, { modality: "video", kind, dose }).map(({ id }) => id);
  assert.deepEqual(ids("swap", 1), ["c"]);
  assert.deepEqual(ids("swap", 1, 2), ["a"]);
  assert.deepEqual(ids("swap", 0), []);
  assert.deepEqual(ids("blur", 1), []);
});
