// An adapter that changes what a model says, which a fresh one does not.
import { addAdapter } from "../../src/models/adapt.ts";
import { defaultLora } from "../../src/models/lora/config.ts";
import type { AdaptedModel, OmniModel } from "../../src/models/omni-model.ts";
import { Generator, noGrad, op, scope } from "../../src/tensor/index.ts";

/** @param rank of its matrices @param size standard deviation of B */
export function loudAdapter(base: OmniModel, seed: number, { rank = 4, size = 0.3 } = {}): AdaptedModel {
  const adapted = addAdapter(base, { ...defaultLora, rank }, seed);
  using generator = new Generator(seed);
  noGrad(() =>
    scope(() => {
      for (const [name, value] of adapted.parameters()) {
        if (name.endsWith("lora_B.weight")) value.copy_(op.randn(value.shape, { generator }).mul(size));
      }
    }),
  );
  return adapted;
}
