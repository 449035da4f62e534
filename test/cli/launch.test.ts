// `oppo launch`: a training by two processes ends like one by one, and whatever happens to a rank, all end within seconds with one
// reason and the same command goes on.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { readStepLog } from "../../src/run/metrics.ts";
import { childrenOf, descendants, hasProcesses, isRunning } from "../support/processes.ts";
import { repositoryRoot } from "../support/repository.ts";
import { type SmallTheatre, smallTheatre } from "../support/small-theatre.ts";
import { warmModel } from "../support/theatre-training.ts";
import { withoutTimes } from "../support/training-runs.ts";

const main = join(repositoryRoot, "build/js/src/cli/main.js");
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

let theatre: SmallTheatre;
let model: string;

/** Logs of undisturbed runs by one process and by two. */
let one: Record<string, number>[];
let two: Record<string, number>[];

before(async () => {
  theatre = await smallTheatre(4);
  ({ directory: model } = await warmModel(theatre, 32));
  [one, two] = await Promise.all([finish(trainArgs("one"), "one"), finish(launched(2, trainArgs("two")), "two")]);
});
after(() => theatre[Symbol.dispose]());

interface Started {
  readonly pid: number;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly output: () => string;
  readonly end: Promise<{
    readonly code: number | null;
    readonly out: string;
    readonly error: string;
    readonly at: number;
  }>;
}

function start(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Started {
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [out, error] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    error += text;
  });
  const end = once(child, "close").then(([code]) => ({ code, out, error, at: performance.now() }));
  return { pid: child.pid!, kill: (signal) => void child.kill(signal), output: () => error, end };
}

const trainArgs = (run: string, ...more: readonly string[]) => [
  ...["train", "--preset", "oppo", "--model", model, "--data", theatre.samplesFile, "--run", join(theatre.root, run)],
  ...["--steps", "3", "--prompts-per-step", "2", "--max-new-tokens", "40", "--learning-rate", "1e-5"],
  ...["--warmup-steps", "0", "--learning-rate-floor", "1", "--checkpoint-every", "1", ...more],
];
const launched = (processes: number, args: readonly string[]) => ["launch", "--processes", String(processes), ...args];

/** Runs to the end. @returns the log */
async function finish(args: readonly string[], run: string) {
  const { code, error } = await start(args).end;
  assert.equal(code, 0, error);
  return withoutTimes(join(theatre.root, run));
}

function near(
  one: readonly Record<string, number>[],
  other: readonly Record<string, number>[],
  tolerance: number,
): void {
  assert.equal(other.length, one.length);
  for (const [i, row] of one.entries()) {
    for (const name of ["loss", "reward", "grad_norm"]) {
      assert.ok(
        Math.abs(row[name]! - other[i]![name]!) <= tolerance * Math.max(1, Math.abs(row[name]!)),
        `${i} ${name}`,
      );
    }
  }
}

/** Waits until a run has made so many steps. */
async function stepsMade(run: string, count: number, started: Started): Promise<void> {
  const file = join(theatre.root, run, "metrics.jsonl");
  const until = performance.now() + 120_000;
  while (!existsSync(file) || readFileSync(file, "utf8").split("\n").length <= count) {
    assert.ok(performance.now() < until, started.output());
    await pause(20);
  }
}

describe("oppo launch", { skip: !hasProcesses }, () => {
  test("two processes train like one; a checkpoint of two goes on alone, and the other way round", async () => {
    near(one, two, 1e-3);
    assert.ok(existsSync(join(theatre.root, "two/model/config.json")));
    await finish(launched(2, trainArgs("first-two", "--steps", "1")), "first-two");
    near(one, await finish(trainArgs("first-two"), "first-two"), 1e-3);
    await finish(trainArgs("first-one", "--steps", "1"), "first-one");
    const three = start(launched(3, [...trainArgs("first-one"), "--json"]));
    const { code, out, error } = await three.end;
    assert.equal(code, 0, error);
    assert.equal(JSON.parse(out).steps, 3, "rank 0's result alone is on standard output");
    assert.match(error, /\[rank 0\] .*3 processes make the steps of one/);
    near(one, withoutTimes(join(theatre.root, "first-one")), 1e-3);
  });

  test("a rank that is killed: all end within 5 s, its end is the reason, and the relaunch ends as an undisturbed run", async () => {
    for (const [victim, steps] of [
      [1, 1],
      [0, 1],
    ] as const) {
      const run = `killed-${victim}`;
      const started = start(launched(2, trainArgs(run)));
      await stepsMade(run, steps, started);
      const ranks = childrenOf(started.pid);
      const everyone = descendants(started.pid);
      assert.equal(ranks.length, 2);
      const killedAt = performance.now();
      process.kill(ranks[victim]!, "SIGKILL");
      const { code, error, at } = await started.end;
      assert.equal(code, 1, error);
      assert.ok(at - killedAt < 5000, `${at - killedAt} ms`);
      assert.match(error, new RegExp(`oppo: rank ${victim} of 2: .*SIGKILL.*\\[ERR_RANK_FAILED\\]`));
      assert.deepEqual(everyone.filter(isRunning), [], "nobody is left");
      assert.deepEqual(await finish(launched(2, trainArgs(run)), run), two);
    }
  });

  test("Ctrl-C on one rank, or on the launcher: all stop at the same step, and go on to the same end", async () => {
    for (const who of ["rank", "launcher"]) {
      const run = `stopped-${who}`;
      const started = start(launched(2, trainArgs(run)));
      await stepsMade(run, 1, started);
      process.kill(who === "rank" ? childrenOf(started.pid)[1]! : started.pid, "SIGINT");
      const { code, error } = await started.end;
      assert.equal(code, 130, error);
      assert.ok(readStepLog(join(theatre.root, run, "metrics.jsonl")).length < 3, "it was stopped on the way");
      assert.deepEqual(await finish(launched(2, trainArgs(run)), run), two);
    }
  });

  test("a rank that hangs: all end after the limit, with the collective and the rank", async () => {
    const hang = async (victim: number) => {
      const run = `hanging-${victim}`;
      const started = start(launched(2, trainArgs(run, "--steps", "400")), { OPPO_COLLECTIVE_SECONDS: "20" });
      await stepsMade(run, 1, started);
      const everyone = descendants(started.pid);
      process.kill(childrenOf(started.pid)[victim]!, "SIGSTOP");
      const { code, error } = await started.end;
      assert.equal(code, 1, error);
      const other = 1 - victim;
      // Stopped within the collective it has said that it is there.
      assert.match(
        error,
        new RegExp(
          `rank ${other}, in "[^"]+": expected all 2 ranks within 20 s, got none of (?:rank ${victim}|one of them).*ERR_RANK_LATE`,
        ),
      );
      assert.deepEqual(everyone.filter(isRunning), [], "nobody is left");
    };
    // Both wait for most of the time.
    await Promise.all([1, 0].map(hang));
  });

  test("the launcher is killed: no rank trains on", async () => {
    const started = start(launched(2, trainArgs("orphans", "--steps", "400")));
    await stepsMade("orphans", 1, started);
    const everyone = descendants(started.pid);
    started.kill("SIGKILL");
    await started.end;
    for (let i = 0; i < 250 && everyone.some(isRunning); i++) await pause(20);
    assert.deepEqual(everyone.filter(isRunning), []);
  });
});

describe("refused before the first step", { skip: !hasProcesses }, () => {
  const place = (rank: number, port: number) => ({
    ...{ RANK: String(rank), WORLD_SIZE: "2", LOCAL_RANK: String(rank) },
    ...{ MASTER_ADDR: "127.0.0.1", MASTER_PORT: String(port), OPPO_START_SECONDS: "60" },
  });

  test("what a step takes of memory is a rank's, with its part of a sharded optimizer", async () => {
    const told = async (processes: number, ...more: readonly string[]) => {
      const args = [...trainArgs("dry", "--trainable", "full", "--dry-run", ...more), "--json"];
      const { code, out, error } = await start(processes === 1 ? args : launched(processes, args)).end;
      assert.equal(code, 0, error);
      return out;
    };
    const [alone, whole, parted] = [await told(1), await told(2), await told(2, "--shard-optimizer")];
    const moments = (text: string) => {
      const found: number[] = [];
      JSON.parse(text, (_, value: { name?: unknown; bytes?: unknown }) => {
        if (value?.name === "moments") found.push(Number(value.bytes));
        return value;
      });
      return found[0]!;
    };
    assert.equal(moments(whole), moments(alone));
    assert.ok(moments(parted) < 0.6 * moments(alone) && moments(parted) > 0.4 * moments(alone));
    assert.match(parted, /one of 2 processes, which have a part of the optimizer each/);
    assert.equal(existsSync(join(theatre.root, "dry")), false);
  });

  test("another command than one that trains, and wrong variables", async () => {
    const other = await start(launched(2, ["presets"])).end;
    assert.match(other.error, /expected a command that trains \(train, sft\), got presets.*\[ERR_LAUNCH\]/);
    const lone = await start(trainArgs("variables"), { RANK: "0" }).end;
    assert.match(
      lone.error,
      /WORLD_SIZE: expected a whole number from 1 to 4096, got nothing.*\[ERR_WORLD_VARIABLES\]/,
    );
    assert.equal(existsSync(join(theatre.root, "variables")), false);
  });

  test("ranks with other settings, or other data", async () => {
    const copy = join(theatre.corpus, "copy.jsonl");
    writeFileSync(copy, `${readFileSync(theatre.samplesFile, "utf8").trim().split("\n").reverse().join("\n")}\n`);
    for (const [i, [change, reason]] of (
      [
        [["--learning-rate", "1e-4"], /setting learningRate of rank 0, 0.00001, got 0.0001/],
        [["--data", copy], /setting data of rank 0|content of/],
      ] as const
    ).entries()) {
      const port = 23_000 + (process.pid % 4000) + i;
      const ranks = [0, 1].map((rank) => start(trainArgs("differ", ...(rank === 1 ? change : [])), place(rank, port)));
      const ends = await Promise.all(ranks.map(({ end }) => end));
      for (const { code, error } of ends) {
        assert.equal(code, 1);
        assert.match(error, /rank 1: expected the .*\[ERR_RANKS_DIFFER\]/);
      }
      assert.ok(
        ends.some(({ error }) => reason.test(error)),
        ends[0]!.error,
      );
      assert.equal(existsSync(join(theatre.root, "differ")), false);
    }
  });
});
