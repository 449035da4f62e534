// The six commands that a kill must not harm, small enough to take a second or two, and what of their output is compared.
// Times (step_time, timing_s/...) differ between any two runs and are left out; the address of a mock server is the same
// for all runs of a job, so every other byte counts.
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { buildTheatreTokenizer } from "../src/data/theatre/tokenizer.ts";
import { initTiny } from "../src/models/qwen-omni/init.ts";
import { demoSchema } from "../src/recipes/demo/config.ts";
import { demoPaths } from "../src/recipes/demo/paths.ts";
import { writeSafetensors } from "../src/tensor/index.ts";
import { cueReply } from "../test/support/cue-model.ts";
import { obliging } from "../test/support/mep-runs.ts";
import { startMockEndpoint } from "../test/support/mock-endpoint.ts";
import { startMockHub } from "../test/support/mock-hub.ts";
import { verySmall } from "../test/support/very-small.ts";
import { type Place, startCommand } from "./place.ts";

export interface KillJob {
  readonly name: string;
  /** Relative to a run's folder, which is where the command runs. */
  readonly args: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
  /** For a child of a pool: what it is given. */
  readonly task?: (folder: string) => unknown;
  /** Puts what the command needs into a new folder. */
  readonly prepare?: (folder: string) => void;
  /** Files that are compared, of all below the run's folder. */
  readonly isCompared: (path: string) => boolean;
}

/** In run.json: somebody may commit while a soak runs. */
const commit = /"gitCommit": [^,]*,/;
const isTimed = /"(step_time|timing_s\/[^"]*)":[^,}]*,?/g;

/** What must be the same: path -> content, logs without their times. */
export function outputsOf(job: KillJob, folder: string): Map<string, string> {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((path) => !path.startsWith("home/") && job.isCompared(path))
    .sort();
  return new Map(
    paths.map((path) => {
      const text = readFileSync(join(folder, path), "latin1");
      return [path, path.endsWith(".jsonl") ? text.replace(isTimed, "") : text.replace(commit, "")];
    }),
  );
}

export async function killJobs(place: Place): Promise<KillJob[]> {
  const { theatre, model } = place;
  const mep = await startMockEndpoint(place, { answer: obliging, models: ["mock"], delayMilliseconds: 5 });
  const cues = await startMockEndpoint(place, {
    answer: (body) => cueReply(body),
    models: ["mock"],
    delayMilliseconds: 20,
  });
  const files = Object.fromEntries(readdirSync(model).map((name) => [name, readFileSync(join(model, name))]));
  const hub = await startMockHub(place, { files });
  const set = join(theatre.root, "set");
  const built = await startCommand(theatre.root, ["mep", "build", "--data", theatre.samplesFile, "--out", set]).ended;
  if (built.code !== 0) throw new Error(`mep build: ${built.said}`);
  const steps = { steps: 6, promptsPerStep: 2, groupSize: 2, maxNewTokens: 6, checkpointEvery: 1 };
  const train = ["train", "--model", model, "--data", theatre.samplesFile, "--run", "run"];
  const plan =
    "splits: { a: { kind: train, numClips: 8 }, b: { kind: conflict, numClips: 4 } }\nformat: { size: 56, preset: ultrafast }\n";
  // A server's replies are kept in the order in which they came.
  const isRunFile = (path: string) => !path.startsWith("out/replies/");
  return [
    {
      name: "train",
      args: [...train, ...Object.entries(steps).flatMap(([key, value]) => ["--set", `${key}=${value}`])],
      isCompared: isRunFile,
    },
    await coldStartJob(place),
    {
      name: "mep run, local",
      args: ["mep", "run", set, "--model", model, "--max-new-tokens", "4", "--max-unreadable", "0", "--out", "out"],
      isCompared: isRunFile,
    },
    {
      name: "mep run, endpoint",
      args: ["mep", "run", set, "--endpoint", `${mep.url}#mock`, "--max-new-tokens", "16", "--out", "out"],
      isCompared: isRunFile,
    },
    {
      name: "evidence extract",
      args: [
        "evidence",
        "extract",
        "--data",
        accountsFile(theatre.root),
        "--endpoint",
        `${cues.url}#mock`,
        "--out",
        "out.jsonl",
      ],
      isCompared: () => true,
    },
    {
      name: "theatre build",
      args: ["theatre", "build", "--out", "corpus", "--config", "plan.yaml", "--workers", "2"],
      prepare: (folder) => writeFileSync(join(folder, "plan.yaml"), plan),
      isCompared: () => true,
    },
    { name: "pull", args: ["pull", "me/model"], environment: { HF_ENDPOINT: hub.url }, isCompared: () => true },
  ];
}

function accountsFile(root: string): string {
  const file = join(root, "accounts.jsonl");
  const text = (i: number) => `His brow is furrowed in scene ${i}. His voice is very loud, and he sounds angry.`;
  writeFileSync(
    file,
    Array.from({ length: 60 }, (_, i) => `${JSON.stringify({ id: `a${i}`, text: text(i) })}\n`).join(""),
  );
  return file;
}

/** The demo's stage as the demo starts it, with a very small model whose towers stay as they are. */
async function coldStartJob({ theatre }: Place): Promise<KillJob> {
  const template = join(theatre.root, "cold-start");
  const paths = demoPaths(template);
  const config = demoSchema.parse({
    shards: 1,
    clips: { sft: 3 },
    sft: { steps: 220, clipsPerStep: 1, warmupSteps: 2 },
  });
  mkdirSync(join(template, "models"), { recursive: true });
  initTiny(paths.fresh, buildTheatreTokenizer(), 1, verySmall);
  for (const modality of ["video", "audio"]) writeSafetensors(paths.tower(modality), new Map());
  const render = { kind: "render", split: "sft", index: 0, count: 1 };
  const taskOf = (task: object) => (directory: string) => ({ task, directory, config });
  const rendered = await startCommand(theatre.root, ["demo-task"], {}, taskOf(render)(template)).ended;
  if (rendered.code !== 0) throw new Error(`demo-task: ${rendered.said}`);
  return {
    name: "sft cold start",
    args: ["demo-task"],
    task: taskOf({ kind: "cold-start" }),
    prepare: (folder) => cpSync(template, folder, { recursive: true }),
    isCompared: (path) => path.startsWith("models/") || path.startsWith("learning/"),
  };
}
