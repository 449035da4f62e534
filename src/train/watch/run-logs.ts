// What a run writes down step by step: numbers, the objective's own rows, warnings, and the same numbers for TensorBoard. All of it
// is cut back to the step that a run goes on with, so that nothing stands there twice.
import { join } from "node:path";
import type { StepMetrics } from "../../rl/metrics.ts";
import type { Notice } from "../../rl/reward-watch.ts";
import { openStepLog, readLastRows, readStepLog, type StepLog, type StepRow } from "../../run/metrics.ts";
import { type EventFile, eventFileName, openEventFile } from "../../run/tensorboard/event-file.ts";
import { type GuardOptions, Guards } from "./guards.ts";
import { StepWatch } from "./step-watch.ts";

/** Where a run writes, and who is told. */
export interface RunRecord {
  /** Holds metrics.jsonl, evaluation.jsonl, warnings.jsonl, the objective's own log, tensorboard/ and checkpoints/. */
  readonly directory: string;
  /** File name of the objective's own log; left out, it has none. */
  readonly rowsFile?: string;
  /** Whether metrics and evaluations are written as TensorBoard's event files too. Default: no. */
  readonly tensorboard?: boolean;
  /** What follows a collapse; left out, a line. */
  readonly guards?: GuardOptions;
  readonly onStep?: (step: number, metrics: StepMetrics) => void;
  readonly onEvaluation?: (numSteps: number, metrics: StepMetrics) => void;
  /** Told once a run, each: what mostly means that it goes wrong, with its remedy. */
  readonly onNotice?: (line: string) => void;
}

/** What an objective wants written beside its numbers. */
export interface StepRows {
  /** Lines for the objective's own log, without the step. */
  readonly rows?: readonly Readonly<Record<string, unknown>>[];
  /** What a person should know; a run tells each name once. */
  readonly notices?: readonly Notice[];
}

/** Owner of a run's logs. */
export class RunLogs implements Disposable {
  readonly #run: RunRecord;
  readonly #metrics: StepLog;
  readonly #rows: StepLog | null;
  readonly #warnings: StepLog;
  readonly #events: EventFile | null;
  readonly #watch = new StepWatch();
  readonly guards: Guards;
  readonly #warned: Set<unknown>;

  constructor(run: RunRecord, firstStep: number) {
    const { directory, rowsFile, tensorboard = false } = run;
    const open = (name: string) => openStepLog(join(directory, name), firstStep);
    this.#run = run;
    this.#metrics = open("metrics.jsonl");
    this.#rows = rowsFile === undefined ? null : open(rowsFile);
    this.#warnings = open("warnings.jsonl");
    this.#events = tensorboard ? openEventFile(join(directory, "tensorboard", eventFileName), firstStep) : null;
    this.#warned = new Set(readStepLog(this.#warnings.path).map(({ name }) => name));
    // The watch knows what it would know had the run not been stopped.
    this.guards = new Guards(run.guards);
    for (const numbers of readStepLog(this.#metrics.path)) {
      this.#watch.look(numbers);
      this.guards.look(numbers);
    }
  }

  /** Of the objective's own log. */
  lastRows(): StepRow[] {
    return this.#rows === null ? [] : readLastRows(this.#rows.path);
  }

  step(step: number, metrics: StepMetrics, { rows = [], notices = [] }: StepRows): void {
    this.#metrics.append({ step, ...metrics });
    for (const row of rows) this.#rows?.append({ step, ...row });
    this.#events?.append(step, wallTime(), metrics);
    this.#run.onStep?.(step, metrics);
    const looked = [...this.#watch.look(metrics), ...this.guards.look(metrics)];
    for (const notice of [...notices, ...looked]) this.#warn(step, notice);
  }

  /** The log of evaluations is another's. */
  evaluated(numSteps: number, metrics: StepMetrics): void {
    const tagged = Object.entries(metrics).map(([name, value]) => [`eval/${name}`, value] as const);
    this.#events?.append(Math.max(0, numSteps - 1), wallTime(), Object.fromEntries(tagged));
    this.#run.onEvaluation?.(numSteps, metrics);
  }

  #warn(step: number, { name, line }: Notice): void {
    if (this.#warned.has(name)) return;
    this.#warned.add(name);
    this.#warnings.append({ step, name, line });
    this.#run.onNotice?.(line);
  }

  [Symbol.dispose](): void {
    for (const log of [this.#metrics, this.#rows, this.#warnings, this.#events]) log?.[Symbol.dispose]();
  }
}

/** Seconds since 1970. */
function wallTime(): number {
  return (performance.timeOrigin + performance.now()) / 1000;
}
