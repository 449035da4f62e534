// The reward server's speed: a server process, a client process with 64 connections, rollouts that are all different, so
// that every clause is really embedded, while the cues' vectors are known. One completion per request, the shape that costs
// most, then 16 per request as a trainer sends its groups.
// Usage: npm run bench:reward -- [--seconds 10] [--connections 64] [--json]
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { writeSamples } from "../src/data/jsonl.ts";
import type { Sample } from "../src/data/sample.ts";
import { phraseGroups } from "../src/data/theatre/script.ts";
import { createRandom, type Random } from "../src/random.ts";
import { readOptions } from "./support/options.ts";

/** What we promise, at 64 connections with one completion each. */
const promised = { completionsPerSecond: 1000, p99Milliseconds: 50 };
const numSamples = 500;
const numClauses = 10;
const warmUpSeconds = 3;
const ticksPerSecond = 100;

interface Measured {
  readonly perRequest: number;
  readonly completionsPerSecond: number;
  readonly p50Milliseconds: number;
  readonly p99Milliseconds: number;
  readonly serverCpuMilliseconds: number;
}

const groups = phraseGroups();
const adverbs = ["clearly", "briefly", "slightly", "visibly", "again", "at first", "towards the end", "throughout"];
const things = [
  "window",
  "table",
  "lamp",
  "curtain",
  "doorway",
  "phone",
  "chair",
  "cup",
  "wall",
  "coat",
  "scarf",
  "hat",
];

function pick<T>(items: readonly T[], random: Random): T {
  return items[random.int(items.length)]!;
}

/** Twelve cues of three kinds per sample. */
function makeSamples(random: Random): Sample[] {
  return Array.from({ length: numSamples }, (_, i): Sample => {
    const cues = Array.from({ length: 12 }, () => {
      const { kind, phrases } = pick(groups, random);
      return { kind, text: pick(phrases, random) };
    });
    const labels = ["happy", "relieved"];
    return { id: `s${i}`, media: `${i}.mp4`, subtitle: "", labels, reasoning: "", cues };
  });
}

/** A reasoning of ten clauses that nobody has written before. */
function completion(random: Random): string {
  const clauses = Array.from({ length: numClauses }, () => {
    const { phrases } = pick(groups, random);
    return `the clip shows ${pick(adverbs, random)} ${pick(phrases, random)} by the ${pick(things, random)} ${random.int(1e9)}`;
  });
  return `<think>${clauses.join(". ")}.</think><answer>${pick(["happy", "sad", "joyful, calm", "furious"], random)}</answer>`;
}

function body(perRequest: number, random: Random): string {
  const items = Array.from({ length: perRequest }, () => {
    return { sample: `s${random.int(numSamples)}`, completion: completion(random) };
  });
  return JSON.stringify({ items });
}

function post(url: URL, agent: http.Agent, text: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(text) };
    const request = http.request(url, { method: "POST", agent, headers }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode!));
    });
    request.on("error", reject);
    request.end(text);
  });
}

/** User and system time of a process so far, in seconds. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

async function measure(
  server: ChildProcess,
  address: string,
  perRequest: number,
  connections: number,
  seconds: number,
) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
  const url = new URL("/v1/rewards", address);
  const times: number[] = [];
  const start = performance.now() + 1000 * warmUpSeconds;
  const end = start + 1000 * seconds;
  let cpuAtStart = Number.NaN;
  const client = async (index: number) => {
    const random = createRandom(1000 * perRequest + index);
    for (;;) {
      const text = body(perRequest, random);
      const sent = performance.now();
      if (sent > start && Number.isNaN(cpuAtStart)) cpuAtStart = cpuSeconds(server.pid!);
      if (sent > end) return;
      const status = await post(url, agent, text);
      if (status !== 200) throw new Error(`the server answered with ${status}`);
      if (sent > start) times.push(performance.now() - sent);
    }
  };
  await Promise.all(Array.from({ length: connections }, (_, i) => client(i)));
  const cpu = cpuSeconds(server.pid!) - cpuAtStart;
  agent.destroy();
  times.sort((a, b) => a - b);
  const numScored = times.length * perRequest;
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(share * times.length))]!;
  return {
    perRequest,
    completionsPerSecond: numScored / seconds,
    p50Milliseconds: at(0.5),
    p99Milliseconds: at(0.99),
    serverCpuMilliseconds: (1000 * cpu) / numScored,
  } satisfies Measured;
}

async function startServer(data: string): Promise<{ server: ChildProcess; address: string }> {
  const main = fileURLToPath(new URL("../src/cli/main.js", import.meta.url));
  const args = [
    "serve",
    "reward",
    "--data",
    data,
    "--embedder",
    "theatre",
    "--accuracy",
    "built-in",
    "--port",
    "0",
    "--json",
  ];
  const server = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: server.stdout! })) {
    return { server, address: (JSON.parse(line) as { address: string }).address };
  }
  throw new Error("the server did not start");
}

async function main(): Promise<void> {
  const values = readOptions(
    "bench:reward",
    "The reward server: completions per second and delays, with one and with 16 completions a request.",
    {
      seconds: { help: "of load", value: "count", default: "10" },
      connections: { help: "at once", value: "count", default: "64" },
    },
  );
  const folder = mkdtempSync(join(tmpdir(), "oppo-bench-reward-"));
  const data = join(folder, "samples.jsonl");
  await writeSamples(data, makeSamples(createRandom(1)));
  const { server, address } = await startServer(data);
  try {
    const connections = Number(values.connections);
    const rows: Measured[] = [];
    for (const perRequest of [1, 16]) {
      rows.push(await measure(server, address, perRequest, perRequest === 1 ? connections : 4, Number(values.seconds)));
    }
    if (values.json) console.log(JSON.stringify(rows, null, 2));
    else {
      const [one, many] = rows as [Measured, Measured];
      const row = ({ completionsPerSecond, p50Milliseconds, p99Milliseconds, serverCpuMilliseconds }: Measured) =>
        `${completionsPerSecond.toFixed(0).padStart(6)} completions/s   p50 ${p50Milliseconds.toFixed(1)} ms   p99 ${p99Milliseconds.toFixed(1)} ms   ${serverCpuMilliseconds.toFixed(2)} ms of server CPU each`;
      console.log(`${numClauses} clauses, 12 cues; client and server share this machine's cores`);
      console.log(`${String(connections).padStart(3)} connections,  1 per request: ${row(one)}`);
      console.log(`  4 connections, 16 per request: ${row(many)}`);
      const holds =
        one.completionsPerSecond >= promised.completionsPerSecond && one.p99Milliseconds < promised.p99Milliseconds;
      console.log(
        `promised: ${promised.completionsPerSecond} completions/s, p99 below ${promised.p99Milliseconds} ms: ${holds ? "holds" : "does not hold"}`,
      );
    }
  } finally {
    server.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
