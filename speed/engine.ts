// Engine against eager PyTorch, side by side on the same libtorch: cost per call, training step, decoding with a cache.
// Rounds alternate between the two, so that a busy machine slows both; ratios are TypeScript / Python, lower is better.
// Usage: npm run bench:engine -- [--rounds 15] [--threads 1] [--json]
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { setNumThreads, torchVersion } from "../src/tensor/index.ts";
import { EngineWork } from "./engine-model.ts";
import { readOptions } from "./support/options.ts";

const seed = 1;
const numCalls = 20_000;
const root = fileURLToPath(new URL("../../..", import.meta.url));

interface Case {
  readonly name: "calls" | "train" | "decode";
  readonly title: string;
  /** Ratio that the engine promises to stay under. */
  readonly target: number;
  readonly run: (work: EngineWork) => number | undefined;
  /** What a measurement is divided by for display. */
  readonly units: number;
  readonly unit: string;
}

const cases: readonly Case[] = [
  {
    name: "calls",
    title: "add of two [4] tensors",
    target: 1.0,
    run: (work) => void work.calls(numCalls),
    units: numCalls / 1e6,
    unit: "ns per call",
  },
  { name: "train", title: "training step", target: 1.05, run: (work) => work.train(), units: 1, unit: "ms" },
  { name: "decode", title: "decode 4 x 64 tokens", target: 1.1, run: (work) => work.decode(), units: 1, unit: "ms" },
];

interface Answer {
  readonly ms: number;
  readonly value: number | null;
}

/** A Python whose torch is the very libtorch that the addon was built against, or null. */
function findPython(): string | null {
  const stamp = JSON.parse(readFileSync(join(root, "build/native/build.json"), "utf8")) as { library: string };
  const code = "import importlib.util as u; print(u.find_spec('torch').origin)";
  for (const python of ["python3", "/usr/bin/python3"]) {
    const found = spawnSync(python, ["-c", code], { encoding: "utf8" });
    if (found.status !== 0) continue;
    const library = join(dirname(found.stdout.trim()), "lib/libtorch_cpu.so");
    if (existsSync(library) && realpathSync(library) === realpathSync(stamp.library)) return python;
  }
  return null;
}

class Peer {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(python: string, threads: number) {
    const script = join(root, "speed/peers/engine.py");
    const env = { ...process.env, OMP_WAIT_POLICY: "passive", OPENBLAS_NUM_THREADS: String(threads) };
    const argv = [script, String(threads), String(seed)];
    this.#process = spawn(python, argv, { env, stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface({ input: this.#process.stdout! })[Symbol.asyncIterator]();
  }

  async read<T>(): Promise<T> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("bench:engine: the Python peer ended early.");
    return JSON.parse(value) as T;
  }

  ask(command: string): Promise<Answer> {
    this.#process.stdin!.write(`${command}\n`);
    return this.read<Answer>();
  }

  close(): void {
    this.#process.stdin!.end();
  }
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;

interface Result {
  readonly name: string;
  readonly unit: string;
  readonly target: number;
  readonly typescript: { readonly min: number; readonly median: number };
  readonly python: { readonly min: number; readonly median: number } | null;
  /** TypeScript / Python: median over pairs, and minimum over minimum. */
  readonly ratio: { readonly pairs: number; readonly min: number } | null;
  /** Largest difference of the results (loss, sum of ids) over the rounds. */
  readonly gap: number | null;
}

function timed(run: () => number | undefined): Answer {
  const start = performance.now();
  const value = run() ?? null;
  return { ms: performance.now() - start, value };
}

async function measure(item: Case, work: EngineWork, peer: Peer | null, rounds: number): Promise<Result> {
  const command = item.name === "calls" ? `calls ${numCalls}` : item.name;
  const ours: Answer[] = [];
  const theirs: Answer[] = [];
  for (let round = -1; round < rounds; round++) {
    const first = round % 2 === 0 && peer ? await peer.ask(command) : null;
    const own = timed(() => item.run(work));
    const other = first ?? (await peer?.ask(command)) ?? null;
    if (round < 0) continue; // warm-up
    ours.push(own);
    if (other) theirs.push(other);
  }
  const summary = (answers: readonly Answer[]) => {
    const times = answers.map((answer) => answer.ms / item.units);
    return { min: Math.min(...times), median: median(times) };
  };
  const { title: name, unit, target } = item;
  const typescript = summary(ours);
  if (theirs.length === 0) return { name, unit, target, typescript, python: null, ratio: null, gap: null };
  const python = summary(theirs);
  const pairs = median(ours.map((answer, i) => answer.ms / theirs[i]!.ms));
  const gap = Math.max(...ours.map((answer, i) => Math.abs((answer.value ?? 0) - (theirs[i]!.value ?? 0))));
  return { name, unit, target, typescript, python, ratio: { pairs, min: typescript.min / python.min }, gap };
}

function line({ name, unit, target, typescript, python, ratio, gap }: Result): string {
  const ours = `TypeScript ${typescript.median.toFixed(1)} (min ${typescript.min.toFixed(1)})`;
  if (!python || !ratio) return `${name}: ${ours} ${unit}`;
  const theirs = `Python ${python.median.toFixed(1)} (min ${python.min.toFixed(1)})`;
  const verdict = ratio.pairs <= target ? "met" : "MISSED";
  const ratios = `ratio ${ratio.pairs.toFixed(3)} (of minima ${ratio.min.toFixed(3)}), target ${target} ${verdict}`;
  return `${name}: ${ours}, ${theirs} ${unit}; ${ratios}; results differ by ${gap!.toExponential(1)}`;
}

async function main(): Promise<void> {
  const values = readOptions(
    "bench:engine",
    "The engine beside eager PyTorch on the same libtorch: cost per call, a training step, decoding with a cache.",
    {
      rounds: { help: "measurements; they alternate with those of the peer", value: "count", default: "15" },
      threads: { help: "threads of the work", value: "count", default: "1" },
    },
  );
  const threads = Number(values.threads);
  setNumThreads(threads);
  const python = findPython();
  const work = new EngineWork(seed);
  const peer = python ? new Peer(python, threads) : null;
  const version = peer ? (await peer.read<{ version: string }>()).version : null;
  const against = python ? `${python} with torch ${version}` : "no Python torch on this libtorch: our own times only";
  if (!values.json) console.log(`libtorch ${torchVersion()}, ${threads} thread(s); peer: ${against}`);
  const results: Result[] = [];
  for (const item of cases) {
    const result = await measure(item, work, peer, Number(values.rounds));
    results.push(result);
    if (!values.json) console.log(line(result));
  }
  peer?.close();
  if (values.json) console.log(JSON.stringify({ libtorch: torchVersion(), threads, peer: version, results }, null, 2));
}

await main();
