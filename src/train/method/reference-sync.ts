// Moves the reference towards the policy every so many steps (TR-DPO, Gorbatovski et al. 2024), so that a long run is held to where
// it was lately. What moved is part of a checkpoint.
import { noGrad, scope, type Tensor } from "../../tensor/index.ts";
import type { OpenedPolicy } from "../policy.ts";

export interface ReferenceSync {
  /** What moves, by checkpoint key: the reference's numbers, of which a run that goes on needs the latest. */
  readonly moving: ReadonlyMap<string, Tensor>;
  /** Told after the last update of a step; moves the reference when it is due. */
  afterStep(step: number): void;
}

/** @param every steps @param mix share of the policy in the reference afterwards */
export function referenceSync(
  { reference, trainable, masters }: Pick<OpenedPolicy, "reference" | "trainable" | "masters">,
  every: number,
  mix: number,
): ReferenceSync {
  const parameters = reference.parameters();
  const moving = new Map([...trainable.keys()].map((name) => [name, parameters.get(name)!]));
  return {
    moving,
    afterStep(step) {
      if ((step + 1) % every !== 0) return;
      noGrad(() => {
        for (const [name, parameter] of trainable) {
          // In float32, and of the master where there is one: a half-precision reference is rounded once.
          scope(() => {
            const target = moving.get(name)!;
            const policy = (masters.get(name) ?? parameter).detach().to({ dtype: "float32" });
            target.copy_(
              target
                .to({ dtype: "float32" })
                .mul(1 - mix)
                .add(policy.mul(mix)),
            );
          });
        }
      });
    },
  };
}
