// The run for a machine with a GPU works: on the CPU with a tiny model, and without the packages that its packed form lacks.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { hasDevice } from "../../src/tensor/index.ts";
import { repositoryRoot } from "../support/repository.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const script = join(repositoryRoot, "build/js/speed/gpu.js");

/** Refuses what decodes media and paints: no clip of a file is read there. */
const withoutMedia = `import { register } from "node:module";
register("data:text/javascript," + encodeURIComponent(\`export async function resolve(name, context, next) {
  if (/^(node-av|@napi-rs)/.test(name)) throw new Error("not packed: " + name);
  return next(name, context);
}\`));`;

function run(args: readonly string[]) {
  const hook = `--import=data:text/javascript,${encodeURIComponent(withoutMedia)}`;
  const env = { ...process.env, NODE_OPTIONS: hook, NODE_TEST_CONTEXT: undefined };
  return spawnSync(process.execPath, [script, ...args], { env, encoding: "utf8" });
}

test("goldens, learning, speed and memory of a device come in one file", { timeout: 600_000 }, (t) => {
  const out = join(temporaryFolder(t), "gpu.json");
  const { status, stdout, stderr } = run(["--device", "cpu", "--tiny", "--out", out]);
  assert.equal(status, 0, stdout + stderr);
  const report = JSON.parse(readFileSync(out, "utf8"));
  assert.deepEqual([report.device, report.tests.failed], ["cpu", 0]);
  assert.ok(report.tests.passed > 0);
  assert.deepEqual(
    report.models.map((one: { task: { dtype: string } }) => one.task.dtype),
    ["float32", "bfloat16"],
  );
  for (const { prefill, decode, step, memory, promptTokens, task } of report.models) {
    for (const rate of [prefill, decode]) assert.ok(rate.tokensPerSecond > 0 && rate.shareOfPeak > 0);
    assert.ok(Math.abs(promptTokens - task.promptTokens) <= 2, `${promptTokens}`);
    const parts = step.rollouts + step.masks + step.gradients + step.update;
    assert.ok(Math.abs(step.seconds - parts) < 1e-9 && step.gradients > 0);
    assert.ok(Number.isFinite(step.loss) && step.gradNorm > 0);
    assert.ok(memory.estimatedBytes > memory.standingBytes && memory.standingBytes > 1e6 && memory.peakBytes > 0);
  }
});

test("a device that is not there is said before anything runs", { skip: hasDevice("cuda") }, () => {
  const { status, stderr } = run(["--device", "cuda"]);
  assert.equal(status, 1);
  assert.match(stderr, /expected the device cuda, got none that libtorch .* sees/);
});
