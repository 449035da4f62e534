// Which folders are runs, and what a folder says of itself.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { lockRun, readHolder } from "../../../src/run/run-lock.ts";
import { RunCurves } from "../../../src/serve/studio/runs/curves.ts";
import { findRuns, openRoots } from "../../../src/serve/studio/runs/find-runs.ts";
import { flatten, readSettings, summarize } from "../../../src/serve/studio/runs/run-facts.ts";
import { line, makeRun } from "../../support/studio-runs.ts";

async function inFolder(body: (folder: string) => unknown): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "oppo-runs-"));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const found = (folder: string, name: string) =>
  findRuns(openRoots([folder])).places.find((place) => place.path.endsWith(name))!;

describe("runs", () => {
  test("are found at any depth, but not among weights, clips and hidden folders", () =>
    inFolder((folder) => {
      for (const name of ["a", "b/c/d", ".hidden/x", "a/checkpoints/step-1", "b/corpus/y"])
        makeRun(folder, name, { steps: 1 });
      const { places, isCut } = findRuns(openRoots([folder]));
      assert.deepEqual(
        [places.map(({ name }) => name.split("/").slice(1).join("/")).sort(), isCut],
        [["a", "b/c/d"], false],
      );
      assert.equal(new Set(places.map(({ id }) => id)).size, 2);
      assert.equal(findRuns([join(folder, "a")]).places[0]!.name, "a");
    }));

  test("a run is running while a process holds it, then stopped or finished", () =>
    inFolder((folder) => {
      const path = makeRun(folder, "run", { steps: 3, wantedSteps: 5 });
      assert.equal(summarize(found(folder, "run")).state, "stopped");
      const release = lockRun(path);
      assert.equal(summarize(found(folder, "run")).state, "running");
      release();
      makeRun(folder, "run", { steps: 5 });
      assert.equal(summarize(found(folder, "run")).state, "finished");
      for (const text of ["", "5", "{}", '{"pid":-1,"host":"x"}', '{"pid":"1","host":"x"}', "[".repeat(9999)]) {
        assert.equal(readHolder(text), null, text);
      }
    }));

  test("what programs a folder is of, also without run.json", () =>
    inFolder((folder) => {
      makeRun(folder, "train", { steps: 1 });
      rmSync(join(folder, "train", "run.json"));
      makeRun(folder, "sft", { steps: 1, groups: 0 });
      rmSync(join(folder, "sft", "run.json"));
      mkdirSync(join(folder, "log"));
      writeFileSync(join(folder, "log", "metrics.jsonl"), line({ step: 4 }));
      mkdirSync(join(folder, "demo", "arms"), { recursive: true });
      for (const name of ["config.yaml", "run.json"]) writeFileSync(join(folder, "demo", name), "{}");
      const shapes = findRuns(openRoots([folder])).places.map((place) => [
        place.path.split("/").at(-1),
        summarize(place).shape,
      ]);
      assert.deepEqual(Object.fromEntries(shapes), { train: "train", sft: "sft", log: "log", demo: "demo" });
      assert.equal(summarize(found(folder, "log")).numSteps, 5);
    }));

  test("settings of any depth and length are flattened within bounds", () =>
    inFolder((folder) => {
      const path = makeRun(folder, "run", { steps: 1 });
      assert.equal(flatten(readSettings(path).values)["reward.terms"]!.startsWith('[{"name":"accuracy"'), true);
      let deep: unknown = 1;
      for (let i = 0; i < 50; i++) deep = { in: deep };
      const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`k${i}`, "x".repeat(5000)]));
      const flat = flatten({ deep, ...many });
      assert.equal(Object.keys(flat).length, 1000);
      assert.ok(Object.values(flat).every((text) => text.length <= 2000));
    }));

  test("evaluations are curves of their own", () =>
    inFolder(async (folder) => {
      const path = makeRun(folder, "run", { steps: 3 });
      writeFileSync(join(path, "evaluation.jsonl"), line({ step: -1, reward: 1 }) + line({ step: 2, reward: 2 }));
      const curves = new RunCurves(path);
      await curves.catchUp();
      assert.ok(curves.names().includes("eval/reward"));
      const { steps, values } = curves.answer(["eval/reward"], true, "", 0);
      assert.deepEqual([steps, values], [[-1, 2], { "eval/reward": [1, 2] }]);
      assert.equal(curves.logs()[1]!.numRows, 2);
    }));
});
