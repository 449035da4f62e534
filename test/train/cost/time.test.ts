// Operations, time and the search against figures that were derived apart, by hand or in a study of the same step.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readModelShape } from "../../../src/models/read-model-shape.ts";
import { resolveConfig } from "../../../src/run/config.ts";
import { trainSchema } from "../../../src/train/config.ts";
import { decoderFlops, headFlops, towerFlops } from "../../../src/train/cost/flops.ts";
import { gpuNamed, gpus } from "../../../src/train/cost/gpus.ts";
import { searchPlans, usableBytes } from "../../../src/train/cost/search.ts";
import { estimateTime } from "../../../src/train/cost/time.ts";
import { grpoTask } from "../../../src/train/memory/config-task.ts";
import { presets } from "../../../src/train/presets.ts";

const shape = await readModelShape("Qwen/Qwen2.5-Omni-7B");
const media = { frames: 16, height: 364, width: 364, audioSeconds: 8 };
const place = { kind: "cuda", fusesAttention: true, gpus: 1 } as const;
const paper = (change: object) =>
  grpoTask(
    shape,
    resolveConfig(trainSchema, { preset: { ...presets["oppo-paper-7b"].config, ...change } }),
    media,
    place,
  );

test("a row of the 7B decoder costs two operations per weight of its projections", () => {
  const [d, f, kv, layers] = [3584, 18944, 512, 28];
  const weights = layers * (2 * d * d + 2 * d * kv + 3 * d * f);
  const one = decoderFlops(shape, { prompts: 1, prefix: 1, group: 0, tokens: 0 });
  assert.equal(one, 2 * weights + 4 * layers * d * 0.5);
  assert.equal(headFlops(shape, 3), 3 * 2 * 152064 * d);
});

test("a clip's towers are about 8 TFLOP", () => {
  const teraflops = towerFlops(shape, media) / 1e12;
  assert.ok(teraflops > 5 && teraflops < 10, teraflops.toFixed(2));
  assert.equal(towerFlops(shape, null), 0);
});

test("the paper's batch is 3.4 PFLOP of policy with an adapter, and 1.1 of reference on all three inputs", () => {
  const task = paper({
    trainable: "lora",
    recompute: "on",
    perception: { views: "oppo", viewDraw: "all", anchorWeight: 0.2, anchorTo: "reference" },
  });
  const { parts } = estimateTime(task, gpus.h100!);
  const peta = (names: readonly string[]) =>
    parts.reduce((sum, { name, flops }) => sum + (names.includes(name) ? flops : 0), 0) / 1e15;
  assert.ok(Math.abs(peta(["forward", "backward"]) / 3.4 - 1) < 0.15, peta(["forward", "backward"]).toFixed(2));
  assert.ok(Math.abs(peta(["reference"]) / 1.1 - 1) < 0.15, peta(["reference"]).toFixed(2));
});

test("a slower memory makes sampling slower, more GPUs make a step faster", () => {
  const task = paper({ trainable: "full", recompute: "on" });
  const seconds = (name: string, key: string) =>
    estimateTime(task, gpus[key]!).parts.find((part) => part.name === name)!.seconds;
  assert.ok(seconds("sampling", "l4") > 2 * seconds("sampling", "rtx-4090"));
  const spread = { ...task, place: { ...place, gpus: 8 } };
  const [one, eight] = [estimateTime(task, gpus.h100!), estimateTime(spread, gpus.h100!)];
  assert.ok(eight.seconds < one.seconds);
  assert.ok(eight.parts.some(({ name }) => name === "exchange of gradients"));
});

test("GPUs by name and by gigabytes", () => {
  assert.equal(gpuNamed("H100"), gpus.h100);
  assert.equal(gpuNamed("24")!.name, "RTX 4090");
  assert.equal(gpuNamed("16")!.gigabytes, 16);
  for (const wrong of ["", "h9", "-4", "NaN"]) assert.equal(gpuNamed(wrong), null, wrong);
});

test("what fits fits, and the study's minimum sizes are met within a tenth", () => {
  const gigabyte = 1024 ** 3;
  const plans = searchPlans(paper({}), gpus.h100!);
  for (const { fits, memory } of plans) assert.equal(fits, memory.peakBytes <= usableBytes(gpus.h100!));
  assert.equal(plans.find(({ fits }) => fits)?.name, "lora, rank 64");
  const eight = searchPlans({ ...paper({}), place: { ...place, gpus: 8 } }, gpus.h100!);
  const full = eight.find(({ name }) => name === "full")!;
  assert.ok(full.fits);
  // 7B full over eight GPUs with ZeRO-2: 56 GB on each.
  assert.ok(Math.abs(full.memory.peakBytes / gigabyte / 56 - 1) < 0.1, (full.memory.peakBytes / gigabyte).toFixed(1));
  const small = searchPlans(paper({}), gpuNamed("24")!);
  assert.ok(small.find(({ fits }) => fits)!.name.startsWith("lora"));
});
