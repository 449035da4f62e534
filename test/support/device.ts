// Where the model tests run: OPPO_TEST_DEVICE, "cpu" unless told otherwise. `OPPO_TEST_DEVICE=cuda npm test -- models` runs
// the goldens of every model on a GPU, in float32 without TF32 as the goldens are, and in bfloat16.
import { setFlag, type Tensor } from "../../src/tensor/index.ts";

export const testDevice = process.env.OPPO_TEST_DEVICE ?? "cpu";

if (testDevice !== "cpu") setFlag("tf32", false);

/** On the host, where the goldens are. */
export function onHost(x: Tensor): Tensor {
  return x.device === "cpu" ? x : x.to({ device: "cpu" });
}

export function onDevice(x: Tensor): Tensor {
  return testDevice === "cpu" ? x : x.to({ device: testDevice });
}
