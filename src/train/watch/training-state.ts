// What a checkpoint of training holds: the parameters that learn, and the optimizer's moments. The best one of a run holds the
// parameters alone: nobody goes on from it.
import { join } from "node:path";
import type { AdamW } from "../../nn/index.ts";
import { type Checkpoint, latestCheckpoint } from "../../run/checkpoint.ts";
import { openSafetensors, scope, type Tensor, writeSafetensors } from "../../tensor/index.ts";

const policyFile = "policy.safetensors";
const optimizerFile = "optimizer.safetensors";
const referenceFile = "reference.safetensors";

/** The parameters that learn, or their float32 masters, by checkpoint key. */
export type Learning = ReadonlyMap<string, Tensor>;

/**
 * Writes what learns into a folder; with its optimizer, to go on from.
 * @param moving what of the reference moves; left out: it stays
 * @throws CheckpointError
 */
export function saveState(
  directory: string,
  trainable: Learning,
  optimizer: AdamW | null,
  moving: Learning | null = null,
): void {
  writeSafetensors(join(directory, policyFile), trainable);
  if (moving !== null) writeSafetensors(join(directory, referenceFile), moving);
  if (optimizer !== null) scope(() => writeSafetensors(join(directory, optimizerFile), optimizer.state()));
}

/** Loads the newest checkpoint into the parameters and the optimizer. @returns the step to go on with */
export function restoreState(
  folder: string,
  trainable: Learning,
  optimizer: AdamW,
  moving: Learning | null = null,
): number {
  const checkpoint = latestCheckpoint(folder);
  if (checkpoint === null) return 0;
  loadWeights(checkpoint, trainable);
  if (moving !== null) loadTensors(join(checkpoint.directory, referenceFile), moving);
  scope(() => {
    using state = openSafetensors(join(checkpoint.directory, optimizerFile));
    optimizer.loadState(new Map([...state.entries.keys()].map((name) => [name, state.tensor(name)])));
    optimizer.copyMasters();
  });
  return checkpoint.step;
}

/** Puts a checkpoint's parameters in place of those that learn. @throws CheckpointError */
export function loadWeights({ directory }: Checkpoint, trainable: Learning): void {
  loadTensors(join(directory, policyFile), trainable);
}

function loadTensors(file: string, into: Learning): void {
  scope(() => {
    using stored = openSafetensors(file);
    for (const [name, parameter] of into) parameter.detach().copy_(stored.tensor(name));
  });
}
