// Weak scaling: what two processes do, each with its own prompts, beside what one does with half of them. Both are steps of the cold start
// at a small model's size, so what is measured is the exchange and the waiting, not the media. Rounds alternate: a busy machine slows both.
// Usage: npm run bench:scale -- [--processes 2] [--rounds 5] [--steps 20] [--json]
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { serveStore, torchVersion } from "../src/tensor/index.ts";
import { readOptions } from "./support/options.ts";

const child = fileURLToPath(new URL("./support/scale-child.js", import.meta.url));
const host = "127.0.0.1";

/** Seconds of the slowest rank for so many steps. */
async function secondsOf(processes: number, steps: number, job: string, port: number): Promise<number> {
  const ranks = Array.from({ length: processes }, (_, rank) =>
    fork(child, [String(steps)], {
      env: {
        ...process.env,
        ...{ RANK: String(rank), WORLD_SIZE: String(processes), MASTER_ADDR: host, MASTER_PORT: String(port) },
        ...{ TORCHELASTIC_USE_AGENT_STORE: "True", OPPO_LAUNCHED: "1", TORCHELASTIC_RUN_ID: job },
      },
    }),
  );
  const seconds = await Promise.all(ranks.map(answerOf));
  return Math.max(...seconds);
}

async function answerOf(rank: ChildProcess): Promise<number> {
  let seconds = Number.NaN;
  rank.on("message", (value) => {
    seconds = Number(value);
  });
  const [code] = await once(rank, "close");
  if (code !== 0) throw new Error(`a rank ended with exit code ${code}`);
  return seconds;
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

async function main(): Promise<void> {
  const values = readOptions("bench:scale", "Two processes with their own prompts beside one with half of them.", {
    processes: { help: "how many", value: "count", default: "2" },
    rounds: { help: "rounds, of which the median counts", value: "count", default: "5" },
    steps: { help: "steps of a round", value: "count", default: "20" },
  });
  const [processes, rounds, steps] = [values.processes, values.rounds, values.steps].map(Number) as [
    number,
    number,
    number,
  ];
  const port = serveStore(host, "bench");
  const [one, many]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    one.push(await secondsOf(1, steps, `one-${round}`, port));
    many.push(await secondsOf(processes, steps, `many-${round}`, port));
  }
  const ratio = median(one) / median(many);
  const facts = {
    libtorch: torchVersion(),
    processes,
    steps,
    secondsOne: median(one),
    secondsMany: median(many),
    ratio,
  };
  if (values.json) console.log(JSON.stringify(facts, null, 2));
  else {
    console.log(
      `1 process: ${facts.secondsOne.toFixed(2)} s for ${steps} steps; ${processes}, each with as much to do: ${facts.secondsMany.toFixed(2)} s`,
    );
    console.log(`weak scaling ${ratio.toFixed(2)} of 1`);
  }
}

await main();
