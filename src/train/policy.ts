// From a configuration to what learns: a policy, the reference that it is held to, and the parameters that change.
import { addAdapter } from "../models/adapt.ts";
import { defaultLora } from "../models/lora/config.ts";
import type { OmniModel } from "../models/omni-model.ts";
import { loadModel } from "../models/registry.ts";
import { deriveSeed } from "../seeds.ts";
import type { Tensor } from "../tensor/index.ts";

export interface PolicyOptions {
  /** The directory of the model to start from. */
  readonly model: string;
  /** "full": every parameter. "decoder": all but the towers. "lora": an adapter on the decoder's projections. */
  readonly trainable: "full" | "decoder" | "lora";
  readonly lora: { readonly rank: number; readonly alpha: number };
  readonly device: string;
  readonly seed: number;
}

/** An owner of its models. */
export interface OpenedPolicy extends Disposable {
  readonly policy: OmniModel;
  /** The frozen start of the policy. With an adapter it is the policy's own base: one model in memory. */
  readonly reference: OmniModel;
  /** The parameters that learn, by checkpoint key; they require gradients. */
  readonly trainable: ReadonlyMap<string, Tensor>;
  /** Whether towers are among them: then their rows change with every step. */
  readonly trainsTowers: boolean;
}

/** @throws CheckpointError, OppoError ERR_DEVICE */
export async function openPolicy(options: PolicyOptions): Promise<OpenedPolicy> {
  const load = () => loadModel(options.model, { device: options.device });
  if (options.trainable === "lora") return adapted(await load(), options);
  return copied(await load(), load, options.trainable === "full");
}

/** The policy is a second copy of its start. */
async function copied(policy: OmniModel, load: () => Promise<OmniModel>, trainsTowers: boolean): Promise<OpenedPolicy> {
  try {
    return opened(policy, await load(), trainsTowers ? policy.parameters() : outsideTowers(policy), trainsTowers);
  } catch (error) {
    policy[Symbol.dispose]();
    throw error;
  }
}

/** The policy is its start with an adapter over it, which changes nothing yet. */
function adapted(base: OmniModel, { lora, seed }: PolicyOptions): OpenedPolicy {
  try {
    const policy = addAdapter(base, { ...defaultLora, ...lora }, deriveSeed(seed, "adapter"));
    return opened(policy, base, policy.parameters(), false);
  } catch (error) {
    base[Symbol.dispose]();
    throw error;
  }
}

function opened(
  policy: OmniModel,
  reference: OmniModel,
  trainable: ReadonlyMap<string, Tensor>,
  trainsTowers: boolean,
): OpenedPolicy {
  for (const parameter of trainable.values()) parameter.requiresGrad = true;
  return {
    policy,
    reference,
    trainable,
    trainsTowers,
    [Symbol.dispose]() {
      policy[Symbol.dispose]();
      reference[Symbol.dispose]();
    },
  };
}

/** Everything but the towers, which stay frozen: their rows are encoded once. */
export function outsideTowers(policy: OmniModel): Map<string, Tensor> {
  const towers = ["vision tower", "audio tower"];
  return new Map([...policy.parameters()].filter(([name]) => !towers.includes(policy.partOf(name))));
}
