// Where every random number of a run starts: one seed, and a key that says what is drawn. Keys name the thing (a step, a
// sample, a rollout), never the process or the order in which things happen to run, so results do not depend on either.

import { createHash } from "node:crypto";

/**
 * A seed in [0, 2^53) for one purpose, the same on every machine: `deriveSeed(7, "rollout", step, sample.id, index)`.
 * Parts of different type or cut differently give different seeds (`1` and `"1"`, `"a", "b"` and `"ab"`).
 */
export function deriveSeed(seed: number, ...parts: readonly (number | string)[]): number {
  const digest = createHash("sha256")
    .update(JSON.stringify([seed, ...parts]))
    .digest();
  // 53 bits are what a double holds exactly: 21 from the first word, 32 from the second.
  return (digest.readUInt32BE(0) >>> 11) * 2 ** 32 + digest.readUInt32BE(4);
}

/** As `deriveSeed`, in [0, 2^32): for generators that take a 32-bit seed. */
export function deriveSeed32(seed: number, ...parts: readonly (number | string)[]): number {
  return deriveSeed(seed, ...parts) % 2 ** 32;
}
