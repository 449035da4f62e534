// One GRPO step: rollout, scoring and update, for one and for two threads, each in a process of its own. The figure to
// beat was recorded with TRL 1.13 on PyTorch 2.13; where a Python with torch, transformers and trl is found, the same
// step runs there too, on this machine, right after ours.
// Usage: npm run bench:grpo -- [--steps 5] [--warmup 2] [--threads 1,2] [--python PATH] [--no-peer] [--json]
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ChildReport, Summary } from "./support/grpo-child.ts";
import { shape } from "./support/grpo-work.ts";
import { readOptions } from "./support/options.ts";

/** Seconds per step of TRL 1.13 on PyTorch 2.13 (transformers 5), measured once on this machine class when it was idle. */
const recorded: Readonly<Record<string, number>> = { 1: 8.4, 2: 5.4 };
/** How much faster we promise to be. */
const promised = 2.5;
/** How near a step comes to the time of its matrix products alone: theirs over ours. */
const promisedShare = 0.9;
const root = fileURLToPath(new URL("../../..", import.meta.url));

interface PeerReport {
  readonly versions: Readonly<Record<string, string>>;
  readonly wall: { readonly median: number; readonly min: number };
  readonly cpu: { readonly median: number; readonly min: number };
}

interface Row {
  readonly threads: string;
  readonly ours: ChildReport;
  readonly recordedTrl: number | null;
  /** Recorded TRL seconds / our median seconds. */
  readonly timesFasterThanRecorded: number | null;
  readonly peer: PeerReport | null;
  /** Median over median, and the least CPU time of each. */
  readonly timesFasterThanPeer: { readonly wall: number; readonly cpu: number } | null;
}

function runChild(threads: string, steps: string, warmup: string): ChildReport {
  const script = join(root, "build/js/speed/support/grpo-child.js");
  return runJson(process.execPath, [script, threads, steps, warmup], {});
}

function runPeer(python: string, threads: string, steps: string, warmup: string): PeerReport {
  const env = { OMP_NUM_THREADS: threads, OMP_WAIT_POLICY: "passive" };
  const script = join(root, "speed/peers/grpo.py");
  return runJson(python, [script, threads, steps, warmup], env);
}

/** The last line of a program's output as JSON. */
function runJson<T>(program: string, argv: readonly string[], env: Readonly<Record<string, string>>): T {
  const result = spawnSync(program, argv, { encoding: "utf8", env: { ...process.env, ...env }, maxBuffer: 1 << 26 });
  if (result.status !== 0) throw new Error(`bench:grpo: ${program} ${argv[0]} failed\n${result.stderr}`);
  return JSON.parse(result.stdout.trim().split("\n").at(-1)!) as T;
}

/** A Python that has what the peer needs, or null. */
function findPython(asked: string | undefined): string | null {
  const code = "import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, ['torch', 'transformers', 'trl'])))";
  const candidates = asked === undefined ? ["python3", "/usr/bin/python3"] : [asked];
  return candidates.find((python) => spawnSync(python, ["-c", code]).status === 0) ?? null;
}

const seconds = (value: number) => value.toFixed(2).padStart(6);

function phases(name: string, { median, min }: Summary): string {
  const { rollout, scoring, update, total } = median;
  return `  ${name}: rollout${seconds(rollout)}  scoring${seconds(scoring)}  update${seconds(update)}  step${seconds(total)} s (min${seconds(min.total)})`;
}

function print({ threads, ours, recordedTrl, timesFasterThanRecorded, peer, timesFasterThanPeer }: Row): void {
  console.log(`${threads} thread(s), libtorch ${ours.libtorch}, median of ${ours.steps} steps`);
  console.log(phases("wall", ours.wall));
  console.log(phases("cpu ", ours.cpu));
  console.log(`  peak memory ${ours.peakMemoryMiB.toFixed(0)} MiB, loss ${ours.loss.toFixed(4)}`);
  const { products } = ours;
  const share = (value: number) => `${(100 * value).toFixed(0)}%`;
  console.log(
    `  matrix products alone, between the steps: ${(products.operations / 1e12).toFixed(3)} TFLOP, wall${seconds(products.wall)}, cpu${seconds(products.cpu)} s; ` +
      `the step is at ${share(products.share.wall)} of that limit, cpu ${share(products.share.cpu)} (promised ${share(promisedShare)}: ${products.share.cpu >= promisedShare ? "met" : "MISSED"})`,
  );
  const verdict = (times: number) => `(promised ${promised}: ${times >= promised ? "met" : "MISSED"})`;
  if (recordedTrl !== null && timesFasterThanRecorded !== null) {
    console.log(
      `  TRL 1.13, recorded on another day: ${recordedTrl} s; we are ${timesFasterThanRecorded.toFixed(2)} times faster` +
        (peer === null ? ` ${verdict(timesFasterThanRecorded)}` : ""),
    );
  }
  if (peer !== null && timesFasterThanPeer !== null) {
    const { trl, torch } = peer.versions;
    console.log(
      `  TRL ${trl} on PyTorch ${torch}, run just now: ${seconds(peer.wall.median)} s wall, ${seconds(peer.cpu.median)} s cpu; ` +
        `we are ${timesFasterThanPeer.wall.toFixed(2)} times faster, cpu ${timesFasterThanPeer.cpu.toFixed(2)} ${verdict(timesFasterThanPeer.wall)}`,
    );
  }
}

function main(): void {
  const values = readOptions(
    "bench:grpo",
    "One GRPO step (rollout, scoring, update), beside TRL where a Python has it.",
    {
      steps: { help: "steps that are measured", value: "count", default: "5" },
      warmup: { help: "steps before them", value: "count", default: "2" },
      threads: { help: "threads, one measurement for each", value: "list", default: "1,2" },
      python: { help: "the Python to measure beside", value: "path" },
      "no-peer": { help: "our own figures only" },
    },
  );
  const { steps, warmup } = values;
  const python = values["no-peer"] ? null : findPython(values.python);
  if (!values.json) {
    console.log(`GRPO step: ${JSON.stringify(shape)}`);
    if (!values["no-peer"] && python === null) {
      console.log("no Python with torch, transformers and trl here: only the recorded figure to compare with");
    }
  }
  const rows = values.threads.split(",").map((threads): Row => {
    const ours = runChild(threads, steps, warmup);
    const peer = python === null ? null : runPeer(python, threads, steps, warmup);
    const recordedTrl = recorded[threads] ?? null;
    const row: Row = {
      threads,
      ours,
      recordedTrl,
      timesFasterThanRecorded: recordedTrl === null ? null : recordedTrl / ours.wall.median.total,
      peer,
      timesFasterThanPeer:
        peer === null
          ? null
          : { wall: peer.wall.median / ours.wall.median.total, cpu: peer.cpu.min / ours.cpu.min.total },
    };
    if (!values.json) print(row);
    return row;
  });
  if (values.json) console.log(JSON.stringify({ shape, rows }, null, 2));
}

main();
