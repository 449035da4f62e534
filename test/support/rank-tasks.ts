// What one rank of a test does: `node rank-tasks.js TASK ARGUMENT`. Prints its result as the last line, or fails with the error's code.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { reduceGradients } from "../../src/nn/index.ts";
import { listenForInterrupt } from "../../src/run/interrupt.ts";
import { worldPlace } from "../../src/run/world/address.ts";
import { noGrad, op, openWorld, scope, tensor, type World } from "../../src/tensor/index.ts";
import { checkpointTogether } from "../../src/train/world/checkpoint-together.ts";
import { fittedOf, type RankRun, trainOn } from "./rank-training.ts";
import { type ServedRun, servedRun } from "./served-run.ts";

/** Plain, so that it can be given to a process. */
export interface RankServedRun
  extends Pick<RankRun, "corpus" | "samplesFile">,
    Pick<ServedRun, "directory" | "model" | "addresses" | "overrides" | "steps" | "patienceSeconds" | "streamedFrom"> {
  readonly failAfter?: number;
}

type Task = (world: World, argument: never) => unknown;

const tasks: Readonly<Record<string, Task>> = {
  collectives: async (world) => {
    const { rank, size } = world;
    const whole = op.zeros([2 * size]);
    world.allGather("parts", whole, tensor(Float32Array.of(rank, 10 * rank)));
    const part = op.zeros([2]);
    world.reduceScatter("shards", part, tensor(Float32Array.from({ length: 2 * size }, (_, i) => i * (rank + 1))));
    const summed = tensor(Float32Array.of(rank + 0.5));
    world.allReduce("a tensor", summed);
    return {
      sum: world.sum("sums", [rank, 0.1]),
      max: world.max("maxima", [rank, -rank]),
      gathered: world
        .gather("objects", { rank, ids: Int32Array.from({ length: rank }, (_, i) => i), nan: Number.NaN })
        .map(({ rank: r, ids, nan }) => [r, [...ids], Number.isNaN(nan)]),
      whole: whole.toNumbers(),
      part: part.toNumbers(),
      summed: summed.toNumbers(),
      first: await world.first("one does it", async () => ({ by: rank, list: [1, 2] })),
    };
  },
  gradients: (world) => {
    const { rank } = world;
    const parameters = [[3], [2, 2], [5], [1]].map((shape) => op.zeros(shape));
    for (const [i, parameter] of parameters.entries()) {
      parameter.requiresGrad = true;
      // The third has one on rank 1 alone, the last nowhere.
      if (i < 2 || (i === 2 && rank === 1)) parameter.grad = op.zeros(parameter.shape).add(10 * (i + 1) + rank);
    }
    noGrad(() => reduceGradients(world, parameters));
    return parameters.map(({ grad }) => grad?.toNumbers() ?? null);
  },
  /** Rank 1 writes to a disk that is full. */
  fullDisk: async (world, folder: string) => {
    const write = (directory: string) => writeFileSync(world.rank === 1 ? "/dev/full" : join(directory, "part"), "x");
    await checkpointTogether(world, { folder, step: 3, keepLast: 1, isInParts: true }, write);
  },
  /** Rank 0 has told its last word when the others come to read it. */
  lastWord: async (world, how: "stays" | "goes") => {
    if (world.rank > 0) await new Promise((resolve) => setTimeout(resolve, 1500));
    const word = await world.first("the last word", () => "said");
    if (how === "stays") await world.leave(60);
    return word;
  },
  /** Rank 0 takes longer than a collective may, alive or not, at what the others wait for. */
  longFirst: async (world, how: "works" | "stops") => {
    const body = async () => {
      if (how === "stops") process.kill(process.pid, "SIGSTOP");
      await new Promise((resolve) => setTimeout(resolve, 9000));
      return "done";
    };
    return await world.first("an evaluation", body);
  },
  train: (world, run: RankRun) => trainOn(run, world),
  /** Its completions are servers'; dies of a fault of its own after a step, where it is told to. */
  served: async (world, run: RankServedRun) => {
    using interrupt = listenForInterrupt();
    const onStep = (step: number) => {
      if (step === run.failAfter) throw new Error("killed");
    };
    return await servedRun({ ...run, fitted: await fittedOf(run), world, interrupt, onStep });
  },
  /** Rank 1 does what it is told while the others wait for it. */
  misbehave: async (world, how: "die" | "hang" | "fail") => {
    world.sum("a beginning", [1]);
    if (world.rank === 1) {
      if (how === "die") process.kill(process.pid, "SIGKILL");
      if (how === "hang") await new Promise((resolve) => setTimeout(resolve, 60_000));
      throw new Error("no space left on rank 1's disk");
    }
    world.sum("what comes next", [1]);
    return null;
  },
};

async function main([name, argument]: readonly string[]): Promise<void> {
  const task = tasks[name!];
  if (task === undefined) throw new Error(`no task ${name}`);
  using world = openWorld(worldPlace(process.env)!);
  try {
    const result = await task(world, JSON.parse(argument!) as never);
    scope(() => process.stdout.write(`result ${JSON.stringify(result)}\n`));
  } catch (error) {
    world.fail(error instanceof Error ? error.message : String(error));
    throw error;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main(process.argv.slice(2)).catch((error: Error & { code?: string }) => {
    process.stderr.write(`${error.code ?? "fault"}: ${error.message}\n`);
    process.exit(1);
  });
}
