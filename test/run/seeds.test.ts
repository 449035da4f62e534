// Seeds: a key gives the same number everywhere, and different keys different numbers.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { deriveSeed, deriveSeed32 } from "../../src/run/seeds.ts";

const GOLDEN_SEED = 1136871584601965;
const FIVE_STANDARD_ERRORS = 0.015;

describe("deriveSeed", () => {
  it("is the first 53 bits of the SHA-256 of the key", () => {
    // python3: h = sha256(b'[7,"rollout",3,"train-00012",1]').digest(); (int.from_bytes(h[:4]) >> 11 << 32) + int.from_bytes(h[4:8])
    assert.equal(deriveSeed(7, "rollout", 3, "train-00012", 1), GOLDEN_SEED);
    assert.equal(deriveSeed32(7, "rollout", 3, "train-00012", 1), GOLDEN_SEED % 2 ** 32);
    assert.notEqual(deriveSeed(8, "rollout", 3, "train-00012", 1), GOLDEN_SEED);
  });

  it("keeps keys of different form apart and gives no repeats over a run's keys", () => {
    assert.notEqual(deriveSeed(1, "ab"), deriveSeed(1, "a", "b"));
    assert.notEqual(deriveSeed(1, 1), deriveSeed(1, "1"));
    const seeds = new Set<number>();
    for (let step = 0; step < 100; step++)
      for (let rollout = 0; rollout < 100; rollout++) seeds.add(deriveSeed(7, step, rollout));
    assert.equal(seeds.size, 10_000);
    for (const seed of seeds) assert.ok(Number.isSafeInteger(seed) && seed >= 0);
    // The mean of uniform draws from [0, 1) is 0.5 with a standard error of 0.289 / sqrt(10000) = 0.003.
    const mean = [...seeds].reduce((sum, seed) => sum + seed / 2 ** 53, 0) / seeds.size;
    assert.ok(Math.abs(mean - 0.5) < FIVE_STANDARD_ERRORS, String(mean));
  });
});
