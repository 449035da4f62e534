// How long tasks take: units of work times seconds per unit, as measured in this run's folder, else as on an idle core of two years
// ago. For the bar, the order of tasks and --dry-run; nothing else hangs on it.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../../run/checkpoint.ts";
import type { TheatreConfig } from "../../train/theatre/settings.ts";
import type { CellTask, Spent } from "./tasks.ts";

/** Seconds per unit on one core. */
const standard = {
  clips: 0.035,
  tower: 0.0021,
  start: 0.0105,
  observer: 0.03,
  plain: 0.0095,
  views: 0.0175,
  measure: 0.0045,
} as const;

type WorkKind = keyof typeof standard;

interface Work {
  readonly units: number;
  readonly seconds: number;
}

/** What a task counts as, and how much of it there is. */
export function workOf(task: CellTask, theatre: TheatreConfig): { readonly kind: WorkKind; readonly units: number } {
  if (task.kind === "clips") return { kind: "clips", units: theatre.clips[task.split] / task.count };
  if (task.kind === "tower") return { kind: "tower", units: theatre.warmup.steps * theatre.warmup.clipsPerStep };
  if (task.kind === "start") return { kind: "start", units: theatre.sft.steps * theatre.sft.clipsPerStep };
  if (task.kind === "observer") return { kind: "observer", units: theatre.clips.warmup };
  if (task.kind === "training") {
    const { steps, promptsPerStep, groupSize, perception } = task.config;
    return { kind: perception.views === "none" ? "plain" : "views", units: steps * promptsPerStep * groupSize };
  }
  const { congruent, conflict } = task.splits;
  const { suite, conditions, clipsPerCondition = Number.POSITIVE_INFINITY } = task.evaluation;
  const numClips = theatre.clips[congruent];
  return {
    kind: "measure",
    units:
      (suite ? 14 * numClips + theatre.clips[conflict] : 0) + conditions.length * Math.min(clipsPerCondition, numClips),
  };
}

export class Estimate {
  readonly #file: string;
  readonly #seen: Partial<Record<WorkKind, Work>>;

  constructor(root: string) {
    this.#file = join(root, "work.json");
    this.#seen = existsSync(this.#file) ? JSON.parse(readFileSync(this.#file, "utf8")) : {};
  }

  /** Whether anything of this kind was measured here. */
  get isMeasured(): boolean {
    return Object.keys(this.#seen).length > 0;
  }

  seconds(tasks: readonly CellTask[], theatre: TheatreConfig): number {
    return tasks.reduce((sum, task) => {
      const { kind, units } = workOf(task, theatre);
      const seen = this.#seen[kind];
      return sum + units * (seen === undefined ? standard[kind] : seen.seconds / seen.units);
    }, 0);
  }

  /** @param spent seconds by kind of task, as a child told */
  add(tasks: readonly CellTask[], theatre: TheatreConfig, spent: Spent): void {
    for (const task of tasks) {
      const seconds = spent[task.kind];
      if (seconds === undefined) continue;
      const { kind, units } = workOf(task, theatre);
      const before = this.#seen[kind] ?? { units: 0, seconds: 0 };
      this.#seen[kind] = { units: before.units + units, seconds: before.seconds + seconds };
    }
    replaceFile(this.#file, `${JSON.stringify(this.#seen)}\n`);
  }
}
