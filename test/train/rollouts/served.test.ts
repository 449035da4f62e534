// Runs whose completions come from our own server: the run of this process to the bit, also when the server is killed on the way
// and when the run itself is, with several servers, one step ahead, and of a whole model.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { FittedSample } from "../../../src/corpus/clips/fitted-samples.ts";
import { loadModel } from "../../../src/models/registry.ts";
import type { RolloutRecord } from "../../../src/rl/record.ts";
import { InterruptedError } from "../../../src/run/interrupt.ts";
import type { ModelServer } from "../../../src/serve/model/serve-model.ts";
import { startServer, until } from "../../serve/served-model.ts";
import { type ServedRun, servedRun } from "../../support/served-run.ts";
import { fitAll, type SmallTheatre, smallTheatre } from "../../support/small-theatre.ts";

let theatre: SmallTheatre;
let fitted: FittedSample[];
let model: string;
let server: ModelServer & { readonly log: string[] };

before(async () => {
  theatre = await smallTheatre(4);
  model = theatre.freshModel(1);
  using fitting = await loadModel(model);
  fitted = await fitAll(theatre, fitting);
  server = await startServer(model, { name: "policy", allowWeights: theatre.root });
});
after(async () => {
  await server.close();
  theatre[Symbol.dispose]();
});

const run = (name: string, more: Partial<ServedRun> = {}) =>
  servedRun({ directory: join(theatre.root, name), model, fitted, ...more });
/** Without the correction a run of servers is the run of this process. */
const plain = ["rolloutCorrection=none"];
/** A server decodes prompts in other batches than this process. */
const logprobTolerance = 5e-6;
const ofServers = (row: Record<string, number>) =>
  Object.keys(row).filter((name) => /^(rollout|sampling)\//.test(name));

function withoutServers(rows: Record<string, number>[]): Record<string, number>[] {
  return rows.map((row) => {
    const rest = { ...row };
    for (const name of ofServers(row)) delete rest[name];
    return rest;
  });
}

type Row = { step: number; sample: string; rollouts: RolloutRecord[] };

function marks(rows: readonly unknown[]): [step: number, version: number | undefined][] {
  return (rows as Row[]).flatMap(({ step, rollouts }) =>
    rollouts.map(({ engine }): [number, number | undefined] => [step, engine?.version]),
  );
}

const unmarked = (rows: readonly unknown[]) =>
  (rows as Row[]).map(({ rollouts, ...row }) => ({ ...row, rollouts: rollouts.map(({ engine: _, ...rest }) => rest) }));

const stepFiles = (name: string) =>
  readdirSync(join(theatre.root, name, "rollouts")).filter((file) => /^step-/.test(file));

describe("rollouts of a served copy", () => {
  test("are those of this process: ids, stop tokens and weights to the bit, log-probabilities but for sums of another batch", async () => {
    const own = await run("own");
    assert.ok(
      own.metrics.every(({ grad_norm }) => grad_norm! > 0),
      "there is something to learn",
    );
    const served = await run("served", { addresses: [server.address], overrides: plain });
    assert.deepEqual(withoutServers(served.metrics), withoutServers(own.metrics));
    for (const row of served.metrics) assert.ok(row["sampling/sampling_logp_difference/max"]! < logprobTolerance);
    assert.deepEqual(unmarked(served.rows), own.rows);
    assert.equal(served.weights, own.weights);
    assert.deepEqual(
      marks(served.rows),
      own.rows.flatMap(({ step }) => [0, 1, 2, 3].map(() => [step, step])),
      "every rollout says of which weights it is",
    );
    for (const [step, row] of served.metrics.entries()) {
      assert.equal(row["rollout/staleness/max"], 0);
      assert.equal(row["rollout/retries"], undefined);
      assert.ok(row["rollout/probe/difference"]! < 1e-4, `${row["rollout/probe/difference"]}`);
      assert.ok(row["rollout/probe/moved"]! > 1e-4 === step > 0, "the weights are seen to move");
    }
  });

  test("are corrected by about 1, per token where nothing is said", async () => {
    const { metrics } = await run("corrected", {
      addresses: [server.address],
      overrides: ["rollouts=http://x"],
      steps: 2,
    });
    for (const row of metrics) {
      for (const name of ["mean", "min", "max"]) {
        assert.ok(
          Math.abs(row[`sampling/correction/${name}`]! - 1) < 1e-4,
          `${name} ${row[`sampling/correction/${name}`]}`,
        );
      }
    }
  });

  test("at another temperature need a server that tells log-probabilities of it", async () => {
    const hot = ["temperature=1.5", ...plain];
    await assert.rejects(run("hot-raw", { addresses: [server.address], overrides: hot }), {
      code: "ERR_ROLLOUT_MODEL",
      message: /--logprobs-mode processed_logprobs/,
    });
    const processed = await startServer(model, { allowWeights: theatre.root, logprobsMode: "processed_logprobs" });
    const own = await run("hot-own", { overrides: ["temperature=1.5"], steps: 2 });
    const served = await run("hot", { addresses: [processed.address], overrides: hot, steps: 2 });
    await processed.close();
    assert.deepEqual(served.weights, own.weights);
  });
});

describe("a run that goes on", () => {
  test("reads what was sampled in place of asking again: nothing lost, nothing twice", async () => {
    const own = await run("whole", { steps: 4 });
    // Killed in step 3, after its completions came: the newest checkpoint is that of step 2.
    const addresses = [server.address];
    await assert.rejects(
      run("stopped", {
        addresses,
        overrides: plain,
        steps: 4,
        onStep: (step) => {
          if (step === 3) throw new Error("killed");
        },
      }),
      /killed/,
    );
    assert.deepEqual(stepFiles("stopped"), ["step-000002.jsonl", "step-000003.jsonl"]);
    const before = stepFiles("stopped").map((file) =>
      readFileSync(join(theatre.root, "stopped", "rollouts", file), "utf8"),
    );
    // Nobody answers any more: what goes on has it all.
    const resumed = await run("stopped", { addresses: ["http://127.0.0.1:9"], overrides: plain, steps: 4 });
    assert.deepEqual(resumed.weights, own.weights);
    assert.deepEqual(unmarked(resumed.rows), own.rows);
    assert.deepEqual(
      resumed.metrics.map((row) => row["rollout/replayed"]),
      [0, 0, 3, 3],
    );
    const after = stepFiles("stopped").map((file) =>
      readFileSync(join(theatre.root, "stopped", "rollouts", file), "utf8"),
    );
    assert.deepEqual(after, before);
  });

  test("asks for what of a step is missing, a line that was cut off included", async () => {
    const own = await run("whole-2", { steps: 2 });
    const addresses = [server.address];
    const stopped = { addresses, overrides: plain, steps: 2 };
    await assert.rejects(
      run("cut", {
        ...stopped,
        onStep: () => {
          throw new Error("killed");
        },
      }),
      /killed/,
    );
    const file = join(theatre.root, "cut", "rollouts", "step-000000.jsonl");
    truncateSync(file, statSync(file).size - 100);
    const resumed = await run("cut", stopped);
    assert.equal(resumed.metrics[0]!["rollout/replayed"], 2);
    assert.deepEqual([resumed.weights, unmarked(resumed.rows)], [own.weights, own.rows]);
  });

  test("a server killed in mid-step: another goes on, or it is taught again when it is back", async () => {
    const own = await run("whole-3");
    const mortal = await startServer(model, { name: "policy", allowWeights: theatre.root });
    const port = Number(new URL(mortal.address).port);
    const notices: string[] = [];
    let back: ModelServer | null = null;
    const served = run("killed", {
      addresses: [mortal.address],
      overrides: plain,
      notices,
      onStep: (step) => {
        if (step === 0) void mortal.close({ graceSeconds: 0 });
      },
    });
    await until("a try that fails", () => notices.length > 0, 60);
    back = await startServer(model, { name: "policy", allowWeights: theatre.root, port });
    const { weights, rows, metrics } = await served;
    await back.close();
    assert.deepEqual([weights, unmarked(rows)], [own.weights, own.rows]);
    assert.ok(metrics.some((row) => row["rollout/retries"]! > 0));
  });

  test("several servers share a step, and one that ends for good is gone on without", async () => {
    const own = await run("whole-4");
    const second = await startServer(model, { name: "policy", allowWeights: theatre.root });
    const served = await run("shared", {
      addresses: [server.address, second.address],
      overrides: plain,
      onStep: (step) => {
        if (step === 1) void second.close({ graceSeconds: 0 });
      },
    });
    assert.deepEqual(
      unmarked(served.rows).map((row) => (row as unknown as Row).sample),
      own.rows.map(({ sample }) => sample),
    );
    const servers = new Set(
      (served.rows as unknown as Row[]).flatMap(({ rollouts }) => rollouts.map(({ engine }) => engine!.server)),
    );
    assert.equal(servers.size, 2, "both answered");
    assert.equal(served.weights, own.weights);
  });

  test("nobody answers: the run stops with the reason, and keeps what it has", async () => {
    await assert.rejects(run("nobody", { addresses: ["http://127.0.0.1:9"], patienceSeconds: 1 }), {
      code: "ERR_ROLLOUT_SERVER",
      message: /within 1 s, got none \(http:\/\/127\.0\.0\.1:9: .*ECONNREFUSED/,
    });
  });

  test("Ctrl-C while completions are waited for: at once, with what was done", async () => {
    const stop = new AbortController();
    const reason = new InterruptedError();
    const served = run("ctrl-c", { addresses: ["http://127.0.0.1:9"], signal: stop.signal });
    setTimeout(() => stop.abort(reason), 500);
    await assert.rejects(served, reason);
  });
});

describe("one step ahead", () => {
  const ahead = ["rolloutAhead=1", ...plain, "rollouts=http://x"];

  test("is one version behind, says so, and goes on to the bit", async () => {
    const whole = await run("ahead", { addresses: [server.address], overrides: ahead, steps: 4 });
    assert.deepEqual(
      [...new Set(marks(whole.rows).map(([step, version]) => `${step}:${version}`))],
      ["0:0", "1:0", "2:1", "3:2"],
    );
    assert.deepEqual(
      whole.metrics.map((row) => [row["rollout/staleness/mean"], row["rollout/staleness/max"]]),
      [
        [0, 0],
        [1, 1],
        [1, 1],
        [1, 1],
      ],
    );
    const inStep = await run("in-step", { addresses: [server.address], overrides: plain, steps: 4 });
    assert.deepEqual(inStep.rows[0], whole.rows[0]);
    assert.notDeepEqual(inStep.weights, whole.weights);
    const stopped = { addresses: [server.address], overrides: ahead, steps: 4 };
    await assert.rejects(
      run("ahead-stopped", {
        ...stopped,
        onStep: (step) => {
          if (step === 2) throw new Error("killed");
        },
      }),
      /killed/,
    );
    // The completions of step 2 are lost; the weights that they were drawn by are not.
    const lost = join(theatre.root, "ahead-stopped", "rollouts", "step-000002.jsonl");
    assert.ok(existsSync(lost));
    rmSync(lost);
    const resumed = await run("ahead-stopped", stopped);
    assert.deepEqual([resumed.weights, resumed.rows], [whole.weights, whole.rows]);
  });
});

describe("a whole model", () => {
  test("is given from the disk, step by step", async () => {
    const decoder = ["trainable=decoder", "learningRate=1e-3"];
    const own = await run("full-own", { overrides: decoder });
    const served = await run("full", { addresses: [server.address], overrides: [...decoder, ...plain] });
    assert.deepEqual([served.weights, unmarked(served.rows)], [own.weights, own.rows]);
    for (const [step, row] of served.metrics.entries()) assert.ok(row["rollout/probe/moved"]! > 1e-4 === step > 0);
    const closed = await startServer(model);
    await assert.rejects(run("full-closed", { addresses: [closed.address], overrides: [...decoder, ...plain] }), {
      code: "ERR_ROLLOUT_WEIGHTS",
      message: /--allow-weights/,
    });
    await closed.close();
  });
});
