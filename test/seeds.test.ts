// Seeds: a key gives the same number everywhere, and different keys different numbers.
import assert from "node:assert/strict";
import { test } from "node:test";
import { deriveSeed, deriveUniform } from "../src/seeds.ts";

const fiveStandardErrors = 5;

test("known keys keep their numbers: corpora are made from them", () => {
  // FNV-1a of the text "7/test/0" and so on, then murmur3's fmix32; the theatre's scenes have had these from the start.
  assert.equal(deriveSeed(7, "test", 0), 1243336989);
  assert.equal(deriveSeed(7, "test", 1), 2638692886);
  assert.equal(deriveSeed(1, "warm-up", 999), 2500710351);
  assert.equal(deriveSeed(12345678901, "rl", 3), 3019127154);
  assert.equal(deriveSeed(-3, "a.b_c", 1), 2226502851);
});

test("keys of different form are kept apart", () => {
  const seeds = [
    deriveSeed(1, "ab"),
    deriveSeed(1, "a", "b"),
    deriveSeed(1, "a/b"),
    deriveSeed(1, 'a"/"b'),
    deriveSeed(1, "b", "a"),
    deriveSeed(1, 1),
    deriveSeed(1, "1"),
    deriveSeed(1),
    deriveSeed(1, ""),
    deriveSeed(1 + 2 ** 32),
  ];
  assert.equal(new Set(seeds).size, seeds.length);
  assert.equal(deriveSeed(1, "a", "b"), seeds[1]);
});

test("neighbouring keys give unrelated, evenly spread seeds", () => {
  const numKeys = 10_000;
  const seeds = Array.from({ length: numKeys }, (_, i) => deriveSeed(7, "step", Math.floor(i / 100), i % 100));
  // 10,000 draws of 2^32 values repeat 0.01 times.
  assert.equal(new Set(seeds).size, numKeys);
  for (const seed of seeds) assert.ok(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32);
  // A fair bit is set in half of the draws, with a standard error of sqrt(numKeys) / 2; so is its change to the next key.
  const tolerance = (fiveStandardErrors * Math.sqrt(numKeys)) / 2;
  for (let bit = 0; bit < 32; bit++) {
    const set = seeds.filter((seed) => (seed >>> bit) & 1).length;
    const flipped = seeds.filter((seed, i) => ((seed ^ seeds[(i + 1) % numKeys]!) >>> bit) & 1).length;
    assert.ok(Math.abs(set - numKeys / 2) < tolerance, `bit ${bit} is set ${set} times`);
    assert.ok(Math.abs(flipped - numKeys / 2) < tolerance, `bit ${bit} flips ${flipped} times`);
  }
  const uniform = deriveUniform(7, "step", 0, 0);
  assert.equal(uniform * 2 ** 32, seeds[0]);
});
