// Measures GRPO steps in a process of its own and prints one line of JSON. Wall time is what a person waits; CPU time is
// what a busy machine cannot spoil. Steps alternate between the two clocks, so that phases are known by both.
// Usage: node grpo-child.js THREADS STEPS WARMUP
import "./matrix-products.ts"; // before what declares operators

import { pathToFileURL } from "node:url";
import { setNumThreads, torchVersion } from "../../src/tensor/index.ts";
import { GrpoWork, type StepTimes } from "./grpo-work.ts";
import { hearProducts } from "./matrix-products.ts";
import { operationsOf, replayProducts } from "./replay-products.ts";

export interface Summary {
  readonly median: StepTimes;
  readonly min: StepTimes;
}

export interface ChildReport {
  readonly libtorch: string;
  /** Measured steps of each clock. */
  readonly steps: number;
  readonly wall: Summary;
  readonly cpu: Summary;
  readonly peakMemoryMiB: number;
  readonly loss: number;
  /** The matrix products of one step, made alone between the steps. */
  readonly products: {
    readonly operations: number;
    /** Median seconds of each clock. */
    readonly wall: number;
    readonly cpu: number;
    /** Median product seconds over median step seconds. */
    readonly share: { readonly wall: number; readonly cpu: number };
  };
}

/** No token's log-probability may differ more between sampler and trainer: the two halves compute the same model. */
const samplingTolerance = 1e-3;

const clocks = {
  wall: () => performance.now() / 1000,
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  },
};

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

function summarize(all: readonly StepTimes[]): Summary {
  const each = (pick: (values: number[]) => number): StepTimes => {
    const of = (name: keyof StepTimes) => pick(all.map((times) => times[name]).sort((a, b) => a - b));
    return { rollout: of("rollout"), scoring: of("scoring"), update: of("update"), total: of("total") };
  };
  return { median: each((sorted) => sorted[sorted.length >> 1]!), min: each((sorted) => sorted[0]!) };
}

function measure(threads: number, steps: number, warmup: number): ChildReport {
  setNumThreads(threads);
  let clock = clocks.wall;
  using work = new GrpoWork(1, () => clock());
  const taken: { wall: StepTimes[]; cpu: StepTimes[] } = { wall: [], cpu: [] };
  const alone: { wall: number[]; cpu: number[] } = { wall: [], cpu: [] };
  // A step of its own, which is not timed: to listen takes time.
  const products = hearProducts(() => void work.step(0));
  let loss = 0;
  for (let step = 1; step <= warmup + 2 * steps; step++) {
    const name = step % 2 === 0 ? "wall" : "cpu";
    clock = clocks[name];
    const result = work.step(step);
    if (!(result.samplingDifference < samplingTolerance)) {
      throw new Error(`bench:grpo: sampler and trainer differ by ${result.samplingDifference}`);
    }
    loss = result.loss;
    if (step <= warmup) continue;
    taken[name].push(result.times);
    alone[name].push(replayProducts(products, clock));
  }
  const [wall, cpu] = [summarize(taken.wall), summarize(taken.cpu)];
  const limit = { wall: median(alone.wall), cpu: median(alone.cpu) };
  const share = { wall: limit.wall / wall.median.total, cpu: limit.cpu / cpu.median.total };
  const peakMemoryMiB = process.resourceUsage().maxRSS / 1024;
  return {
    libtorch: torchVersion(),
    steps,
    wall,
    cpu,
    peakMemoryMiB,
    loss,
    products: { operations: operationsOf(products), ...limit, share },
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [threads, steps, warmup] = process.argv.slice(2).map(Number);
  console.log(JSON.stringify(measure(threads!, steps!, warmup!)));
}
