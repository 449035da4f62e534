// Which parameters of a model learn.
import type { OmniModel } from "../models/omni-model.ts";
import type { Tensor } from "../tensor/index.ts";

/** Everything but the towers, which stay frozen after their warm-up. */
export function trainableParameters(policy: OmniModel): Map<string, Tensor> {
  return new Map(
    [...policy.parameters()].filter(([name]) => !name.startsWith("visual.") && !name.startsWith("audio_tower.")),
  );
}
