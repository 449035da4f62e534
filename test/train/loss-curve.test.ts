// The loss of a few steps of the cold start and of OPPO, pinned: a commit that changes a step by more than rounding changes these
// numbers, and has to say why.
import assert from "node:assert/strict";
import { test } from "node:test";
import { torchVersion } from "../../src/tensor/index.ts";
import { testDevice } from "../support/device.ts";
import { type SmallSteps, smallSteps, withSmallModel } from "../support/small-steps.ts";

/** Made with libtorch 1.13 on the CPU; other versions, processors and devices add in another order. */
const relativeTolerance = torchVersion().startsWith("1.13") && !testDevice.startsWith("cuda") ? 2e-4 : 2e-3;
const pinned = {
  sft: [7.446867, 5.804193, 4.727818, 3.796359],
  oppo: [0.479237, 0.381821, 0.293909],
  klVideo: [0.0980672, 0.163498, 0.222621],
  gradNorm: [2.103122, 2.052834, 3.854883],
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
