// How many tokens have vocabulary-sized rows at once. Plain numbers, so that an estimate can ask without an engine.
import type { OmniModel } from "../models/omni-model.ts";

/** Logits that a chunk has by default: they stay in the cache (measured: 2 ** 20 to 2 ** 21 is fastest on a CPU). */
const defaultLogits = 2 ** 20;
/** Below this the head's matrix is read too often for what is done with it. */
const leastDefaultRows = 64;

/** On a device: launches cost more than what leaves the cache. */
const deviceRows = 1024;

/** Tokens per chunk: as asked for, or what is fast for the vocabulary where the model is. */
export function rowsPerChunk(
  asked: number | null,
  { vocabSize, device }: Pick<OmniModel, "vocabSize" | "device">,
): number {
  const standing = device === "cpu" ? Math.max(leastDefaultRows, Math.floor(defaultLogits / vocabSize)) : deviceRows;
  return asked ?? standing;
}
