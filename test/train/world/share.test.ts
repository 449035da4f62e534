// Whose part of a step is whose, and which GPU a process takes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { deviceOf } from "../../../src/train/world/run-world.ts";
import { hasUnits, partsOf } from "../../../src/train/world/share.ts";

test("every completion is one rank's, as evenly as it goes, whole groups together where there are enough", () => {
  for (const [items, units, size] of [
    [8, 4, 16],
    [3, 4, 4],
    [8, 4, 2],
    [1, 2, 3],
    [5, 1, 2],
  ] as const) {
    const owners = Array.from({ length: items }, () => new Array<number>(units).fill(-1));
    const counts = new Array<number>(size).fill(0);
    for (let rank = 0; rank < size; rank++) {
      for (const [item, { start, end }] of partsOf({ rank, size }, items, units).entries()) {
        for (let unit = start; unit < end; unit++) {
          assert.equal(owners[item]![unit], -1);
          owners[item]![unit] = rank;
          counts[rank]!++;
        }
      }
    }
    assert.ok(owners.flat().every((owner) => owner >= 0));
    assert.ok(Math.max(...counts) - Math.min(...counts) <= 1);
    if (items % size === 0) for (const group of owners) assert.equal(new Set(group).size, 1);
  }
  assert.deepEqual(partsOf({ rank: 0, size: 1 }, 2, 4), [
    { start: 0, end: 4 },
    { start: 0, end: 4 },
  ]);
  assert.equal(partsOf({ rank: 0, size: 3 }, 1, 2).some(hasUnits), false);
});

test("cuda is a GPU for each process; one GPU for all is refused", () => {
  const known = ["cpu", "cuda:0", "cuda:1"];
  assert.equal(deviceOf({ localRank: 1 }, "cuda", known), "cuda:1");
  assert.equal(deviceOf({ localRank: 3 }, "cuda", ["cpu", "cuda:0"]), "cuda:0");
  assert.equal(deviceOf({ localRank: 1 }, "cpu", known), "cpu");
  for (const [localRank, device] of [
    [2, "cuda"],
    [1, "cuda:0"],
  ] as const) {
    assert.throws(() => deviceOf({ localRank }, device, known), { code: "ERR_DEVICE" });
  }
});
