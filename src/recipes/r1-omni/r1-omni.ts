// `oppo r1-omni`: the four rows of R1-Omni's Table 1, from a HumanOmni checkpoint and data folders or on the theatre: trainings as
// the commands that a person would type, each in a run folder of its own, then answers, the table and a page.

import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isBuilt, worldName } from "../../data/theatre/corpus.ts";
import { replaceFile } from "../../run/checkpoint.ts";
import { requireSpaceForRest } from "../../run/disk.ts";
import type { Interrupt } from "../../run/interrupt.ts";
import { type PoolTask, runPool } from "../../run/pool/pool.ts";
import type { Progress } from "../../run/progress.ts";
import { openRunDirectory } from "../../run/run-directory.ts";
import { readVersions } from "../../run/versions.ts";
import { torchVersion } from "../../tensor/index.ts";
import type { Material } from "./material.ts";
import type { Timing } from "./page.ts";
import { type RunPaths, runPaths } from "./paths.ts";
import { publishedMaterial } from "./published-data.ts";
import { type Results, seedsOf } from "./results.ts";
import { rowNames, rowTitles, thinks } from "./rows.ts";
import type { ROneOmniConfig } from "./settings.ts";
import { modelOf, type Training, trainingsOf } from "./stages.ts";
import { numSeeds, readTimings, writeTable } from "./table.ts";
import { configFile, type Task, type TaskPayload } from "./tasks.ts";
import { baseSettings, theatreMaterial, theatrePlan } from "./theatre-material.ts";
import { initBase } from "./warm-towers.ts";

export interface ROneOmniRun {
  readonly directory: string;
  readonly config: ROneOmniConfig;
  readonly progress: Progress;
  readonly interrupt: Interrupt;
}

export interface ROneOmniResult {
  readonly results: Results;
  readonly report: string;
  readonly resultsFile: string;
  readonly seeds: number;
  /** Of all calls together. */
  readonly seconds: number;
}

const theatreBytes = 1e9;

export async function runROneOmni(run: ROneOmniRun): Promise<ROneOmniResult> {
  const { config } = run;
  const { theatre } = config;
  const seeds = numSeeds(config);
  if (theatre) requireSpaceForRest(run.directory, theatreBytes, "the four rows");
  using opened = openRunDirectory(run.directory, {
    kind: "r1-omni",
    config,
    mayChange: ["workers", "seeds"],
    versions: readVersions(torchVersion()),
    seeds: Array.from({ length: seeds }, (_, seed) => seed),
    device: config.device,
    ...(theatre ? { choices: { world: worldName() } } : {}),
  });
  const paths = runPaths(opened.path);
  await mkdir(paths.cache, { recursive: true });
  await mkdir(paths.models, { recursive: true });
  const stages = new Stages(run, paths);
  const material = theatre ? await makeTheatre(stages, run, paths) : await publishedMaterial(config, paths);
  const all = Array.from({ length: seeds }, (_, seed) => trainingsOf(seed, material, config, paths));
  await stages.train(
    "cold starts and label SFT",
    all.flatMap(([first]) => first!),
  );
  await stages.train(
    "RLVR",
    all.flatMap(([, second]) => second!),
  );
  await stages.run("answers", askTasks(material, seeds, run, paths));
  const { timings } = stages;
  const seconds = timings.reduce((sum, stage) => sum + stage.seconds, 0);
  return { ...(await writeTable(material, { seeds, config, timings }, paths)), seeds, seconds };
}

/** Runs what is not done yet in child processes, and keeps how long it took. */
class Stages {
  readonly #run: ROneOmniRun;
  readonly #paths: RunPaths;
  readonly timings: Timing[];

  constructor(run: ROneOmniRun, paths: RunPaths) {
    this.#run = run;
    this.#paths = paths;
    this.timings = readTimings(paths);
  }

  /** Trainings that are not finished, each by its command. */
  async train(name: string, trainings: readonly Training[]): Promise<void> {
    const tasks = trainings.map((training) => {
      const file = configFile(this.#paths, training.name);
      return { ...training, file, isDone: existsSync(doneFile(this.#paths, training.name)) };
    });
    for (const { file, settings } of tasks) {
      await mkdir(dirname(file), { recursive: true });
      replaceFile(file, `${JSON.stringify(settings, null, 1)}\n`);
    }
    await this.#pool(
      name,
      tasks.map(({ name: own, command, file, isDone }) => ({
        ...{ name: own, args: [command, "--config", file], isDone },
        finish: () => replaceFile(doneFile(this.#paths, own), ""),
      })),
    );
  }

  async run(name: string, tasks: readonly (Task & { readonly name: string; readonly isDone: boolean })[]) {
    const { config } = this.#run;
    await this.#pool(
      name,
      tasks.map(({ name: own, isDone, ...task }) => ({
        ...{ name: own, args: ["r1-omni"], isDone },
        payload: { task: task as Task, root: this.#paths.root, config } satisfies TaskPayload,
      })),
    );
  }

  async #pool(name: string, tasks: readonly (PoolTask & { isDone: boolean; finish?: () => void })[]): Promise<void> {
    const missing = tasks.filter(({ isDone }) => !isDone);
    if (missing.length === 0) return;
    const { progress, interrupt, config } = this.#run;
    const start = performance.now();
    const stage = progress.stage(name, tasks.length * taskUnits);
    const shares = new Map<string, number>();
    const there = tasks.length - missing.length;
    await runPool(missing, {
      numProcesses: config.workers ?? (config.theatre ? 2 : 1),
      signal: interrupt.signal,
      onLine: ({ name: own }, line) => {
        if (!config.theatre || line.startsWith("warning")) progress.log(`${own}: ${line}`);
      },
      onProgress: ({ name: own }, { done, total, detail }) => {
        shares.set(own, done / Math.max(1, total));
        const sum = [...shares.values()].reduce((a, b) => a + b, there);
        stage.update(Math.floor(sum * taskUnits), `${own}: ${detail ?? ""}`);
      },
      onDone: ({ name: own, finish }) => {
        shares.set(own, 1);
        finish?.();
      },
    });
    stage.update(tasks.length * taskUnits, "");
    stage.finish();
    this.timings.push({ stage: name, seconds: Number(((performance.now() - start) / 1000).toFixed(1)) });
    replaceFile(this.#paths.timings, `${JSON.stringify(this.timings)}\n`);
  }
}

/** Progress counts a task as so many. */
const taskUnits = 100;
const doneFile = (paths: RunPaths, name: string) => `${configFile(paths, name)}.done`;

async function makeTheatre(stages: Stages, { config }: ROneOmniRun, paths: RunPaths): Promise<Material> {
  const plan = theatrePlan(config);
  const count = 4;
  const isThere = await isBuilt(paths.data, plan);
  await stages.run(
    "clips",
    Array.from({ length: count }, (_, index) => ({
      ...({ kind: "render", index, count, name: `clips ${index + 1}/${count}`, isDone: isThere } as const),
    })),
  );
  const material = await theatreMaterial(config, paths);
  await initBase(paths.models, config.seed);
  await stages.run(
    "warm towers",
    (["video", "audio"] as const).map((modality) => ({
      ...({ kind: "tower", modality, name: `${modality} tower` } as const),
      isDone: existsSync(join(paths.models, `${modality}.safetensors`)),
    })),
  );
  const isDone = existsSync(join(paths.models, "warm", "config.json"));
  await stages.run("model", [{ kind: "join", name: "model", isDone }]);
  await stages.train("base model", [{ name: "base", command: "sft", settings: baseSettings(config, paths) }]);
  return material;
}

function askTasks(material: Material, seeds: number, { config }: ROneOmniRun, paths: RunPaths) {
  const maxNewTokens = config.maxNewTokens ?? (config.theatre ? 80 : 512);
  return rowNames.flatMap((row) =>
    seedsOf(row, seeds).map((seed) => {
      const sets = material.sets
        .map(({ file, title }) => ({ file, out: paths.answers(row, seed, title) }))
        .filter(({ out }) => !existsSync(out));
      return {
        ...({ kind: "ask", sets, maxNewTokens, model: modelOf(row, seed, material, paths) } as const),
        question: thinks[row] ? material.questions.thinking : material.questions.plain,
        name: `${rowTitles[row]}, seed ${seed}`,
        isDone: sets.length === 0,
      };
    }),
  );
}
