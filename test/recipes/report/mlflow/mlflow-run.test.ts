// What a run is for MLflow: names, lengths and times that MLflow takes, and nothing of two that become one is lost.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { mlflowRun } from "../../../../src/recipes/report/mlflow/mlflow-run.ts";
import { readTrainingRun } from "../../../../src/recipes/report/training-run.ts";
import { line, makeRun } from "../../../support/studio-runs.ts";

const folder = mkdtempSync(join(tmpdir(), "oppo-mlflow-run-"));
after(() => rmSync(folder, { recursive: true, force: true }));

describe("a run for MLflow", () => {
  test("names are made legal, those that lead elsewhere left out, and two that become one stay two", () => {
    const path = makeRun(folder, "names", { steps: 1 });
    const long = "x".repeat(300);
    const odd = { "a:b": 1, "a?b": 2, a_b: 3, "..up": 4, "../up": 5, "/abs": 6, "end/": 7, "a//b": 8, "ok/deep": 9 };
    const row = { step: 0, ...odd, [`${long}1`]: 10, [`${long}2`]: 11 };
    writeFileSync(join(path, "metrics.jsonl"), line(row));
    const { metrics } = mlflowRun(readTrainingRun(path, "train"));
    const values = [...metrics].map(([name, [point]]) => [name.length > 20 ? name.slice(-4) : name, point!.value]);
    assert.deepEqual(values, [
      ...[
        ["a_b", 1],
        ["a_b_2", 2],
        ["a_b_3", 3],
        ["ok/deep", 9],
        ["xxxx", 10],
        ["xx_2", 11],
      ],
    ]);
    assert.ok([...metrics.keys()].every((name) => name.length <= 250));
  });

  test("long values are cut to what MLflow takes, and a cut leaves no half of a character", () => {
    const path = makeRun(folder, "long", { steps: 1 });
    const text = `${"y".repeat(5999)}\u{1f600}`;
    writeFileSync(join(path, "config.yaml"), `preset: oppo\nnote: "${text}"\n`);
    writeFileSync(join(path, "run.json"), JSON.stringify({ kind: "train", device: text }));
    const { params, tags } = mlflowRun(readTrainingRun(path, "train"));
    assert.equal(params.get("note"), `${"y".repeat(5999)}\ufffd`);
    assert.equal(tags.get("oppo.device"), "y".repeat(5000));
  });

  test("a step that is no whole number has no place in MLflow, and a run under way has no end", () => {
    const path = makeRun(folder, "times", { steps: 0 });
    const rows = [
      { step: 0.5, reward: 1 },
      { step: 1, reward: 2, step_time: 5 },
      { step: 2, reward: null, kl: 3 },
    ];
    writeFileSync(join(path, "metrics.jsonl"), rows.map(line).join(""));
    const { metrics, startTime, endTime, status } = mlflowRun(readTrainingRun(path, "train"));
    assert.deepEqual([status, metrics.get("reward")!.length, metrics.get("kl")![0]!.step], ["KILLED", 1, 2]);
    assert.equal(endTime! - startTime, 5000);
    mkdirSync(join(path, "model"));
    assert.equal(mlflowRun(readTrainingRun(path, "train")).status, "FINISHED");
  });
});
