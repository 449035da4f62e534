// Both servers under many clients, some of them hostile: bodies that are nothing, connections that end in the middle, readers
// that are slow, a worker that is killed. Every good request must get the answer that it got when it was alone; afterwards
// the memory must be within a tenth of what it was once the server was warm.
import { readFileSync } from "node:fs";
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { createRandom, type Random } from "../src/random.ts";
import { deriveSeed } from "../src/seeds.ts";
import { json } from "./mutate.ts";
import { killCommand, type Place, type Started, startCommand } from "./place.ts";

export interface ServerResult {
  readonly server: string;
  readonly requests: number;
  readonly hostile: number;
  /** Answers 5xx while a killed worker was replaced. */
  readonly unavailable: number;
  readonly p50Milliseconds: number;
  readonly p99Milliseconds: number;
  readonly megabytes: { readonly warm: number; readonly after: number };
  readonly failures: readonly string[];
}

export interface ServerOptions {
  readonly seed: number;
  /** Of both together. */
  readonly seconds: number;
  readonly connections: number;
  readonly log: (line: string) => void;
}

interface Kind {
  readonly server: string;
  readonly args: readonly string[];
  readonly path: string;
  readonly bodies: readonly string[];
  /** What of an answer must be the same. */
  readonly core: (answer: string) => string;
  readonly hasWorker: boolean;
}

const warmShare = 0.25;
const mostGrowth = 1.1;
/** Within which a killed worker must be replaced. */
const replacedSeconds = 30;
const hostileShare = 0.05;

export async function runServers(place: Place, options: ServerOptions): Promise<ServerResult[]> {
  const results: ServerResult[] = [];
  const kinds = [rewardKind(place), modelKind(place)];
  for (const kind of kinds) {
    results.push(await soakServer(place, kind, { ...options, seconds: options.seconds / kinds.length }));
    const { requests, hostile, p50Milliseconds, p99Milliseconds, failures } = results.at(-1)!;
    options.log(
      `servers  ${kind.server}: ${requests} requests, ${hostile} hostile, p50 ${p50Milliseconds} ms, p99 ${p99Milliseconds} ms, ${failures.length} failures`,
    );
  }
  return results;
}

function rewardKind({ theatre }: Place): Kind {
  const bodies = theatre.samples.map((sample) => {
    const cues = sample.cues.map(({ text }) => text).join(". ");
    const completion = `<think>${cues}.</think><answer>${sample.labels.join(", ")}</answer>`;
    return JSON.stringify({ items: [{ sample: sample.id, completion }] });
  });
  const args = ["serve", "reward", "--data", theatre.samplesFile, "--port", "0", "--json"];
  return { server: "reward", args, path: "/v1/rewards", bodies, core: (answer) => answer, hasWorker: false };
}

function modelKind({ model }: Place): Kind {
  const bodies = ["angry", "a smile", "why?", "who speaks"].map((content) =>
    JSON.stringify({ messages: [{ role: "user", content }], max_tokens: 6, temperature: 0 }),
  );
  const args = ["serve", "model", model, "--port", "0", "--json"];
  const core = (answer: string) => JSON.stringify(JSON.parse(answer).choices);
  return { server: "model", args, path: "/v1/chat/completions", bodies, core, hasWorker: true };
}

async function soakServer(place: Place, kind: Kind, options: ServerOptions): Promise<ServerResult> {
  const started = startCommand(place.root, kind.args);
  try {
    return await underLoad(kind, await addressOf(started), started.child.pid!, options);
  } finally {
    killCommand(started, true);
    await started.ended;
  }
}

async function addressOf({ child, ended }: Started): Promise<string> {
  const line = new Promise<string>((resolve) => {
    let text = "";
    child.stdout!.on("data", (data) => {
      text += data;
      if (text.includes("\n")) resolve(text);
    });
  });
  const first = await Promise.race([
    line,
    ended.then(({ said }) => Promise.reject(new Error(`the server ended: ${said}`))),
  ]);
  return JSON.parse(first).address as string;
}

async function underLoad(kind: Kind, address: string, pid: number, options: ServerOptions): Promise<ServerResult> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: options.connections });
  const url = `${address}${kind.path}`;
  const expected: string[] = [];
  for (const body of kind.bodies) {
    const { status, text } = await post(url, body, agent);
    if (status !== 200) throw new Error(`${kind.server}: ${status} ${text}`);
    expected.push(kind.core(text));
  }
  const failures: string[] = [];
  const times: number[] = [];
  const count = { hostile: 0, unavailable: 0 };
  const begin = performance.now();
  const end = begin + options.seconds * 1000;
  let [killedAt, warm] = [Number.NEGATIVE_INFINITY, 0];
  const fail = (text: string): void => {
    if (failures.length < 10) failures.push(text);
  };
  const client = async (number: number): Promise<void> => {
    const random = createRandom(deriveSeed(options.seed, "client", kind.server, number));
    while (performance.now() < end && failures.length < 10) {
      const which = random.int(kind.bodies.length);
      if (random.next() < hostileShare) {
        count.hostile++;
        await beHostile(url, kind.bodies[which]!, random);
        continue;
      }
      const start = performance.now();
      const isExcused = () => performance.now() - killedAt < replacedSeconds * 1000;
      try {
        const { status, text } = await post(url, kind.bodies[which]!, agent);
        if (status >= 500 && isExcused()) count.unavailable++;
        else if (status !== 200) fail(`${status} ${text.slice(0, 200)}`);
        else if (kind.core(text) !== expected[which])
          fail(`wrong: ${text.slice(0, 200)} instead of ${expected[which]}`);
        else times.push(performance.now() - start);
      } catch (error) {
        fail(`no answer: ${(error as Error).message}`);
      }
    }
  };
  const moment = async (share: number, act: () => void): Promise<void> => {
    await sleep(options.seconds * 1000 * share);
    act();
  };
  await Promise.all([
    ...Array.from({ length: options.connections }, (_, number) => client(number)),
    moment(warmShare, () => {
      warm = memoryOf(pid);
    }),
    moment(0.5, () => {
      const [worker] = kind.hasWorker ? childrenOf(pid) : [];
      if (worker === undefined) return;
      killedAt = performance.now();
      process.kill(worker, "SIGKILL");
    }),
  ]);
  agent.destroy();
  await sleep(3000);
  const after = memoryOf(pid);
  if (after > mostGrowth * warm) fail(`${after} MB at the end, ${warm} MB when warm`);
  times.sort((a, b) => a - b);
  const quantile = (share: number) => Math.round((times[Math.floor(share * times.length)] ?? Number.NaN) * 10) / 10;
  return {
    ...{ server: kind.server, requests: times.length, ...count },
    ...{ p50Milliseconds: quantile(0.5), p99Milliseconds: quantile(0.99), megabytes: { warm, after }, failures },
  };
}

function post(url: string, body: string | Buffer, agent: http.Agent): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method: "POST", agent, headers: { "content-type": "application/json" } });
    request.setTimeout(60_000, () => request.destroy(new Error("60 s without an answer")));
    request.on("error", reject);
    request.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part) => {
        text += part;
      });
      response.on("end", () => resolve({ status: response.statusCode!, text }));
      response.on("error", reject);
    });
    request.end(body);
  });
}

/** A changed body, half a body, a connection that ends while the answer is due, or a reader that takes its time. */
function beHostile(url: string, body: string, random: Random): Promise<void> {
  const kind = random.int(4);
  return new Promise((resolve) => {
    const data = kind === 0 ? json(Buffer.from(body), random) : Buffer.from(body);
    const request = http.request(url, {
      ...{ method: "POST", agent: false },
      headers: { "content-type": "application/json", "content-length": data.length },
    });
    request.on("error", () => resolve());
    request.on("close", () => resolve());
    request.on("response", (response) => {
      if (kind === 3) {
        response.pause();
        setTimeout(() => response.resume(), 300);
      } else response.resume();
    });
    if (kind === 1) request.write(data.subarray(0, data.length >> 1), () => request.destroy());
    else request.end(data);
    if (kind === 2) setTimeout(() => request.destroy(), random.int(20));
    request.setTimeout(30_000, () => request.destroy());
  });
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text.trim() === "" ? [] : text.trim().split(" ").map(Number);
}

/** Of the process and its children, in MB. */
function memoryOf(pid: number): number {
  const own = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
  return Math.round(childrenOf(pid).reduce((sum, child) => sum + memoryOf(child), own));
}
