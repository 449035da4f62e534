// The loss of a few steps of the cold start and of OPPO, pinned: a commit that changes a step by more than rounding changes these
// numbers, and has to say why.
import assert from "node:assert/strict";
import { test } from "node:test";
import { torchVersion } from "../../src/tensor/index.ts";
import { testDevice } from "../support/device.ts";
import { type SmallSteps, smallSteps, withSmallModel } from "../support/small-steps.ts";

/**
 * Made with libtorch 1.13 on the CPU, with the vocabulary of the theatre's present world: new words make another fresh model.
 * Other versions, processors and devices add in another order.
 */
const relativeTolerance = torchVersion().startsWith("1.13") && !testDevice.startsWith("cuda") ? 2e-4 : 2e-3;
const pinned = {
  sft: [7.458866, 6.071184, 5.287952, 4.488949],
  oppo: [0.383709, 0.322625, 0.256323],
  klVideo: [0.0988257, 0.146319, 0.22252],
  gradNorm: [1.505644, 1.675827, 2.109218],
};

/** The largest difference of two curves, in shares of the first. */
function distance(expected: typeof pinned, got: SmallSteps): number {
  const names = Object.keys(expected) as (keyof typeof pinned)[];
  return Math.max(
    ...names.flatMap((name) => expected[name].map((value, i) => Math.abs(value - got[name][i]!) / Math.abs(value))),
  );
}

test("the loss curve is the pinned one, and another objective's is not", () =>
  withSmallModel(async (directory) => {
    const got = await smallSteps(directory, { device: testDevice });
    assert.ok(distance(pinned, got) < relativeTolerance, JSON.stringify(got));
    const other = await smallSteps(directory, { device: testDevice, step: { anchorWeight: 0.21 } });
    assert.ok(distance(pinned, other) > relativeTolerance, "a little more of the anchor is seen");
  }));
