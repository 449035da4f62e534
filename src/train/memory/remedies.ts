// What to change where a step does not fit: first what changes no result, then what changes the numbers, then what learns and what
// is seen. Each is tried on what the ones before it left, and kept where it saves something.
import { estimateMemory } from "./estimate.ts";
import type { MemoryTask } from "./task.ts";

export interface Remedy {
  /** A setting and its value as a person would write them. Example: "--recompute on" */
  readonly change: string;
  readonly bytesSaved: number;
  /** Without it results are the same, up to rounding. */
  readonly changesResults: boolean;
}

export interface FittingPlan {
  /** In the order in which they are applied. */
  readonly remedies: readonly Remedy[];
  /** With all of them. */
  readonly peakBytes: number;
  readonly fits: boolean;
  readonly task: MemoryTask;
}

interface Step {
  readonly change: string;
  readonly changesResults: boolean;
  readonly task: MemoryTask;
}

/** Less is not worth a change. */
const leastSaved = 0.01;

/** Changes until the step takes at most `bytes`, or until there are none left. */
export function planToFit(start: MemoryTask, bytes: number): FittingPlan {
  let task = start;
  let peakBytes = estimateMemory(task).peakBytes;
  const remedies: Remedy[] = [];
  for (const propose of proposals) {
    for (let next = propose(task); next !== null && peakBytes > bytes; next = propose(task)) {
      const after = estimateMemory(next.task).peakBytes;
      if (peakBytes - after < leastSaved * peakBytes) break;
      const { change, changesResults } = next;
      remedies.push({ change, changesResults, bytesSaved: peakBytes - after });
      task = next.task;
      peakBytes = after;
    }
  }
  return { remedies: merged(remedies), peakBytes, fits: peakBytes <= bytes, task };
}

/** Of one setting that was changed several times the last value, with all that it saved. */
function merged(remedies: readonly Remedy[]): Remedy[] {
  const bySetting = new Map<string, Remedy>();
  for (const remedy of remedies) {
    const setting = remedy.change.split(" ")[0]!;
    const before = bySetting.get(setting)?.bytesSaved ?? 0;
    bySetting.set(setting, { ...remedy, bytesSaved: before + remedy.bytesSaved });
  }
  return [...bySetting.values()];
}

type Propose = (task: MemoryTask) => Step | null;

const sameResults: readonly Propose[] = [
  (task) => (task.learner.recomputes ? null : same(withLearner(task, { recomputes: true }), "--recompute on")),
  (task) => {
    const { batch, learner, place } = task;
    const now = Math.min(learner.promptsPerMicroBatch ?? batch.prompts, Math.ceil(batch.prompts / place.gpus));
    if (now <= 1) return null;
    const next = Math.floor(now / 2);
    return same(withLearner(task, { promptsPerMicroBatch: next }), `--prompts-per-micro-batch ${next}`);
  },
  (task) => {
    const now = task.learner.tokensPerChunk ?? (task.place.kind === "cpu" ? 64 : 1024);
    return now <= 64 ? null : same(withLearner(task, { tokensPerChunk: now / 2 }), `--tokens-per-chunk ${now / 2}`);
  },
  (task) =>
    task.batch.views < 2 || task.batch.viewsAtOnce === 1
      ? null
      : same(withBatch(task, { viewsAtOnce: 1 }), "--perception-view-passes each"),
];

const otherResults: readonly Propose[] = [
  (task) =>
    task.learner.dtype === "bfloat16" ? null : other(withLearner(task, { dtype: "bfloat16" }), "--dtype bfloat16"),
  (task) =>
    task.learner.trainable === "full" && task.learner.parts.length > 1
      ? other(withLearner(task, { trainable: "decoder" }), "--trainable decoder")
      : null,
  (task) =>
    task.learner.trainable === "lora" ? null : other(withLearner(task, { trainable: "lora" }), "--trainable lora"),
  (task) => {
    const rank = task.learner.lora.rank / 2;
    if (task.learner.trainable !== "lora" || rank < 8) return null;
    return other(withLearner(task, { lora: { ...task.learner.lora, rank } }), `--lora-rank ${rank}`);
  },
  (task) => {
    const next = Math.floor(task.batch.newTokens / 2);
    return !task.batch.samples || next < 128
      ? null
      : other(withBatch(task, { newTokens: next }), `--max-new-tokens ${next}`);
  },
  (task) => {
    const { groupSize, samples } = task.batch;
    return !samples || groupSize <= 2
      ? null
      : other(withBatch(task, { groupSize: groupSize - 1 }), `--group-size ${groupSize - 1}`);
  },
];

const proposals: readonly Propose[] = [...sameResults, ...otherResults];

function same(task: MemoryTask, change: string): Step {
  return { task, change, changesResults: false };
}

function other(task: MemoryTask, change: string): Step {
  return { task, change, changesResults: true };
}

function withLearner(task: MemoryTask, change: Partial<MemoryTask["learner"]>): MemoryTask {
  return { ...task, learner: { ...task.learner, ...change } };
}

function withBatch(task: MemoryTask, change: Partial<MemoryTask["batch"]>): MemoryTask {
  return { ...task, batch: { ...task.batch, ...change } };
}
