// What we write is what our reader and NumPy's rules expect.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readNpy } from "../../../src/data/numpy/npz.ts";
import { npyBytes } from "../../../src/data/numpy/write-npy.ts";

test("a matrix and an empty one", () => {
  const values = Float32Array.of(1, -2.5, 3e30, 0, 1e-40, -1);
  const bytes = npyBytes(values, [2, 3]);
  const dataStart = bytes.length - values.byteLength;
  assert.equal(dataStart % 64, 0);
  const header = Buffer.from(bytes.subarray(10, dataStart)).toString("latin1");
  assert.equal(header.trimEnd(), "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }");
  assert.equal(header.at(-1), "\n");
  const array = readNpy(bytes, "x.npy", { maxBytes: 1e6 } as never);
  assert.deepEqual(array.shape, [2, 3]);
  assert.deepEqual(Array.from(array.values as ArrayLike<number>), [...values]);
  assert.deepEqual(readNpy(npyBytes(new Float32Array(0), [0, 64]), "x.npy", { maxBytes: 1e6 } as never).shape, [0, 64]);
});
