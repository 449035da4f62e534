// A run put onto a server that checks what MLflow checks: everything arrives, in requests that MLflow takes; exported again it takes its own
// place without a moment in which it is not there; a server that does less than MLflow loses nobody's runs.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { promisify } from "node:util";
import { type MlflowRun, mlflowRun } from "../../../../src/recipes/report/mlflow/mlflow-run.ts";
import { openMlflowServer } from "../../../../src/recipes/report/mlflow/rest.ts";
import { exportToServer } from "../../../../src/recipes/report/mlflow/server.ts";
import { readTrainingRun } from "../../../../src/recipes/report/training-run.ts";
import { type MockMlflow, startMockMlflow } from "../../../support/mock-mlflow.ts";
import { repositoryRoot } from "../../../support/repository.ts";
import { line, makeRun, metricsRow } from "../../../support/studio-runs.ts";

const folder = mkdtempSync(join(tmpdir(), "oppo-mlflow-server-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const read = (path: string): MlflowRun => mlflowRun(readTrainingRun(path, "train"));
const send = (run: MlflowRun, { address }: MockMlflow) =>
  exportToServer(run, openMlflowServer({ address: `${address}/`, environment: {}, retryMilliseconds: 1 }));

describe("a run on MLflow's server", () => {
  test("has its numbers, settings and facts, sent in requests that MLflow takes", async (t) => {
    const mock = await startMockMlflow(t);
    const path = makeRun(folder, "mine", { steps: 400 });
    writeFileSync(join(path, "evaluation.jsonl"), line({ step: 4, recall: 0.25, formatMaskedVideo: null }));
    const many = Array.from({ length: 150 }, (_, n) => `key${n}: "${"\u00e4".repeat(5900)}"\n`);
    writeFileSync(join(path, "config.yaml"), `learningRate: 0.003\nempty: []\n${many.join("")}`);
    const run = read(path);
    const made = await send(run, mock);
    const [there] = mock.shown();
    assert.deepEqual([mock.shown().length, there!.id, there!.name], [1, made.runId, "mine"]);
    assert.equal(mock.experiments.find(({ id }) => id === there!.experiment)!.name, "oppo");
    assert.deepEqual([there!.status, there!.startTime, there!.endTime], ["KILLED", run.startTime, run.endTime]);
    assert.deepEqual(there!.params, run.params);
    assert.deepEqual([there!.params.size, there!.params.get("empty")], [152, ""]);
    assert.deepEqual(there!.metrics, run.metrics);
    assert.equal(there!.metrics.get("rewards/omni/mean")![399]!.value, metricsRow(399)["rewards/omni/mean"]);
    assert.deepEqual([there!.metrics.get("eval/recall")!.length, there!.tags.get("oppo.device")], [1, "cpu"]);
    assert.ok(!there!.metrics.has("eval/formatMaskedVideo"), "null is no number");
    const sizes = mock.requests.filter(({ path: to }) => to === "runs/log-batch").map(({ size }) => size);
    // 150 params of 11,800 bytes take two requests of less than a megabyte; 5,601 numbers take six.
    assert.ok(sizes.length === 9 && Math.max(...sizes) > 800_000 && Math.max(...sizes) < 1_000_000, String(sizes));
    assert.equal(made.page, `${mock.address}/#/experiments/1/runs/${made.runId}`);
  });

  test("takes its own place when it is exported again, and is never missing", async (t) => {
    const place = "oppo.place";
    const seen: number[] = [];
    const onRequest = (_: string, { runs }: MockMlflow) => {
      // Whole: a run that was ended.
      seen.push(
        runs.filter(({ stage, name, status }) => stage === "active" && name === "again" && status !== "RUNNING").length,
      );
    };
    const mock = await startMockMlflow(t, { onRequest });
    const [path, other] = [makeRun(folder, "again", { steps: 2 }), makeRun(folder, "other", { steps: 2 })];
    const first = await send(read(path), mock);
    const beside = await send(read(other), mock);
    seen.length = 0;
    writeFileSync(join(path, "metrics.jsonl"), [0, 1, 2].map((step) => line(metricsRow(step))).join(""));
    mkdirSync(join(path, "model"));
    const second = await send(read(path), mock);
    assert.notEqual(second.runId, first.runId);
    assert.deepEqual([second.numReplaced, second.experimentId], [1, first.experimentId]);
    assert.ok(seen.length > 5 && seen.every((count) => count >= 1), String(seen));
    assert.deepEqual(
      mock
        .shown()
        .map(({ id }) => id)
        .sort(),
      [second.runId, beside.runId].sort(),
    );
    const [kept] = mock.shown().filter(({ id }) => id === second.runId);
    assert.deepEqual([kept!.status, kept!.metrics.get("reward")!.length], ["FINISHED", 3]);
    assert.notEqual(
      kept!.tags.get(place),
      mock
        .shown()
        .find(({ id }) => id === beside.runId)!
        .tags.get(place),
    );
  });

  test("an export that broke off keeps the earlier run; the next one clears what it left", async (t) => {
    let isBroken = false;
    const mock = await startMockMlflow(t, {
      fault: (path) => (isBroken && path === "runs/update" ? { status: 400, body: '{"error_code":"INTERNAL"}' } : null),
    });
    const path = makeRun(folder, "broken", { steps: 2 });
    const first = await send(read(path), mock);
    isBroken = true;
    await assert.rejects(send(read(path), mock), /\[?INTERNAL.*goes when the run is exported again/);
    assert.deepEqual(
      mock.shown().map(({ id, status }) => [id === first.runId, status]),
      [
        [true, "KILLED"],
        [false, "RUNNING"],
      ],
    );
    isBroken = false;
    const third = await send(read(path), mock);
    assert.equal(third.numReplaced, 2);
    assert.deepEqual(
      mock.shown().map(({ id }) => id),
      [third.runId],
    );
  });

  test("a server that does not heed the filter of a search loses nobody's runs", async (t) => {
    const mock = await startMockMlflow(t, { ignoresFilter: true });
    const [path, other] = [makeRun(folder, "mine-alone", { steps: 1 }), makeRun(folder, "theirs", { steps: 1 })];
    const theirs = await send(read(other), mock);
    await send(read(path), mock);
    const again = await send(read(path), mock);
    assert.deepEqual(
      mock
        .shown()
        .map(({ id }) => id)
        .sort(),
      [theirs.runId, again.runId].sort(),
    );
  });

  test("an experiment that somebody else makes meanwhile is taken, one that was deleted is named", async (t) => {
    const onRequest = (path: string, { experiments }: MockMlflow) => {
      if (path === "experiments/create") experiments.push({ id: "77", name: "oppo", stage: "active" });
    };
    const mock = await startMockMlflow(t, { onRequest });
    const path = makeRun(folder, "race", { steps: 1 });
    assert.equal((await send(read(path), mock)).experimentId, "77");
    mock.experiments.at(-1)!.stage = "deleted";
    await assert.rejects(send(read(path), mock), /mlflow experiments restore --experiment-id 77/);
  });

  test("tries again what may pass, without a number twice; a run is begun once", async (t) => {
    const busy = { status: 503, body: "busy", headers: { "retry-after": "0" } };
    const mock = await startMockMlflow(t, {
      fault: (path, n) => (path === "runs/create" || n > 0 ? null : path === "runs/log-batch" ? "cut" : busy),
    });
    const run = read(makeRun(folder, "patient", { steps: 3 }));
    await send(run, mock);
    assert.deepEqual(mock.shown()[0]!.metrics, run.metrics);
    const refused = await startMockMlflow(t, { fault: (path) => (path === "runs/create" ? busy : null) });
    await assert.rejects(send(run, refused), /\/prefix: expected an answer to runs\/create, got status 503: busy\. /);
    assert.equal(refused.requests.filter(({ path }) => path === "runs/create").length, 1);
  });

  test("by the command line, with the name and password that MLflow reads", async (t) => {
    const authorization = `Basic ${Buffer.from("me:secret-word").toString("base64")}`;
    const mock = await startMockMlflow(t, { authorization });
    makeRun(folder, "told", { steps: 3 });
    const oppo = async (env: Record<string, string>, ...args: string[]) => {
      const main = join(repositoryRoot, "build/js/src/cli/main.js");
      const options = { cwd: folder, env: { ...process.env, ...env } };
      return await promisify(execFile)(process.execPath, [main, "report", "told", "--mlflow", ...args], options).catch(
        (error: { stdout: string; stderr: string }) => error,
      );
    };
    const login = { MLFLOW_TRACKING_USERNAME: "me", MLFLOW_TRACKING_PASSWORD: "secret-word" };
    const { stdout, stderr } = await oppo({ ...login, MLFLOW_TRACKING_TOKEN: "unused" }, mock.address, "--json");
    assert.equal(stderr, "");
    const told = JSON.parse(stdout);
    assert.deepEqual([told.runId, told.numReplaced], [mock.shown()[0]!.id, 0]);
    assert.match((await oppo(login, mock.address)).stdout, /#\/experiments\/1\/runs\/0{31}2/);
    const strange = await oppo({}, mock.address);
    assert.match(strange.stderr, /status 401.*Set MLFLOW_TRACKING_USERNAME.*\[ERR_EXPORT_SERVER\]/s);
    assert.match((await oppo({}, "sqlite:///x.db")).stderr, /got one of sqlite:.*\[ERR_EXPORT_ADDRESS\]/s);
  });
});
