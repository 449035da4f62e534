// Where the tests of models and training run: OPPO_TEST_DEVICE, "cpu" unless told otherwise. "cuda" is a GPU, in float32
// without TF32 as the goldens are, and in bfloat16; "fake" is the strict device of fake-device/, for machines without one.
// The suites of the models, the step (test/rl) and the loss curve follow it. Others stay on the CPU: operators one by one
// (test/tensor, test/nn) are libtorch's business on a device, and commands and recipes hand a device on to what is tested here.
// Example: `OPPO_TEST_DEVICE=fake node scripts/test.mjs models`
import { setFlag, type Tensor } from "../../src/tensor/index.ts";
import { fakeDevice, loadFakeDevice } from "./fake-device/fake-device.ts";

/** Whether it is the one of fake-device/. */
export const isFake = process.env.OPPO_TEST_DEVICE === "fake";

export const testDevice = await chosenDevice();

async function chosenDevice(): Promise<string> {
  if (!isFake) return process.env.OPPO_TEST_DEVICE ?? "cpu";
  await loadFakeDevice();
  return fakeDevice;
}

if (testDevice !== "cpu") setFlag("tf32", false);

/** On the host, where the goldens are. */
export function onHost(x: Tensor): Tensor {
  return x.device === "cpu" ? x : x.to({ device: "cpu" });
}

export function onDevice(x: Tensor): Tensor {
  return testDevice === "cpu" ? x : x.to({ device: testDevice });
}
