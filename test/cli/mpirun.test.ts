// Open MPI starts `oppo train` as it starts any program: where there is an mpirun on the path.
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

/** An mpirun of Open MPI; another one's variables are others. */
function hasMpirun(): boolean {
  const { status, stdout } = spawnSync("mpirun", ["--version"], { encoding: "utf8" });
  return status === 0 && /Open MPI/.test(stdout);
}

test("mpirun trains by two processes", { skip: !hasMpirun() && "no mpirun of Open MPI at hand" }, async () => {
  using theatre = await smallTheatre(4);
  const { directory: model } = await warmModel(theatre, 8);
  const run = join(theatre.root, "run");
  const { status, stderr } = spawnSync(
    "mpirun",
    [
      ...["--allow-run-as-root", "--oversubscribe", "-n", "2", "-x", "MASTER_PORT"],
      ...[process.execPath, main, "sft", "--model", model, "--data", theatre.samplesFile, "--run", run],
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
