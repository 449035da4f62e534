// Exact bytes of libtorch's tensors on the CPU.
import { buildTestAddon, loadTestAddon } from "./test-addon.ts";

export interface CountedMemory {
  /** Bytes held now, of tensors made since counting began. */
  live(): number;
  /** The most held at once since the last call, or since counting began. */
  takePeak(): number;
}

/** Counts from here on, in this process. */
export async function countMemory(): Promise<CountedMemory> {
  return loadTestAddon(await buildTestAddon("counting-allocator"));
}
