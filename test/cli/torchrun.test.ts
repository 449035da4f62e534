// torchrun starts `oppo train` as it starts any program: where a Python with torch is at hand (LIBTORCH's, or on the path).
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

function findTorchrun(): string | null {
  const folders = [process.env.LIBTORCH, process.env.VIRTUAL_ENV, "/tmp/tvenv"].flatMap((root) =>
    root === undefined ? [] : [join(root, "bin/torchrun")],
  );
  const onPath = (process.env.PATH ?? "").split(":").map((folder) => join(folder, "torchrun"));
  return [...folders, ...onPath].find((file) => existsSync(file)) ?? null;
}

const torchrun = findTorchrun();

test("torchrun --no-python trains by two processes", { skip: torchrun === null && "no torchrun at hand" }, async () => {
  using theatre = await smallTheatre(4);
  const { directory: model } = await warmModel(theatre, 8);
  const run = join(theatre.root, "run");
  const { status, stderr } = spawnSync(
    torchrun!,
    [
      ...[
        "--no-python",
        "--nnodes",
        "1",
        "--nproc-per-node",
        "2",
        "--rdzv-backend",
        "c10d",
        "--rdzv-endpoint",
        "127.0.0.1:0",
      ],
      ...["--", process.execPath, main, "sft", "--model", model, "--data", theatre.samplesFile, "--run", run],
      ...["--steps", "2", "--samples-per-step", "3", "--checkpoint-every", "1"],
    ],
    { encoding: "utf8", env: { ...process.env, OMP_NUM_THREADS: "1" } },
  );
  assert.equal(status, 0, stderr);
  assert.match(stderr, /2 processes make the steps of one/);
  assert.equal(withoutTimes(run).length, 2);
  assert.ok(existsSync(join(run, "model/config.json")));
});
