// Who says what can be read under a mask, of the corpus of a run: an observer that is learnt from its cues before the first step, with
// the towers as the run begins with them, and kept in RUN/observer.
import { join } from "node:path";
import type { Setting } from "../../corpus/setting.ts";
import type { Sample } from "../../data/sample.ts";
import type { OmniModel } from "../../models/omni-model.ts";
import type { Interrupt } from "../../run/interrupt.ts";
import type { Progress } from "../../run/progress.ts";
import type { GrpoTask } from "../../train/method/task.ts";
import { observeCorpus } from "../../train/observer/observe-corpus.ts";
import { readingObserver } from "../../train/observer/read-cues.ts";
import type { RunConfig } from "./run-config.ts";

export interface CorpusReading {
  readonly config: RunConfig;
  /** Of the run. */
  readonly directory: string;
  readonly setting: Setting;
  readonly progress: Progress;
  readonly interrupt: Interrupt;
}

/** What a task is given beside the rest: nothing where no observer is asked. */
export interface OpenedReading extends Disposable {
  readonly task: Pick<GrpoTask, "readCues">;
  readonly notes: readonly string[];
}

const unread: OpenedReading = { task: {}, notes: [], [Symbol.dispose]() {} };

/** @param model with the towers that are not to change @throws those of openCorpusObserver */
export async function openReading(
  model: OmniModel,
  samples: readonly Sample[],
  { config, directory, setting, progress, interrupt }: CorpusReading,
): Promise<OpenedReading> {
  if (config.perception.support !== "observer") return unread;
  const stages = new ObserverStages(progress);
  try {
    const { clips, observer, seed, maxSkippedFraction, maxPromptTokens } = config;
    const made = await observeCorpus(model, samples, {
      ...{ file: config.data, clips, observer, seed, maxSkippedFraction, maxPromptTokens },
      ...{ folder: join(directory, "observer"), setting, interrupt },
      onProgress: (done, total) => stages.update(done, total),
      onNotice: (line) => progress.log(`warning: ${line}`),
    });
    const readCues = await readingObserver(made.observer, samples, made.floors);
    return { task: { readCues }, notes: made.notes, [Symbol.dispose]: () => made[Symbol.dispose]() };
  } finally {
    stages.finish();
  }
}

/** A bar that begins anew with every total: clips that are looked at, then the views of each modality. */
class ObserverStages {
  readonly #progress: Progress;
  #open: { readonly total: number; readonly stage: ReturnType<Progress["stage"]>; done: number } | null = null;

  constructor(progress: Progress) {
    this.#progress = progress;
  }

  update(done: number, total: number): void {
    if (this.#open === null || this.#open.total !== total || done < this.#open.done) {
      this.finish();
      this.#open = { total, stage: this.#progress.stage("observer", total), done };
    }
    this.#open.done = done;
    this.#open.stage.update(done);
  }

  finish(): void {
    this.#open?.stage.finish();
    this.#open = null;
  }
}
