// Random models: the small one of the demo, and thinkers of the published shapes, for tests and speed runs. Weights are
// drawn and written one at a time.
import { existsSync, readdirSync } from "node:fs";
import { buildTheatreTokenizer } from "../../data/theatre/tokenizer.ts";
import { OppoError } from "../../error.ts";
import { initPublished, initTiny, type PublishedSize } from "../../models/index.ts";
import { requireFreeSpace } from "../../run/disk.ts";
import type { Progress } from "../../run/progress.ts";
import type { DType } from "../../tensor/index.ts";

export const architectures = ["qwen2.5-omni-3b", "qwen2.5-omni-7b", "tiny"] as const;
export type ArchitectureName = (typeof architectures)[number];

interface Published {
  readonly size: PublishedSize;
  readonly numParameters: number;
}

const published: Readonly<Record<Exclude<ArchitectureName, "tiny">, Published>> = {
  "qwen2.5-omni-3b": { size: "3b", numParameters: 4_703_464_448 },
  "qwen2.5-omni-7b": { size: "7b", numParameters: 8_931_813_888 },
};
const typeBytes = { bfloat16: 2, float32: 4 } as const;
const megabyte = 1 << 20;

export interface InitOptions {
  readonly architecture: ArchitectureName;
  readonly directory: string;
  readonly seed: number;
  readonly dtype: keyof typeof typeBytes;
  readonly progress: Progress;
}

/** @throws OppoError ERR_MODEL_EXISTS, ERR_DISK_SPACE, CheckpointError ERR_CHECKPOINT_WRITE */
export function initModel({ architecture, directory, seed, dtype, progress }: InitOptions): void {
  if (existsSync(directory) && readdirSync(directory).length > 0) {
    throw new OppoError(
      "ERR_MODEL_EXISTS",
      `${directory}: expected no such folder or an empty one, got files in it. Choose another folder.`,
    );
  }
  if (architecture === "tiny") {
    initTiny(directory, buildTheatreTokenizer(), seed);
    return;
  }
  const { size, numParameters } = published[architecture];
  const totalBytes = numParameters * typeBytes[dtype];
  requireFreeSpace(directory, totalBytes, "the model's weights");
  const stage = progress.stage("writing weights (MB)", Math.round(totalBytes / megabyte));
  const onProgress = (numBytes: number): void => stage.update(Math.round(numBytes / megabyte));
  initPublished(directory, size, buildTheatreTokenizer(), { seed, dtype: dtype satisfies DType, onProgress });
  stage.finish();
}
