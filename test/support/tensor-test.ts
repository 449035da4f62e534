// Tests of code that makes tensors.
import assert from "node:assert/strict";
import { test } from "node:test";
import { numLiveTensors, scope } from "../../src/tensor/index.ts";

/** A test whose body runs in a scope and leaves no tensor behind. */
export function tensorTest(name: string, body: () => void): void {
  test(name, () => {
    const before = numLiveTensors();
    scope(body);
    assert.equal(numLiveTensors(), before);
  });
}
