// The processes that compute together. Every rank calls the same methods in the same order; `what` names a call in errors. A lone
// process is a world of one, for which nothing is sent.
import type { Tensor } from "../tensor.ts";

/** Owner of its connections. */
export interface World extends Disposable {
  /** 0 to size - 1; rank 0 writes what is written once. */
  readonly rank: number;
  readonly size: number;
  /** Element by element over all ranks, in double precision. */
  sum(what: string, values: readonly number[]): number[];
  max(what: string, values: readonly number[]): number[];
  /** The sum over all ranks in place, the same bits on each. */
  allReduce(what: string, tensor: Tensor): void;
  /** `part` becomes this rank's part of the sum of `whole` [size * part], whose content is lost. */
  reduceScatter(what: string, part: Tensor, whole: Tensor): void;
  /** `whole` [size * part] becomes all parts in the order of the ranks. */
  allGather(what: string, whole: Tensor, part: Tensor): void;
  /** A small value of every rank, in their order: what `structuredClone` takes, typed arrays among it. */
  gather<T>(what: string, value: T): T[];
  /**
   * Rank 0 does it, the others wait as long as it takes and get what it gave. What it throws with `isShared` is thrown by all.
   */
  first<T>(what: string, body: () => T | Promise<T>, isShared?: (error: unknown) => boolean): Promise<T>;
  /** Tells the others why this rank ends, before it does. */
  fail(reason: string): void;
  /** Before its end: where this rank serves the store, the others may still need it. Waits for them, so many seconds at most. */
  leave(seconds: number): Promise<void>;
}

/** One process. */
export const alone: World = {
  rank: 0,
  size: 1,
  sum: (_, values) => [...values],
  max: (_, values) => [...values],
  allReduce() {},
  reduceScatter: (_, part, whole) => void part.copy_(whole),
  allGather: (_, whole, part) => void whole.copy_(part),
  gather: (_, value) => [value],
  first: async (_, body) => await body(),
  fail() {},
  async leave() {},
  [Symbol.dispose]() {},
};
