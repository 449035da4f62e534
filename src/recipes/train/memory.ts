// What a step of a run takes of memory, told before anything is loaded: from the model's headers, the settings, and the headers of
// the corpus' clips.
import { dirname } from "node:path";
import { largestClip } from "../../corpus/clips/largest-clip.ts";
import type { Sample } from "../../data/sample.ts";
import { readModelShape } from "../../models/read-model-shape.ts";
import { grpoTask } from "../../train/memory/config-task.ts";
import { comparedText } from "../../train/memory/counterfactuals.ts";
import { placeOn, type Ranks, roomOn } from "../../train/memory/room.ts";
import { type MemoryReport, reportMemory } from "../../train/memory/table.ts";
import type { RunConfig } from "./run-config.ts";

export interface RunMemory extends MemoryReport {
  /** What was assumed, one line each. */
  readonly assumptions: readonly string[];
}

/** @throws CheckpointError, OppoError of the model's folder */
export async function memoryOfRun(
  config: RunConfig,
  rows: readonly Sample[],
  ranks: Ranks | null,
  signal?: AbortSignal,
): Promise<RunMemory> {
  const shape = await readModelShape(config.model);
  const found = shape.fitting === null ? null : await largestClip(dirname(config.data), rows, shape.fitting, signal);
  const task = grpoTask(
    shape,
    config,
    found?.media ?? null,
    placeOn(config.device, config.dtype ?? shape.dtype, ranks, config.shardOptimizer),
  );
  const { batch, learner } = task;
  const { media } = batch;
  const clip =
    media === null
      ? "clips are not reckoned"
      : `the largest of ${found!.numProbed} clips: ${media.frames} frames of ${media.width} x ${media.height}, ${media.audioSeconds.toFixed(1)} s of sound`;
  const assumptions = [
    `${config.trainable} in ${learner.dtype}, ${learner.recomputes ? "layers computed again on the way back" : "graphs kept"}`,
    `${batch.prompts} prompts of ${batch.promptTokens} tokens (${clip}), ${batch.groupSize} completions of ${batch.newTokens} tokens each; ${comparedText(batch)}`,
    ...(ranks === null
      ? []
      : [
          `one of ${ranks.size} processes, which have ${config.shardOptimizer ? "a part" : "all"} of the optimizer each`,
        ]),
  ];
  return { ...reportMemory(task, roomOn(config.device, ranks)), assumptions };
}
