// Malformed inputs of every format, in child processes under a watch: no fault of the program, no crash, no input that takes
// longer than 20 s, no process over 2 GB, no file beside the one that was given. What fails is kept, with how to repeat it.
import { fork } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Format, formats } from "./formats.ts";
import type { FuzzTask } from "./fuzz-child.ts";
import { sharing } from "./sharing.ts";

export interface FuzzResult {
  readonly format: string;
  readonly inputs: number;
  /** That were read, not refused. */
  readonly read: number;
  readonly mostMegabytes: number;
  readonly failures: readonly string[];
}

export interface FuzzOptions {
  readonly seed: number;
  /** Of every format. */
  readonly inputs: number;
  /** Of `performance.now()`: shared evenly by the formats. */
  readonly until: number;
  /** Where failing inputs go. */
  readonly keep: string;
  readonly log: (line: string) => void;
  readonly only?: readonly string[];
}

const child = fileURLToPath(new URL("./fuzz-child.js", import.meta.url));
const mostSeconds = 20;
const mostMegabytes = 2000;
const mostFailures = 5;
/** Inputs per process; a process takes half a second to start. */
const portion = 1000;
const lookMilliseconds = 250;

export async function runFuzz(options: FuzzOptions): Promise<FuzzResult[]> {
  const names = Object.keys(formats).filter((name) => options.only === undefined || options.only.includes(name));
  return sharing(names, options.until, async (name, until) => {
    const result = await fuzzFormat(name, options, until);
    const { inputs, read, failures } = result;
    options.log(`fuzz  ${name}: ${inputs} inputs, ${read} read, ${failures.length} failures`);
    return result;
  });
}

async function fuzzFormat(name: string, options: FuzzOptions, until: number): Promise<FuzzResult> {
  const root = mkdtempSync(join(tmpdir(), "oppo-fuzz-"));
  const total = { inputs: 0, read: 0, mostMegabytes: 0, failures: [] as string[] };
  try {
    while (total.inputs < options.inputs && performance.now() < until && total.failures.length < mostFailures) {
      const to = Math.min(options.inputs, total.inputs + portion);
      const task = { format: name, seed: options.seed, from: total.inputs, to, folder: join(root, "inside") };
      const end = await runPortion(root, task, until);
      total.inputs = end.next;
      total.read += end.read;
      total.mostMegabytes = Math.max(total.mostMegabytes, end.megabytes);
      for (const { index, problem } of end.problems)
        total.failures.push(tell(name, options, root, task, index, problem));
    }
    return { format: name, ...total };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

interface PortionEnd {
  readonly next: number;
  readonly read: number;
  readonly megabytes: number;
  readonly problems: readonly { readonly index: number; readonly problem: string }[];
}

async function runPortion(root: string, task: FuzzTask, until: number): Promise<PortionEnd> {
  for (const name of ["inside", "tmp", "home"]) {
    rmSync(join(root, name), { recursive: true, force: true });
    mkdirSync(join(root, name));
  }
  const problems: { index: number; problem: string }[] = [];
  const env = {
    ...process.env,
    TMPDIR: join(root, "tmp"),
    HOME: join(root, "home"),
    OPPO_HOME: join(root, "home/oppo"),
  };
  const started = fork(child, [JSON.stringify(task)], {
    cwd: task.folder,
    env,
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let [megabytes, errors, stopped] = [0, "", ""];
  let isTimeUp = false;
  started.stderr!.on("data", (data) => {
    errors = (errors + data).slice(-600);
  });
  started.on("message", (message: { index: number; problem: string }) => {
    if (problems.length < mostFailures) problems.push(message);
  });
  let [last, since] = [-1, performance.now()];
  const watch = setInterval(() => {
    const { at } = positionIn(root, task.from);
    if (at !== last) [last, since] = [at, performance.now()];
    megabytes = Math.max(megabytes, mostMemoryOf(started.pid!));
    if (performance.now() - since > mostSeconds * 1000) stopped = `took longer than ${mostSeconds} s`;
    else if (megabytes > mostMegabytes) stopped = `took ${megabytes} MB`;
    else isTimeUp = performance.now() > until;
    if (stopped !== "" || isTimeUp) started.kill("SIGKILL");
  }, lookMilliseconds);
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
    started.on("close", (...end) => resolve(end)),
  );
  clearInterval(watch);
  const { at, read } = positionIn(root, task.from);
  const isWhole = code === 0;
  if (stopped !== "") problems.push({ index: at, problem: stopped });
  else if (!isWhole && !isTimeUp) problems.push({ index: at, problem: `ended with ${code ?? signal}: ${errors}` });
  const outside = ["tmp", "home"].flatMap((name) => readdirSync(join(root, name)).map((file) => `${name}/${file}`));
  const beside = readdirSync(root).filter((name) => !/^(inside|tmp|home|at|kept-\d+)$/.test(name));
  for (const file of isWhole ? [...outside, ...beside] : beside) problems.push({ index: at, problem: `left ${file}` });
  return { next: isWhole ? task.to : at + 1, read, megabytes, problems };
}

/** Which input the child is at, and how many before it were read. */
function positionIn(root: string, from: number): { readonly at: number; readonly read: number } {
  const file = join(root, "at");
  const [at, read] = existsSync(file) ? readFileSync(file, "utf8").trim().split(" ").map(Number) : [];
  return { at: at ?? from, read: read ?? 0 };
}

/** The most that a process ever held, as the system counts it; 0 where it does not say. */
function mostMemoryOf(pid: number): number {
  try {
    return Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024);
  } catch {
    return 0;
  }
}

/** Keeps the input. @returns what went wrong and how to see it again */
function tell(
  name: string,
  { seed, keep }: FuzzOptions,
  root: string,
  task: FuzzTask,
  index: number,
  problem: string,
): string {
  mkdirSync(keep, { recursive: true });
  const format = formats[name] as Format;
  const kept = join(keep, `${name.replaceAll(" ", "-")}-${seed}-${index}-${format.file}`);
  const copied = join(root, `kept-${index}`);
  // Where a process ended, its last input lies there still.
  const source = existsSync(copied) ? copied : join(task.folder, format.file);
  if (existsSync(source)) copyFileSync(source, kept);
  const again = JSON.stringify({ format: name, seed, from: index, to: index + 1, folder: "/tmp/again/inside" });
  return `input ${index}: ${problem.split("\n").slice(0, 3).join(" | ")}; again: mkdir -p /tmp/again/inside && node build/js/soak/fuzz-child.js '${again}'`;
}
