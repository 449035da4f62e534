// The thinker side by side with transformers on the golden checkpoint: a forward pass over prompts with video and sound, and
// batched generation. Our addon is built against the very libtorch of that Python first. Rounds alternate, so that a busy
// machine slows both. Without a Python with transformers our own times only.
// Usage: npm run bench:model -- [--python PATH] [--rounds 5] [--threads 1] [--prompts 8] [--tokens 256] [--json]
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { readOptions } from "./support/options.ts";
import { type FoundPython, findTransformers, PythonPeer } from "./support/python-peer.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const forwardTarget = 1;
const generationTarget = 3;
const samplesPerPrompt = 4;

interface Timed {
  readonly ms: number;
  /** Of the process: what a busy machine does not stretch. */
  readonly cpuMs: number;
  readonly ids?: readonly (readonly number[])[];
  readonly value?: number;
}

interface Result {
  readonly name: string;
  readonly oursMs: number;
  readonly peerMs: number | null;
  /** Median over the rounds: our time over theirs, or our tokens per second over theirs. */
  readonly ratio: number | null;
  /** The same of processor time. */
  readonly cpuRatio: number | null;
  readonly target: string;
  readonly isMet: boolean | null;
  readonly numTokens: number;
  readonly note: string;
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;

/** The golden checkpoint: the shared one, or the copy in the repository, which is the same. */
function checkpoint(): string {
  const shared = join(process.env.OPPO_SHARED ?? join(root, "../shared"), "golden/qwen-omni/omni");
  return existsSync(shared) ? shared : join(root, "test/golden/qwen-omni/omni");
}

/** An addon on the libtorch of that Python; the usual one where it cannot be built. */
function matchAddon({ libtorch, torch }: FoundPython): string | null {
  const folder = join(root, "build", `native-torch-${torch.replaceAll(/[^\w.]/g, "-")}`);
  const env = { ...process.env, LIBTORCH: libtorch, OPPO_NATIVE_DIR: folder };
  const { status } = spawnSync(process.execPath, [join(root, "scripts/build-native.mjs")], {
    env,
    stdio: ["ignore", 2, 2],
  });
  return status === 0 ? join(folder, "oppo_native.node") : null;
}

async function main(): Promise<void> {
  const values = readOptions(
    "bench:model",
    "The thinker beside transformers on the golden checkpoint: a forward pass, and batched generation.",
    {
      python: { help: "the Python to measure beside", value: "path" },
      rounds: { help: "measurements; they alternate with those of the peer", value: "count", default: "5" },
      threads: { help: "threads of the work", value: "count", default: "1" },
      prompts: { help: "prompts of a batch", value: "count", default: "8" },
      tokens: { help: "tokens that are generated", value: "count", default: "256" },
      attention: { help: "of transformers: sdpa or eager", value: "name", default: "sdpa" },
    },
  );
  const [rounds, threads, prompts, tokens] = [values.rounds, values.threads, values.prompts, values.tokens].map(
    Number,
  ) as [number, number, number, number];
  const found = findTransformers(values.python);
  const python = "tried" in found ? null : found;
  const addon = process.env.OPPO_NATIVE === undefined && python ? matchAddon(python) : null;
  if (addon !== null) process.env.OPPO_NATIVE = addon;
  const { ModelWork } = await import("./support/model-work.ts");
  const folder = mkdtempSync(join(tmpdir(), "oppo-bench-"));
  const directory = resolve(checkpoint());
  const work = new ModelWork(directory, prompts, threads);
  const inputs = work.writeInputs(folder);
  const args = [directory, inputs, String(threads), values.attention];
  const env = { OMP_NUM_THREADS: String(threads), OMP_WAIT_POLICY: "passive" };
  const peer = python ? new PythonPeer(python.python, join(root, "speed/peers/model.py"), args, env) : null;
  const versions = peer ? await peer.read<{ torch: string; transformers: string }>() : null;
  const against = versions
    ? `transformers ${versions.transformers} (${values.attention}) on torch ${versions.torch}`
    : `no Python with transformers (tried ${"tried" in found ? found.tried.join(", ") : ""}): our own times only`;
  if (!values.json)
    console.log(
      `libtorch ${work.version}, ${threads} thread(s), ${prompts} prompts with video and sound; peer: ${against}`,
    );
  const results: Result[] = [];
  try {
    const forward = { do: "forward" };
    results.push(await compare("forward", 3 * rounds, () => ({ value: work.forward() }), peer, forward, 0));
    for (const samples of [1, samplesPerPrompt]) {
      const name = samples === 1 ? "generate, greedy" : `generate, ${samples} samples per prompt`;
      const run = () => ({ ids: work.generate(tokens, samples) });
      results.push(
        await compare(name, rounds, run, peer, { do: "generate", tokens, samples }, prompts * samples * tokens),
      );
    }
  } finally {
    peer?.close();
    rmSync(folder, { recursive: true });
  }
  if (values.json)
    console.log(JSON.stringify({ libtorch: work.version, threads, prompts, peer: versions, results }, null, 2));
  else for (const result of results) console.log(line(result));
  if (results.some(({ isMet }) => isMet === false)) process.exitCode = 1;
}

async function compare(
  name: string,
  rounds: number,
  run: () => Omit<Timed, "ms" | "cpuMs">,
  peer: PythonPeer | null,
  request: object,
  numTokens: number,
): Promise<Result> {
  const ours: Timed[] = [];
  const theirs: Timed[] = [];
  for (let round = -1; round < rounds; round++) {
    const first = round % 2 === 0 && peer ? await peer.ask<Timed>(request) : null;
    const cpu = process.cpuUsage();
    const start = performance.now();
    const result = run();
    const ms = performance.now() - start;
    const { user, system } = process.cpuUsage(cpu);
    const own = { ...result, ms, cpuMs: (user + system) / 1000 };
    const other = first ?? (await peer?.ask<Timed>(request)) ?? null;
    if (round < 0) continue; // warm-up
    ours.push(own);
    if (other) theirs.push(other);
  }
  const oursMs = median(ours.map(({ ms }) => ms));
  const isForward = numTokens === 0;
  const target = isForward
    ? `at most ${forwardTarget} of its time`
    : `at least ${generationTarget} times its tokens per second`;
  if (theirs.length === 0)
    return { name, oursMs, peerMs: null, ratio: null, cpuRatio: null, target, isMet: null, numTokens, note: "" };
  const ratioOf = (pick: (timed: Timed) => number) =>
    median(ours.map((own, i) => (isForward ? pick(own) / pick(theirs[i]!) : pick(theirs[i]!) / pick(own))));
  const ratio = ratioOf(({ ms }) => ms);
  const cpuRatio = ratioOf(({ cpuMs }) => cpuMs);
  const isMet = isForward ? ratio <= forwardTarget : ratio >= generationTarget;
  const peerMs = median(theirs.map(({ ms }) => ms));
  return { name, oursMs, peerMs, ratio, cpuRatio, target, isMet, numTokens, note: agreement(ours[0]!, theirs[0]!) };
}

/** That both computed the same: the sums of the last logits, or greedy tokens. */
function agreement(ours: Timed, theirs: Timed): string {
  if (ours.value !== undefined && theirs.value !== undefined) {
    return `sums differ by ${Math.abs(ours.value / theirs.value - 1).toExponential(1)}`;
  }
  const all = ours.ids!.flat();
  const other = theirs.ids!.flat();
  return `${all.length} and ${other.length} tokens, ${all.filter((id, i) => id === other[i]).length} the same`;
}

function line({ name, oursMs, peerMs, ratio, cpuRatio, target, isMet, numTokens, note }: Result): string {
  const rate = (ms: number) => (numTokens > 0 ? ` (${Math.round((numTokens / ms) * 1000)} tokens/s)` : "");
  const own = `${name}: TypeScript ${oursMs.toFixed(1)} ms${rate(oursMs)}`;
  if (peerMs === null || ratio === null || cpuRatio === null) return own;
  const verdict = `${ratio.toFixed(2)} (${target}: ${isMet ? "met" : "MISSED"}; of processor time ${cpuRatio.toFixed(2)})`;
  return `${own}, Python ${peerMs.toFixed(1)} ms${rate(peerMs)}: ${verdict}; ${note}`;
}

await main();
