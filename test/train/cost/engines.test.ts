// What goes to engines, and how long they take, by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readModelShape } from "../../../src/models/read-model-shape.ts";
import { resolveConfig } from "../../../src/run/config.ts";
import { trainSchema } from "../../../src/train/config.ts";
import { engineBytes, engineParts, engineTraffic, rankTraffic } from "../../../src/train/cost/engines.ts";
import { gpus } from "../../../src/train/cost/gpus.ts";
import { grpoTask } from "../../../src/train/memory/config-task.ts";
import { presets } from "../../../src/train/presets.ts";

const shape = await readModelShape("Qwen/Qwen2.5-Omni-7B");
const media = { frames: 16, height: 364, width: 364, audioSeconds: 8 };
const task = (trainable: "lora" | "full", ranks: number) =>
  grpoTask(shape, resolveConfig(trainSchema, { preset: { ...presets["oppo-paper-7b"].config, trainable } }), media, {
    kind: "cuda",
    fusesAttention: true,
    gpus: ranks,
  });

test("frames as they are and sound of 16 bits, once per prompt; weights once", () => {
  const [weights, clips] = engineTraffic(task("full", 8));
  assert.equal(clips!.bytes, 8 * (16 * 364 * 364 * 3 + 8 * 16_000 * 2));
  assert.ok(Math.abs(weights!.bytes / (8.93e9 * 2) - 1) < 0.01);
  assert.ok(engineTraffic(task("lora", 8))[0]!.bytes < weights!.bytes / 10);
});

test("a rank of one sends nothing; of many, twice its gradients less its own part", () => {
  assert.deepEqual(rankTraffic(task("lora", 1)), []);
  const [two] = rankTraffic(task("lora", 2));
  const [four] = rankTraffic(task("lora", 4));
  assert.ok(Math.abs(four!.bytes / two!.bytes - 1.5) < 1e-9);
});

test("more engines sample faster, each with weights and fewer caches", () => {
  const seconds = (engines: number) =>
    engineParts(task("full", 8), gpus.h100!, { engines, networkGigabytesPerSecond: 50 }).find(
      ({ name }) => name === "sampling on engines",
    )!.seconds;
  assert.ok(seconds(1) > seconds(8));
  const weights = 8.93e9 * 2;
  assert.ok(engineBytes(task("full", 8), 1) > engineBytes(task("full", 8), 8));
  assert.ok(engineBytes(task("full", 8), 8) > weights);
});
