// Random models of the shapes that the registry knows, for tests and speed runs, and to train from scratch. Weights are
// drawn and written one at a time.
import { existsSync, readdirSync } from "node:fs";
import { buildTheatreTokenizer } from "../../data/theatre/tokenizer.ts";
import { OppoError } from "../../error.ts";
import { freshShapes, initFresh } from "../../models/registry.ts";
import { requireFreeSpace } from "../../run/disk.ts";
import type { Progress } from "../../run/progress.ts";

const typeBytes = { bfloat16: 2, float32: 4 } as const;
const megabyte = 1 << 20;

export interface InitOptions {
  /** Of `freshShapes`. */
  readonly shape: string;
  readonly directory: string;
  readonly seed: number;
  readonly dtype: keyof typeof typeBytes;
  readonly progress: Progress;
}

/** @throws OppoError ERR_MODEL_EXISTS, ERR_DISK_SPACE, CheckpointError ERR_CHECKPOINT_WRITE */
export async function initModel({ shape, directory, seed, dtype, progress }: InitOptions): Promise<void> {
  if (existsSync(directory) && readdirSync(directory).length > 0) {
    throw new OppoError(
      "ERR_MODEL_EXISTS",
      `${directory}: expected no such folder or an empty one, got files in it. Choose another folder.`,
    );
  }
  const numParameters = freshShapes().get(shape) ?? null;
  const totalBytes = numParameters === null ? 0 : numParameters * typeBytes[dtype];
  if (totalBytes === 0) return initFresh(shape, directory, buildTheatreTokenizer(), { seed, dtype });
  requireFreeSpace(directory, totalBytes, "the model's weights");
  const stage = progress.stage("writing weights (MB)", Math.round(totalBytes / megabyte));
  const onProgress = (numBytes: number): void => stage.update(Math.round(numBytes / megabyte));
  await initFresh(shape, directory, buildTheatreTokenizer(), { seed, dtype, onProgress });
  stage.finish();
}
