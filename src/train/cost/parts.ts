// A part of a step's time, and what of a machine's figures is reached.
import type { GpuFacts } from "./gpus.ts";

/** What of the data sheets' figures is reached. */
export interface Efficiency {
  /** Of the peak, in matrix products over many rows. */
  readonly compute: number;
  /** Of the memory's speed. */
  readonly memory: number;
  /** Seconds to start one kernel from this program. */
  readonly launchSeconds: number;
  /** Floating-point operations that one thread of a processor does in a second. */
  readonly host: number;
}

export const usualEfficiency: Efficiency = { compute: 0.4, memory: 0.6, launchSeconds: 5e-6, host: 4e10 };

export interface TimePart {
  readonly name: string;
  readonly seconds: number;
  /** Floating-point operations; 0 where bytes decide. */
  readonly flops: number;
  readonly assumption: string;
}

/** A part that is matrix products over many rows. */
export type Products = (name: string, flops: number, assumption: string) => TimePart;

export function productsOn({ teraflops }: GpuFacts, { compute }: Efficiency): Products {
  return (name, flops, assumption) => ({ name, flops, seconds: flops / (teraflops * 1e12 * compute), assumption });
}
