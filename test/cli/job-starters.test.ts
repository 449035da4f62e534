// Open MPI and SLURM start `oppo train` as they start any program: where there is an mpirun on the path, or a cluster that takes jobs.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { repositoryRoot } from "../support/repository.ts";
import { smallTheatre } from "../support/small-theatre.ts";
import { warmModel } from "../support/theatre-training.ts";
import { withoutTimes } from "../support/training-runs.ts";

const main = join(repositoryRoot, "build/js/src/cli/main.js");

interface Starter {
  readonly command: string;
  readonly options: readonly string[];
  /** Asks whether it is at hand. */
  readonly probe: readonly string[];
  readonly answer: RegExp;
}

const starters: readonly Starter[] = [
  {
    command: "mpirun",
    options: ["--allow-run-as-root", "--oversubscribe", "-n", "2", "-x", "MASTER_PORT"],
    probe: ["--version"],
    // Another one's variables are others.
    answer: /Open MPI/,
  },
  {
    command: "srun",
    options: ["--overcommit", "--kill-on-bad-exit=1", "-n", "2"],
    probe: ["--immediate=5", "--overcommit", "-n", "2", "printenv", "SLURM_PROCID"],
    answer: /^[01]\n[01]\n$/,
  },
];

function isAtHand({ command, probe, answer }: Starter): boolean {
  const { status, stdout } = spawnSync(command, probe, { encoding: "utf8", timeout: 20_000 });
  return status === 0 && answer.test(stdout);
}

for (const starter of starters) {
  const { command, options } = starter;
  test(`${command} trains by two processes`, {
    skip: !isAtHand(starter) && `no ${command} at hand that starts`,
  }, async () => {
    using theatre = await smallTheatre(4);
    const { directory: model } = await warmModel(theatre, 8);
    const run = join(theatre.root, "run");
    const { status, stderr } = spawnSync(
      command,
      [
        ...[...options, process.execPath, main, "sft", "--model", model, "--data", theatre.samplesFile, "--run", run],
        ...["--steps", "2", "--samples-per-step", "3", "--checkpoint-every", "1"],
      ],
      {
        encoding: "utf8",
        env: { ...process.env, MASTER_PORT: String(24_000 + (process.pid % 4000)), OMP_NUM_THREADS: "1" },
      },
    );
    assert.equal(status, 0, stderr);
    assert.match(stderr, /2 processes make the steps of one/);
    assert.equal(withoutTimes(run).length, 2);
    assert.ok(existsSync(join(run, "model/config.json")));
  });
}
