// What is free on the device of a run, and what kind of place it is.

import { isLoopback } from "../../run/world/address.ts";
import { deviceMemory, hasOperator } from "../../tensor/index.ts";
import { freeHostMemory } from "./free-memory.ts";
import type { Room } from "./table.ts";
import type { Learner, Place } from "./task.ts";

/** The processes that a step is parted among. */
export interface Ranks {
  readonly size: number;
  /** Where rank 0 is. */
  readonly host: string;
}

/** @param ranks null: one process. Those of one machine share its memory; a GPU is a rank's own */
export function roomOn(device: string, ranks: Ranks | null): Room {
  if (device !== "cpu") return { device, freeBytes: deviceMemory(device)?.free ?? null };
  const free = freeHostMemory();
  const sharers = ranks !== null && isLoopback(ranks.host) ? ranks.size : 1;
  return { device, freeBytes: free === null ? null : free / sharers };
}

/** The device of a rank. @param isSharded whether ranks part the optimizer as well */
export function placeOn(device: string, dtype: Learner["dtype"], ranks: Ranks | null = null, isSharded = false): Place {
  const size = ranks?.size ?? 1;
  const kind = device === "cpu" ? "cpu" : "cuda";
  // As decoder/fused-attention.ts chooses.
  const isFused = hasOperator("scaled_dot_product_attention") && !(kind === "cpu" && dtype === "float32");
  return { kind, fusesAttention: isFused, gpus: size, shards: isSharded ? size : 1 };
}
