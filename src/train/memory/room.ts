// What is free on the device of a run, and what kind of place it is.

import { deviceMemory, hasOperator } from "../../tensor/index.ts";
import { freeHostMemory } from "./free-memory.ts";
import type { Room } from "./table.ts";
import type { Learner, Place } from "./task.ts";

export function roomOn(device: string): Room {
  return { device, freeBytes: device === "cpu" ? freeHostMemory() : (deviceMemory(device)?.free ?? null) };
}

/** One device of this machine. */
export function placeOn(device: string, dtype: Learner["dtype"]): Place {
  const kind = device === "cpu" ? "cpu" : "cuda";
  // As decoder/fused-attention.ts chooses.
  const isFused = hasOperator("scaled_dot_product_attention") && !(kind === "cpu" && dtype === "float32");
  return { kind, fusesAttention: isFused, gpus: 1 };
}
