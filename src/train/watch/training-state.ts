// What a checkpoint of training holds: the parameters that learn, and the optimizer's moments. The best one of a run holds the
// parameters alone: nobody goes on from it.
import { join } from "node:path";
import type { AdamW } from "../../nn/index.ts";
import { type Checkpoint, latestCheckpoint } from "../../run/checkpoint.ts";
import { openSafetensors, scope, type Tensor, writeSafetensors } from "../../tensor/index.ts";

const policyFile = "policy.safetensors";
const optimizerFile = "optimizer.safetensors";

/** The parameters that learn, or their float32 masters, by checkpoint key. */
export type Learning = ReadonlyMap<string, Tensor>;

/** Writes what learns into a folder; with its optimizer, to go on from. @throws CheckpointError */
export function saveState(directory: string, trainable: Learning, optimizer: AdamW | null): void {
  writeSafetensors(join(directory, policyFile), trainable);
  if (optimizer !== null) scope(() => writeSafetensors(join(directory, optimizerFile), optimizer.state()));
}

/** Loads the newest checkpoint into the parameters and the optimizer. @returns the step to go on with */
export function restoreState(folder: string, trainable: Learning, optimizer: AdamW): number {
  const checkpoint = latestCheckpoint(folder);
  if (checkpoint === null) return 0;
  loadWeights(checkpoint, trainable);
  scope(() => {
    using state = openSafetensors(join(checkpoint.directory, optimizerFile));
    optimizer.loadState(new Map([...state.entries.keys()].map((name) => [name, state.tensor(name)])));
    optimizer.copyMasters();
  });
  return checkpoint.step;
}

/** Puts a checkpoint's parameters in place of those that learn. @throws CheckpointError */
export function loadWeights({ directory }: Checkpoint, trainable: Learning): void {
  scope(() => {
    using policy = openSafetensors(join(directory, policyFile));
    for (const [name, parameter] of trainable) parameter.detach().copy_(policy.tensor(name));
  });
}
