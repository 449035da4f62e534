// One layer of a tower over the clips that are encoded together, nothing of it kept.
import type { TowerShape } from "../../models/model-shape.ts";
import { typeBytes } from "./standing.ts";
import type { MemoryTask } from "./task.ts";

const floatBytes = 4;
/** As attention cuts them (decoder/attention-slices.ts). */
const maxScores = 2 ** 26;

/** Of the tower that takes most. */
export function towerBytes(task: MemoryTask): number {
  return Math.max(0, ...(task.model.towers ?? []).map((tower) => oneLayer(task, tower)));
}

function oneLayer({ batch, learner }: MemoryTask, tower: TowerShape): number {
  const load = batch.media === null ? null : tower.loadOf(batch.media);
  if (load === null) return 0;
  const bytes = typeBytes[learner.dtype];
  const rows = load.rows * batch.clipsAtOnce;
  const longest = Math.max(...load.segments.map(({ length }) => length));
  const scores = Math.min(maxScores, rows * tower.numHeads * longest);
  // In half precision norms and rotations are computed in float32.
  const perRow = 14 * tower.width * bytes + (bytes < floatBytes ? 20 * tower.width * floatBytes : 0);
  const inner = (tower.isGated ? 4 : 2) * tower.feedForward * bytes;
  return rows * (perRow + inner) + scores * 2 * floatBytes + load.inputs * batch.clipsAtOnce * (floatBytes + bytes);
}
