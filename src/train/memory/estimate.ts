// How much memory a step takes: what always stands, and the part of the step that takes most beside it.
import { phasesOf } from "./phases.ts";
import { standingLines, sum } from "./standing.ts";
import type { MemoryEstimate, MemoryTask } from "./task.ts";

/** Bytes of tensors on the device, of every GPU where there are several. What the program and its libraries take comes on top. */
export function estimateMemory(task: MemoryTask): MemoryEstimate {
  const standing = standingLines(task);
  const standingBytes = sum(standing.map(({ bytes }) => bytes));
  const phases = phasesOf(task);
  const largest = phases.reduce((most, phase) => (phase.bytes > most.bytes ? phase : most));
  return { standing, standingBytes, phases, largest, peakBytes: standingBytes + largest.bytes };
}
