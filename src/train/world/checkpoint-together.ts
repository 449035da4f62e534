// One checkpoint of several processes: rank 0 makes the folder and gives it its name, and into it writes whoever has something that
// no other one has.
import { OppoError } from "../../error.ts";
import { saveCheckpoint } from "../../run/checkpoint.ts";
import { diskFullError, isDiskFull } from "../../run/disk.ts";
import type { World } from "../../tensor/index.ts";
import { onFirst } from "./together.ts";

export interface CheckpointOptions {
  /** Of all checkpoints of the run, on a disk that every rank sees. */
  readonly folder: string;
  readonly step: number;
  readonly keepLast: number;
  /** Whether every rank writes a part; else rank 0 writes all. */
  readonly isInParts: boolean;
}

/** @throws OppoError ERR_DISK_FULL and what `write` throws, on all ranks; then nothing half-written counts as a checkpoint */
export async function checkpointTogether(
  world: World,
  { folder, step, keepLast, isInParts }: CheckpointOptions,
  write: (directory: string) => void,
): Promise<void> {
  if (!isInParts || world.size === 1) {
    await onFirst(world, "checkpoint", async () => void (await saveCheckpoint(folder, step, write, { keepLast })));
    return;
  }
  const writePart = (directory: string | null) => {
    const [into] = world.gather("folder of the checkpoint", directory);
    const failures = world.gather(
      "parts of the checkpoint",
      failureOf(() => write(into!), into!),
    );
    const [failure] = failures.flatMap((one, rank) => (one === null ? [] : [{ rank, ...one }]));
    if (failure !== undefined) throw new OppoError(failure.code, `rank ${failure.rank}: ${failure.message}`);
  };
  if (world.rank === 0) await saveCheckpoint(folder, step, writePart, { keepLast });
  else writePart(null);
  await onFirst(world, "checkpoint", () => null);
}

/** What kept a rank from writing its part, or null. */
function failureOf(body: () => void, directory: string): { code: OppoError["code"]; message: string } | null {
  try {
    body();
    return null;
  } catch (error) {
    const known = isDiskFull(error) ? diskFullError(directory, "a part of the checkpoint", error) : error;
    if (known instanceof OppoError) return { code: known.code, message: known.message };
    const said = error instanceof Error ? error.message : String(error);
    return { code: "ERR_SYSTEM", message: `${directory}: ${said}` };
  }
}
