// How a reader of cues learns: cross-entropy over views of clips, then one temperature on views of clips that it has not seen.
import { AdamW, cosineSchedule, updateParameters } from "../../nn/index.ts";
import { scope, type Tensor } from "../../tensor/index.ts";
import { batchOf } from "../batches.ts";
import type { CueReader } from "./cue-reader.ts";
import { readerSteps, viewsPerStep } from "./sizes.ts";

/** One view of a clip: its pooled rows, and the answers that its clip has. */
export interface LabelledView {
  readonly pooled: Tensor;
  readonly answers: Int32Array;
}

const learningRate = 5e-3;
const weightDecay = 0.01;
const warmupSteps = 20;
const learningRateFloor = 0.05;
const maxGradNorm = 5;
const viewsAtOnce = 512;

/** Temperatures that are tried: an overconfident reader needs one above 1. */
const temperatures = Array.from({ length: 41 }, (_, i) => 2 ** ((i - 10) / 10));

/** Steps between two turns of the event loop. */
const stepsPerTurn = 20;

/**
 * @param held views of clips that are not among `views`; they decide the temperature alone
 * @param onTurn called now and then; may let the event loop turn, and may throw to stop
 */
export async function fitReader(
  reader: CueReader,
  views: readonly LabelledView[],
  held: readonly LabelledView[],
  seed: number,
  onTurn?: () => void | Promise<void>,
): Promise<void> {
  const learnt = reader.learnt();
  for (const parameter of learnt) parameter.requiresGrad = true;
  using optimizer = new AdamW([{ parameters: learnt }], { lr: learningRate, betas: [0.9, 0.99], weightDecay });
  const schedule = { total: readerSteps, warmup: warmupSteps, floor: learningRateFloor };
  for (let step = 0; step < readerSteps; step++) {
    if (step % stepsPerTurn === 0) await onTurn?.();
    const batch = batchOf(views, Math.min(viewsPerStep, views.length), seed, step);
    optimizer.zeroGrad();
    scope(() => reader.loss(pooledOf(batch), answersOf(batch)).backward());
    updateParameters(optimizer, learnt, learningRate * cosineSchedule(step, schedule), maxGradNorm);
  }
  for (const parameter of learnt) parameter.requiresGrad = false;
  reader.temperature = bestTemperature(reader, held);
}

/** The one under which the held views' answers are likeliest. */
function bestTemperature(reader: CueReader, held: readonly LabelledView[]): number {
  const sums = temperatures.map(() => 0);
  for (let start = 0; start < held.length; start += viewsAtOnce) {
    const batch = held.slice(start, start + viewsAtOnce);
    const probabilities = reader.answers(pooledOf(batch));
    for (const [clip, { answers }] of batch.entries()) {
      for (const [q, own] of probabilities[clip]!.entries()) {
        if (answers[q]! < 0) continue;
        for (const [t, temperature] of temperatures.entries()) sums[t]! += logAt(own, answers[q]!, temperature);
      }
    }
  }
  return temperatures[sums.indexOf(Math.max(...sums))]!;
}

/** log p of an answer, from probabilities at temperature 1. */
function logAt(probabilities: Float32Array, answer: number, temperature: number): number {
  const smallest = 1e-30;
  const scores = Array.from(probabilities, (p) => Math.log(Math.max(smallest, p)) / temperature);
  const highest = Math.max(...scores);
  return scores[answer]! - highest - Math.log(scores.reduce((sum, score) => sum + Math.exp(score - highest), 0));
}

const pooledOf = (views: readonly LabelledView[]) => views.map(({ pooled }) => pooled);
const answersOf = (views: readonly LabelledView[]) => views.map(({ answers }) => answers);
