// What a step of a cold start takes of memory, told before anything is loaded.
import { largestClip } from "../../corpus/clips/largest-clip.ts";
import { clipsOf } from "../../data/conversations/conversation.ts";
import { readModelShape } from "../../models/read-model-shape.ts";
import { sftTask } from "../../train/memory/config-task.ts";
import { placeOn, type Ranks, roomOn } from "../../train/memory/room.ts";
import { type MemoryReport, reportMemory } from "../../train/memory/table.ts";
import type { Prepared } from "./prepare-rows.ts";
import type { SftRunConfig } from "./settings.ts";

export interface SftMemory extends MemoryReport {
  /** What was assumed, one line each. */
  readonly assumptions: readonly string[];
}

/** @throws CheckpointError, OppoError of the model's folder */
export async function memoryOfSft(
  config: SftRunConfig,
  { data, split }: Pick<Prepared, "data" | "split">,
  ranks: Ranks | null,
  signal?: AbortSignal,
): Promise<SftMemory> {
  const shape = await readModelShape(config.model);
  const clips = clipsOf(split.learnt);
  const found = shape.fitting === null ? null : await largestClip(data.mediaRoot, clips, shape.fitting, signal);
  const task = sftTask(
    shape,
    config,
    found?.media ?? null,
    placeOn(config.device, config.dtype ?? shape.dtype, ranks, config.shardOptimizer),
  );
  const { batch, learner } = task;
  const clip =
    batch.media === null
      ? "clips are not reckoned"
      : `the largest of ${found!.numProbed} clips: ${batch.media.frames} frames of ${batch.media.width} x ${batch.media.height}, ${batch.media.audioSeconds.toFixed(1)} s of sound`;
  const assumptions = [
    `${config.trainable} in ${learner.dtype}, ${learner.recomputes ? "layers computed again on the way back" : "graphs kept"}`,
    `${batch.prompts} samples a step, one to a clip: prompts of ${batch.promptTokens} tokens (${clip}), answers of at most ${batch.newTokens}`,
    ...(ranks === null
      ? []
      : [
          `one of ${ranks.size} processes, which have ${config.shardOptimizer ? "a part" : "all"} of the optimizer each`,
        ]),
  ];
  return { ...reportMemory(task, roomOn(config.device, ranks)), assumptions };
}
