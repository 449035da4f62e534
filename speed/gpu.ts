// All that a machine with a GPU can tell of this project, in one run and one JSON: the goldens and a few steps of learning on
// the device, in float32 and bfloat16; of random models of the published sizes prefill, decoding and an OPPO step with an
// adapter at the paper's batch, beside what a large matrix product reaches and what the memory was reckoned to be.
// Usage: npm run gpu -- [--device cuda] [--sizes 3b,7b] [--minutes 8] [--out gpu.json] [--tiny] [--no-tests]
// Packed for a machine without Node (no npm there): bash .gpu/run.sh build/js/speed/gpu.js
import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { hasDevice, torchVersion } from "../src/tensor/index.ts";
import type { GpuResult, GpuTask } from "./support/gpu-child.ts";
import { readOptions } from "./support/options.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Test files of build/js/test that run on any device. */
const testFiles = [
  "models/qwen-omni/golden",
  "models/qwen-omni/thinker",
  "models/qwen-text/golden",
  "models/decoder/sampling",
  "models/lora",
  "rl/gradients",
  "rl/step",
  "train/loss-curve",
];

/** Sec. 4 of the paper: 8 prompts, 4 rollouts each; a clip of eight seconds is 1,552 tokens. */
const paper = {
  ...{ prompts: 8, groupSize: 4, promptTokens: 1600, newTokens: 512, peakSize: 8192 },
  clip: { frames: 16, side: 364, seconds: 8 },
} as const;
const small = {
  ...{ prompts: 2, groupSize: 2, promptTokens: 120, newTokens: 12, peakSize: 256 },
  clip: { frames: 4, side: 112, seconds: 2 },
} as const;

interface Tests {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
  /** What failed, as the test runner says it. */
  readonly failures: string;
}

interface Failure {
  readonly task: GpuTask;
  readonly error: string;
}

function runTests(device: string, files: readonly string[], seconds: number): Tests {
  const start = performance.now();
  const paths = files.map((name) => join(root, `build/js/test/${name}.test.js`)).filter((path) => existsSync(path));
  const env = { ...process.env, OPPO_TEST_DEVICE: device, NODE_TEST_CONTEXT: undefined };
  const args = ["--test", "--test-reporter=tap", "--test-concurrency=1", ...paths];
  const { stdout } = spawnSync(process.execPath, args, {
    env,
    encoding: "utf8",
    timeout: Math.round(seconds * 1000),
    maxBuffer: 1 << 28,
  });
  const count = (name: string) => Number(new RegExp(`^# ${name} (\\d+)`, "m").exec(stdout)?.[1] ?? 0);
  const failures = stdout.split("\n").filter((line) => /^\s*(not ok|error:)/.test(line));
  const taken = (performance.now() - start) / 1000;
  const [passed, failed, skipped] = [count("pass"), count("fail"), count("skipped")];
  return { passed, failed, skipped, seconds: taken, failures: failures.join("\n").slice(0, 20_000) };
}

function runModel(task: GpuTask, seconds: number): GpuResult | Failure {
  const child = fileURLToPath(new URL("./support/gpu-child.js", import.meta.url));
  const args = ["--expose-gc", child, JSON.stringify(task)];
  const { status, stdout, stderr, signal } = spawnSync(process.execPath, args, {
    ...{ encoding: "utf8", timeout: Math.round(seconds * 1000), maxBuffer: 1 << 28 },
  });
  if (status === 0) return JSON.parse(stdout.trim().split("\n").at(-1)!) as GpuResult;
  return { task, error: signal === null ? stderr.slice(-4000) : `ended after ${seconds.toFixed(0)} s` };
}

function describe(result: GpuResult | Failure): string {
  const { size, dtype } = result.task;
  if ("error" in result) return `${size} ${dtype}: ${result.error}`;
  const { prefill, decode, step, memory, peakTeraOperations } = result;
  const rate = ({ tokensPerSecond, shareOfPeak }: GpuResult["prefill"]) =>
    `${tokensPerSecond.toFixed(0)} tokens/s (${(100 * shareOfPeak).toFixed(1)} % of peak)`;
  const bytes = (count: number) => `${(count / 1e9).toFixed(2)} GB`;
  return [
    `${size} ${dtype}: peak ${peakTeraOperations.toFixed(2)} tera-operations/s`,
    `  prefill ${rate(prefill)}, decode ${rate(decode)}`,
    `  OPPO step ${step.seconds.toFixed(1)} s: rollouts ${step.rollouts.toFixed(1)}, masks ${step.masks.toFixed(1)}, ` +
      `gradients ${step.gradients.toFixed(1)} (${(100 * step.shareOfPeak).toFixed(1)} % of peak), update ${step.update.toFixed(2)}`,
    `  memory ${bytes(memory.peakBytes)}, reckoned ${bytes(memory.estimatedBytes)} (${memory.largestPhase})`,
  ].join("\n");
}

const options = {
  device: { help: "where it runs", value: "name", default: "cuda" },
  sizes: { help: "models, with commas between", value: "names", default: "3b,7b" },
  minutes: { help: "what is not done by then is left out", value: "count", default: "8" },
  out: { help: "the file that gets everything", value: "file", default: "gpu.json" },
  tiny: { help: "a tiny model at a tiny batch, in float32 and bfloat16: shows that the script works" },
  "no-tests": { help: "the models only" },
} as const;

function main(): void {
  const values = readOptions("gpu", "Goldens, a training step, speed and memory on a device, in one JSON.", options);
  const { device } = values;
  if (!hasDevice(device)) {
    console.error(
      `gpu: expected the device ${device}, got none that libtorch ${torchVersion()} sees. Build the addon against a libtorch with CUDA (LIBTORCH=DIR npm run setup), or try the script with --device cpu --tiny.`,
    );
    process.exitCode = 1;
    return;
  }
  const start = performance.now();
  const left = () => Number(values.minutes) * 60 - (performance.now() - start) / 1000;
  const say = (text: string) => void (values.json || console.log(text));
  const tasks: GpuTask[] = values.tiny
    ? (["float32", "bfloat16"] as const).map((dtype) => ({ size: "tiny", device, dtype, ...small }))
    : values.sizes.split(",").map((size) => ({ size: size as "3b" | "7b", device, dtype: "bfloat16", ...paper }));
  const files = values["no-tests"] ? [] : values.tiny ? testFiles.slice(-1) : testFiles;
  // A third of the time at most: the figures are what only this machine can give.
  const tests = files.length > 0 ? runTests(device, files, left() / 3) : null;
  if (tests) say(`tests: ${tests.passed} passed, ${tests.failed} failed, ${tests.skipped} skipped\n${tests.failures}`);
  const models: (GpuResult | Failure)[] = [];
  for (const task of tasks) {
    models.push(runModel(task, Math.max(1, left())));
    say(describe(models.at(-1)!));
  }
  const seconds = (performance.now() - start) / 1000;
  const report = { libtorch: torchVersion(), node: process.version, device, tests, models, seconds };
  writeFileSync(values.out, `${JSON.stringify(report, null, 2)}\n`);
  if (values.json) console.log(JSON.stringify(report, null, 2));
  const isWhole = (tests === null || (tests.failed === 0 && tests.passed > 0)) && !models.some((one) => "error" in one);
  process.exitCode = isWhole ? 0 : 1;
}

main();
