// Evidence at scale, on one core: cues of 30,000 accounts whose replies are in the cache already, from the file to samples,
// statistics and page; and the routing and R_omni of 10,000 rollouts whose vectors are in memory. Each runs in a process of
// its own, so that memory is its own. Usage: npm run bench:evidence -- [--accounts 30000] [--rollouts 10000] [--json]
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { requestKey } from "../src/endpoint/chat-client.ts";
import { ReplyCache } from "../src/endpoint/reply-cache.ts";
import type { Embedder } from "../src/evidence/cue.ts";
import { EmbedCache } from "../src/evidence/embed-cache.ts";
import { cueRequest } from "../src/evidence/extraction/extract-cues.ts";
import { extractOffline } from "../src/evidence/extraction/extract-offline.ts";
import { type RoutingRequest, routeBatch } from "../src/evidence/route-batch.ts";
import { createRandom, permutation, type Random } from "../src/random.ts";
import { extractEvidence } from "../src/recipes/evidence/extract.ts";
import { omniReward } from "../src/rl/rewards/omni.ts";
import type { RewardContext } from "../src/rl/types.ts";
import { listenForInterrupt } from "../src/run/interrupt.ts";
import { createProgress } from "../src/run/progress.ts";
import { readOptions } from "./support/options.ts";

/** What we promise; seconds are CPU time, which other work on the machine does not stretch. */
const promised = { accounts: { seconds: 60, mebibytes: 1000 }, rollouts: { seconds: 2 } };
const model = "bench";
const seed = 1;
/** A training step as the paper has it, on one machine. */
const step = { samples: 8, group: 4, cues: 30, clauses: 20, dimension: 1024 };
/** Different texts whose vectors are kept; cues and clauses of a sample are drawn from them. */
const numTexts = 20_000;

interface Measured {
  readonly count: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakMebibytes: number;
  /** What came out, so that a run that did nothing shows: cues, or the mean of R_omni. */
  readonly result: number;
}

const subjects = ["the man", "the woman", "the speaker", "the boy in the red coat", "the older person"];
const seen = [
  "eyebrows are tightly furrowed",
  "lips are pressed together",
  "eyes are wide open",
  "head is lowered slightly",
];
const heard = [
  "voice trembles a little",
  "tone is low and hoarse",
  "speaking pace is very fast",
  "sighs are long and deep",
];
const felt = [
  "that they are quite angry",
  "sadness and a certain helplessness",
  "real surprise",
  "a tense, uneasy mood",
];
const asides = ["as the others wait in the doorway", "before the line is finished", "while the camera stays close"];

/** About a thousand characters, as descriptions in MER-Caption+ have. */
function account(index: number, random: Random): string {
  const pick = (list: readonly string[]) => list[random.int(list.length)]!;
  const sentence = () =>
    `In the video, ${pick(subjects)} can be seen, whose ${pick(seen)} ${pick(asides)}. In the audio, the ${pick(heard)}, ` +
    `${pick(asides)}. Taken together with the ${pick(seen)}, this suggests ${pick(felt)}.`;
  return `${Array.from({ length: 4 }, sentence).join(" ")} (clip ${index})`;
}

function makeAccounts(folder: string, count: number): void {
  const random = createRandom(seed);
  const texts = Array.from({ length: count }, (_, index) => account(index, random));
  const rows = texts.map((text, index) => `${JSON.stringify({ id: `clip-${index}`, text })}\n`);
  writeFileSync(join(folder, "accounts.jsonl"), rows.join(""));
  const cache = new ReplyCache(join(folder, "cache"));
  for (const text of texts) {
    const { cues } = extractOffline(text);
    const of = (kind: string) => cues.flatMap((cue) => (cue.kind === kind ? [cue.text] : []));
    const reply = {
      visual_cues: [...of("video"), "a purple hat"],
      audio_cues: of("audio"),
      emotion_cues: of("emotion"),
    };
    const value = { text: JSON.stringify(reply), finish: "stop", promptTokens: 700, completionTokens: 120 };
    cache.put(requestKey(model, cueRequest(text)), value);
  }
  cache.close();
}

async function measureAccounts(folder: string): Promise<Measured> {
  using interrupt = listenForInterrupt();
  const measured = await timed(async () => {
    const { statistics, endpoint } = await extractEvidence({
      source: { file: join(folder, "accounts.jsonl") },
      out: join(folder, "cues.jsonl"),
      // Nobody answers there: every reply must come from the cache.
      endpoint: { url: "http://127.0.0.1:1/v1", model, key: null, cacheFolder: join(folder, "cache"), concurrency: 8 },
      ...{ limit: null, maxSkipped: 0, maxBadRows: 0, numExamples: 40 },
      progress: createProgress({ write: () => true }),
      interrupt,
    });
    if (endpoint!.requests > 0) throw new Error("bench:evidence: a request was made although the cache is warm");
    return { count: statistics.accounts, result: statistics.kinds.video.cues + statistics.kinds.audio.cues };
  });
  return measured;
}

async function measureRollouts(count: number): Promise<Measured> {
  const random = createRandom(seed);
  const texts = Array.from({ length: numTexts }, (_, index) => `phrase number ${index}`);
  const embedder = new EmbedCache(randomVectors(step.dimension));
  await embedder.embed(texts);
  const perStep = step.samples * step.group;
  const steps = Array.from({ length: Math.ceil(count / perStep) }, () => stepOfRollouts(texts, random));
  const reward = omniReward({ similarityThreshold: 0.5 });
  const before = embedder.numEmbedded;
  return await timed(async () => {
    let [sum, done] = [0, 0];
    for (const requests of steps) {
      for (const routing of await routeBatch(requests, embedder)) {
        sum += reward({ routing } as RewardContext);
        done++;
      }
    }
    if (embedder.numEmbedded > before) throw new Error("bench:evidence: a vector was not in memory");
    return { count: done, result: sum / done };
  });
}

/** Samples with different cues; the rollouts of one have its cues and clauses of their own. */
function stepOfRollouts(texts: readonly string[], random: Random): RoutingRequest[] {
  const draw = (count: number) => Array.from({ length: count }, () => texts[random.int(texts.length)]!);
  return Array.from({ length: step.samples }, () => {
    const kinds = ["video", "audio", "emotion"] as const;
    const cues = draw(step.cues).map((text, index) => ({ kind: kinds[index % kinds.length]!, text }));
    return Array.from({ length: step.group }, () => {
      // A few clauses repeat a cue, as good reasonings do, so that the reward is not zero.
      const said = [
        ...draw(step.clauses - 5),
        ...permutation(step.cues, random)
          .slice(0, 5)
          .map((c) => cues[c]!.text),
      ];
      const clauses = said.map((text, k) => {
        const span = { start: k * 10, end: k * 10 + 10 };
        return { text, chars: span, tokens: span };
      });
      return { cues, clauses };
    });
  }).flat();
}

function randomVectors(dimension: number): Embedder {
  const random = createRandom(seed);
  return {
    name: "random",
    dimension,
    embed(texts) {
      const out = new Float32Array(texts.length * dimension);
      for (let row = 0; row < texts.length; row++) {
        const vector = out.subarray(row * dimension, (row + 1) * dimension);
        for (let d = 0; d < dimension; d++) vector[d] = random.next() - 0.5;
        const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
        for (let d = 0; d < dimension; d++) vector[d] = vector[d]! / length;
      }
      return out;
    },
  };
}

async function timed(body: () => Promise<{ count: number; result: number }>): Promise<Measured> {
  const started = process.hrtime.bigint();
  const cpuBefore = process.cpuUsage();
  const { count, result } = await body();
  const cpu = process.cpuUsage(cpuBefore);
  return {
    count,
    seconds: Number(process.hrtime.bigint() - started) / 1e9,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
    peakMebibytes: process.resourceUsage().maxRSS / 1024,
    result,
  };
}

async function main(): Promise<void> {
  const values = readOptions(
    "bench:evidence",
    "Cues of accounts whose replies are in the cache, and routing with R_omni of rollouts whose vectors are in memory.",
    {
      accounts: { help: "written accounts", value: "count", default: "30000" },
      rollouts: { help: "rollouts", value: "count", default: "10000" },
      part: { help: "", value: "name" },
      folder: { help: "", value: "folder", default: "" },
    },
  );
  if (values.part === "make") return makeAccounts(values.folder, Number(values.accounts));
  if (values.part === "accounts") return console.log(JSON.stringify(await measureAccounts(values.folder)));
  if (values.part === "rollouts") return console.log(JSON.stringify(await measureRollouts(Number(values.rollouts))));
  const folder = mkdtempSync(join(tmpdir(), "bench-evidence-"));
  try {
    const child = (part: string) => {
      const given = ["--part", part, "--folder", folder, "--accounts", values.accounts, "--rollouts", values.rollouts];
      const args = [fileURLToPath(import.meta.url), ...given];
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
      if (status !== 0) throw new Error(`bench:evidence: ${part} failed\n${stderr}`);
      return stdout === "" ? null : (JSON.parse(stdout) as Measured);
    };
    child("make");
    const [accounts, rollouts] = [child("accounts")!, child("rollouts")!];
    if (values.json) console.log(JSON.stringify({ promised, accounts, rollouts }, null, 2));
    else report(accounts, rollouts);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function report(accounts: Measured, rollouts: Measured): void {
  const verdict = (value: number, most: number) => `promised ${most}: ${value < most ? "met" : "MISSED"}`;
  const time = ({ cpuSeconds, seconds }: Measured) => `${cpuSeconds.toFixed(2)} s of CPU, ${seconds.toFixed(2)} s wall`;
  console.log(`${accounts.count} accounts with a warm cache: ${accounts.result} video and audio cues`);
  console.log(`  ${time(accounts)} (${verdict(accounts.cpuSeconds, promised.accounts.seconds)})`);
  const peak = accounts.peakMebibytes;
  console.log(`  peak memory ${peak.toFixed(0)} MiB (${verdict(peak, promised.accounts.mebibytes)})`);
  const { cues, clauses, dimension, group } = step;
  console.log(
    `${rollouts.count} rollouts of ${cues} cues and ${clauses} clauses, ${dimension} dimensions, ${group} per sample: ` +
      `mean R_omni ${rollouts.result.toFixed(3)}`,
  );
  console.log(`  ${time(rollouts)} (${verdict(rollouts.cpuSeconds, promised.rollouts.seconds)})`);
}

await main();
