// A run as MLflow keeps it in a folder, read back as MLflow's own reader does: every file of metrics/ has lines of three fields, names are
// paths, ids have 32 hexadecimal letters; exported again it takes its own place; hostile names lead nowhere.
import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { exportToFolder, looksLikeAddress } from "../../../../src/recipes/report/mlflow/folder.ts";
import { mlflowRun } from "../../../../src/recipes/report/mlflow/mlflow-run.ts";
import { readTrainingRun } from "../../../../src/recipes/report/training-run.ts";
import { oppoIn } from "../../../support/oppo-in.ts";
import { line, makeRun, metricsRow } from "../../../support/studio-runs.ts";

const folder = mkdtempSync(join(tmpdir(), "oppo-mlflow-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** MLflow's form of a line of metrics/: whole milliseconds, a number, a whole step. */
const metricLine = /^(\d{13}) (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?) (\d+)$/;

/** Path below a folder -> its text, of every file. */
function filesBelow(root: string): Map<string, string> {
  const names = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    names.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [relative(root, path), readFileSync(path, "utf8")];
    }),
  );
}

function historyOf(text: string): { time: number; value: number; step: number }[] {
  return text
    .trimEnd()
    .split("\n")
    .map((one) => {
      const [, time, value, step] = metricLine.exec(one) ?? assert.fail(`no line of MLflow's: ${one}`);
      return { time: Number(time), value: Number(value), step: Number(step) };
    });
}

describe("a run in MLflow's folder", () => {
  test("has its numbers, settings and facts where MLflow looks for them", () => {
    const path = makeRun(folder, "mine", { steps: 5 });
    writeFileSync(join(path, "evaluation.jsonl"), line({ step: 4, recall: 0.25, formatMaskedVideo: null }));
    const root = join(folder, "mlruns");
    const made = exportToFolder(mlflowRun(readTrainingRun(path, "train")), root);
    assert.match(made.runId, /^[0-9a-f]{32}$/);
    const about = parse(readFileSync(join(root, made.experimentId, "meta.yaml"), "utf8"));
    assert.deepEqual([about.experiment_id, about.name, about.lifecycle_stage], [made.experimentId, "oppo", "active"]);
    const run = parse(readFileSync(join(made.folder, "meta.yaml"), "utf8"));
    assert.equal(made.folder, join(root, made.experimentId, made.runId));
    assert.deepEqual([run.run_id, run.run_uuid, run.run_name], [made.runId, made.runId, "mine"]);
    assert.deepEqual([run.experiment_id, run.status, run.source_type, run.tags], [made.experimentId, 5, 4, []]);
    assert.ok(run.start_time < run.end_time);
    assert.equal(fileURLToPath(run.artifact_uri), join(made.folder, "artifacts"));
    assert.ok(statSync(join(made.folder, "artifacts")).isDirectory());
    const metrics = filesBelow(join(made.folder, "metrics"));
    assert.equal(metrics.size, made.numMetrics);
    const reward = historyOf(metrics.get("reward")!);
    assert.deepEqual(
      reward.map(({ step, value }) => [step, value]),
      Array.from({ length: 5 }, (_, step) => [step, metricsRow(step).reward]),
    );
    assert.deepEqual(
      reward.map(({ time }) => time),
      reward.map(({ time }) => time).toSorted(),
    );
    assert.equal(reward.at(-1)!.time, run.end_time);
    assert.ok(metrics.has("rewards/omni/mean"));
    assert.deepEqual(historyOf(metrics.get("eval/recall")!)[0]!.value, 0.25);
    assert.ok(!metrics.has("eval/formatMaskedVideo"), "null is no number");
    assert.equal(readFileSync(join(made.folder, "params", "learningRate"), "utf8"), "0.003");
    assert.equal(readFileSync(join(made.folder, "tags", "mlflow.runName"), "utf8"), "mine");
    assert.equal(readFileSync(join(made.folder, "tags", "oppo.device"), "utf8"), "cpu");
  });

  test("takes its own place when it is exported again, beside others", () => {
    const [path, other] = [makeRun(folder, "again", { steps: 2 }), makeRun(folder, "other", { steps: 2 })];
    const root = join(folder, "twice");
    const first = exportToFolder(mlflowRun(readTrainingRun(path, "train")), root);
    const beside = exportToFolder(mlflowRun(readTrainingRun(other, "train")), root);
    writeFileSync(join(path, "metrics.jsonl"), [0, 1, 2].map((step) => line(metricsRow(step))).join(""));
    mkdirSync(join(path, "model"));
    const second = exportToFolder(mlflowRun(readTrainingRun(path, "train")), root);
    assert.equal(second.folder, first.folder);
    assert.equal(historyOf(readFileSync(join(second.folder, "metrics", "reward"), "utf8")).length, 3);
    assert.equal(parse(readFileSync(join(second.folder, "meta.yaml"), "utf8")).status, 3);
    const inside = readdirSync(join(root, first.experimentId)).sort();
    assert.deepEqual(inside, [first.runId, beside.runId, "meta.yaml"].sort());
  });

  test("names that lead elsewhere are left out, those that MLflow does not take are made legal", () => {
    const path = makeRun(folder, "hostile", { steps: 1 });
    const row = { step: 0, "../../escape": 1, "/etc/x": 2, "a//b": 3, "odd:name": 4, kl: 5, "kl/video": 6, text: "no" };
    writeFileSync(join(path, "metrics.jsonl"), line(row));
    const root = join(folder, "safe");
    const { folder: made } = exportToFolder(mlflowRun(readTrainingRun(path, "train")), root);
    assert.deepEqual([...filesBelow(join(made, "metrics")).keys()].sort(), ["kl", "kl.video", "odd_name"]);
    assert.ok(!existsSync(join(root, "escape")) && !existsSync(join(made, "escape")));
  });

  test("an address is told from a folder", () => {
    for (const target of [
      "http://a:5000",
      "https://a/b",
      "sqlite:///x.db",
      "file:///x",
      "localhost:5000",
      "10.0.0.1:80/",
    ])
      assert.ok(looksLikeAddress(target), target);
    for (const target of ["mlruns", "./a:5/b", "/tmp/x", "C:\\runs", "a b:c"])
      assert.ok(!looksLikeAddress(target), target);
  });

  test("by the command line; what is no training run is refused", () => {
    makeRun(folder, "told", { steps: 3 });
    const { status, stdout, stderr } = oppoIn(folder, "report", "told", "--mlflow", "store", "--json");
    assert.equal(status, 0, stderr);
    const told = JSON.parse(stdout);
    assert.ok(existsSync(join(folder, told.folder, "meta.yaml")));
    assert.match(oppoIn(folder, "report", "store", "--mlflow", "store").stderr, /\[ERR_EXPORT_RUN\]/);
    writeFileSync(join(folder, "file"), "");
    assert.match(oppoIn(folder, "report", "told", "--mlflow", "file").stderr, /\[ERR_EXPORT_FOLDER\]/);
  });
});
