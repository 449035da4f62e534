// Two processes whose completions come from servers: rank 0 asks, all learn. The run is that of one process, and of processes that
// sample themselves, also when it is killed and goes on.
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { latestCheckpoint } from "../../../src/run/checkpoint.ts";
import { readStepLog } from "../../../src/run/metrics.ts";
import type { ModelServer } from "../../../src/serve/model/serve-model.ts";
import { startServer, until } from "../../serve/served-model.ts";
import { inChoices } from "../../support/mocked-run.ts";
import { hasProcesses } from "../../support/processes.ts";
import type { RankServedRun } from "../../support/rank-tasks.ts";
import { fittedOf } from "../../support/rank-training.ts";
import { onRanks, startRanks } from "../../support/ranks.ts";
import { servedRun } from "../../support/served-run.ts";
import { type SmallTheatre, smallTheatre } from "../../support/small-theatre.ts";
import { vllmMock } from "../../support/vllm-mock.ts";

type Result = Awaited<ReturnType<typeof servedRun>>;

let theatre: SmallTheatre;
let model: string;
let server: ModelServer;

before(async () => {
  theatre = await smallTheatre(4);
  model = theatre.freshModel(1);
  // Kept beside the clips: processes that begin together only read it.
  await fittedOf({ ...theatre, model });
  server = await startServer(model, { name: "policy", allowWeights: theatre.root, maxAdapters: 8 });
});
after(async () => {
  await server.close();
  theatre[Symbol.dispose]();
});

const plain = ["rolloutCorrection=none"];

function runOf(name: string, more: Partial<RankServedRun> = {}): RankServedRun {
  const { corpus, samplesFile, root } = theatre;
  return {
    corpus,
    samplesFile,
    model,
    directory: join(root, name),
    addresses: [server.address],
    overrides: plain,
    ...more,
  };
}

async function byTwo(run: RankServedRun): Promise<Result> {
  const [first, second] = await onRanks<Result>(2, "served", run);
  assert.equal(second!.weights, first!.weights, "both ranks have the same weights");
  return first!;
}

const byOne = async (run: RankServedRun) => await servedRun({ ...run, fitted: await fittedOf(run) });
const stepFiles = (name: string) =>
  readdirSync(join(theatre.root, name, "rollouts")).filter((file) => /^step-/.test(file));

const withoutEngines = (rows: readonly unknown[]) =>
  JSON.parse(
    JSON.stringify(rows, (key, value) => (key === "engine" || key === "tokens" ? undefined : value)),
  ) as unknown;

/** 1e-7, or two roundings of a float32 where a loss is larger. */
const lossTolerance = (loss: number) => Math.max(1e-7, 2 ** -22 * Math.abs(loss));

describe("two processes and a server", { skip: !hasProcesses }, () => {
  test("are two processes that sample, to the bit", async () => {
    const own = await byTwo(runOf("own", { addresses: [] }));
    const served = await byTwo(runOf("served"));
    assert.ok(
      own.metrics.every(({ grad_norm }) => grad_norm! > 0),
      "there is something to learn",
    );
    assert.equal(served.weights, own.weights);
    assert.deepEqual(withoutEngines(served.rows), withoutEngines(own.rows));
  });

  test("make the first step of one process, and ask the server for what one asks", async () => {
    const asked: unknown[] = [];
    for (const take of [byOne, byTwo]) {
      await using mock = await vllmMock(server.address);
      const run = runOf(`mocked-${take.name}`, { addresses: [mock.address], steps: 2 });
      const { metrics, rows } = await take(run);
      const weights = mock.calls.filter((call) => call.includes("lora_adapter"));
      asked.push({ metrics, rows: withoutEngines(rows.slice(0, 3)), weights, numAsked: mock.asked.length });
    }
    type Asked = { metrics: Record<string, number>[]; rows: unknown; weights: unknown; numAsked: number };
    const [one, two] = asked as [Asked, Asked];
    assert.deepEqual([two.weights, two.numAsked], [one.weights, one.numAsked]);
    assert.deepEqual(two.rows, one.rows);
    const [first, shared] = [one.metrics[0]!, two.metrics[0]!];
    assert.ok(Math.abs(shared.loss! - first.loss!) <= lossTolerance(first.loss!), `${first.loss} ${shared.loss}`);
    assert.ok(Math.abs(shared.grad_norm! - first.grad_norm!) <= 1e-6 * first.grad_norm!);
    assert.deepEqual(Object.keys(shared).sort(), Object.keys(first).sort(), "what is counted of servers is there too");
  });

  test("a server that is not ours may differ by its roundings, on every rank", async () => {
    const perturbed = inChoices(({ logprobs }) => {
      for (const one of logprobs!.content!) one.logprob -= 0.01;
    });
    await using mock = await vllmMock(server.address, perturbed);
    const { metrics } = await byTwo(
      runOf("perturbed", { addresses: [mock.address], steps: 1, overrides: ["rollouts=http://x"] }),
    );
    assert.ok(Math.abs(metrics[0]!["sampling/correction/mean"]! - Math.exp(0.01)) < 1e-3);
  });

  test("one step ahead: by weights that are one update older, as one process does", async () => {
    const ahead = { overrides: ["rolloutAhead=1", ...plain, "rollouts=http://x"] };
    const { rows, metrics } = await byTwo(runOf("ahead", ahead));
    const streamed = await byTwo(runOf("ahead-streamed", { ...ahead, streamedFrom: theatre.samplesFile }));
    // Towers take its clips one by one, which rounds otherwise than all at once.
    assert.deepEqual(streamed.rows, rows, "clips that are read step by step, too");
    const versions = (rows as unknown as { step: number; rollouts: { engine: { version: number } }[] }[]).flatMap(
      ({ step, rollouts }) => rollouts.map(({ engine }) => `${step}:${engine.version}`),
    );
    assert.deepEqual([...new Set(versions)], ["0:0", "1:0", "2:1"]);
    assert.deepEqual(
      metrics.map((row) => row["rollout/staleness/max"]),
      [0, 1, 1],
    );
  });
});

describe("two processes that end", { skip: !hasProcesses }, () => {
  test("go on with what is on the disk, without a server; so does one process", async () => {
    const whole = await byTwo(runOf("whole", { steps: 4 }));
    for (const [name, take] of [
      ["stopped", byTwo],
      ["alone", byOne],
    ] as const) {
      // Rank 0 ends in step 3, after its completions came: the newest checkpoint is that of step 2.
      const ends = await startRanks(2, "served", runOf(name, { steps: 4, failAfter: 3 })).ends;
      assert.match(ends[0]!.error, /killed/);
      assert.match(ends[1]!.error, /ERR_RANK_LOST/);
      assert.deepEqual(stepFiles(name), ["step-000002.jsonl", "step-000003.jsonl"]);
      const resumed = await take(runOf(name, { steps: 4, addresses: ["http://127.0.0.1:9"] }));
      assert.deepEqual(
        resumed.metrics.map((row) => row["rollout/replayed"]),
        [0, 0, 3, 3],
      );
      assert.deepEqual(withoutEngines(resumed.rows.slice(0, 9)), withoutEngines(whole.rows.slice(0, 9)));
      if (take === byTwo) assert.deepEqual([resumed.weights, resumed.rows], [whole.weights, whole.rows]);
    }
  });

  test("nobody answers: all end with the reason", async () => {
    const run = runOf("nobody", { addresses: ["http://127.0.0.1:9"], patienceSeconds: 1 });
    const [first, second] = await startRanks(2, "served", run).ends;
    assert.match(first!.error, /ERR_ROLLOUT_SERVER: .*within 1 s, got none/);
    assert.match(second!.error, /ERR_RANK_LOST: .*rank 0: .*within 1 s, got none/);
  });

  test("Ctrl-C on the rank that waits for a server: both stop at that step, with a checkpoint of it", async () => {
    const mortal = await startServer(model, { name: "policy", allowWeights: theatre.root });
    const run = runOf("ctrl-c", {
      addresses: [mortal.address],
      steps: 200,
      overrides: [...plain, "checkpointEvery=100"],
    });
    const { children, ends } = startRanks(2, "served", run);
    const log = join(run.directory, "metrics.jsonl");
    await until("a step", () => existsSync(log) && readStepLog(log).length > 0, 120);
    await mortal.close({ graceSeconds: 0 });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    children[0]!.kill("SIGINT");
    for (const { error, code } of await ends) {
      assert.equal(code, 1);
      assert.match(error, /ERR_INTERRUPTED/);
    }
    assert.ok(latestCheckpoint(join(run.directory, "checkpoints"))!.step >= 1);
  });
});
