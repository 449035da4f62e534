// From a configuration to what learns: a policy, the reference that it is held to, the parameters that change and, where those
// are in half precision, their float32 masters.
import { OppoError } from "../error.ts";
import { addAdapter } from "../models/adapt.ts";
import { defaultLora } from "../models/lora/config.ts";
import type { OmniModel } from "../models/omni-model.ts";
import { loadModel } from "../models/registry.ts";
import { lengthOf, type Piece, pieceKey } from "../nn/index.ts";
import { deriveSeed } from "../seeds.ts";
import { byteSize, type DType, keep, noGrad, scope, type Tensor } from "../tensor/index.ts";
import { defaultsBySize } from "./by-size.ts";
import { learnerPart } from "./learner-part.ts";
import { type LearnerSettings, targetsOf } from "./learner-settings.ts";

export interface PolicyOptions
  extends Pick<LearnerSettings, "trainable" | "parts" | "lora" | "device" | "dtype" | "recompute">,
    Partial<Pick<LearnerSettings, "videoTime">> {
  /** The directory of the model to start from. */
  readonly model: string;
  readonly seed: number;
  /** No reference is needed: the policy stands in its place, and there is one model in memory. */
  readonly isAlone?: boolean;
  /** Which elements' masters this process keeps, where several share them; left out: all. */
  readonly shardOf?: (trainable: ReadonlyMap<string, Tensor>) => readonly Piece[];
}

/** An owner of its models. */
export interface OpenedPolicy extends Disposable {
  readonly policy: OmniModel;
  /** The frozen start of the policy. With an adapter it is the policy's own base: one model in memory. */
  readonly reference: OmniModel;
  /** The parameters that learn, by checkpoint key; they require gradients. */
  readonly trainable: ReadonlyMap<string, Tensor>;
  /**
   * float32, by the same keys: of the parameters that are computed with in half precision, whose updates would be lost in
   * their rounding. Made of what the directory stores, so that nothing of it is lost either.
   */
  readonly masters: ReadonlyMap<string, Tensor>;
  /** Whether towers or their projectors are among them: then their rows change with every step. */
  readonly trainsTowers: boolean;
  /** Of the whole model, the adapter left out. */
  readonly numParameters: number;
  /** Whether layers are to be computed again on the way back. */
  readonly recomputes: boolean;
  /** Told before a step's gradients: what an adapter's dropout leaves out is a function of (seed, step). */
  beginStep(step: number): void;
  /**
   * Writes `model`, a directory that can be loaded, in the numbers that are computed with; of an adapter merged, and beside
   * it `adapter` as PEFT does. @returns what it wrote
   */
  save(model: string, adapter: string): string[];
}

/** @throws CheckpointError, OppoError ERR_DEVICE, ERR_TRAINABLE */
export async function openPolicy(options: PolicyOptions): Promise<OpenedPolicy> {
  const base = await loadComputing(options);
  try {
    return options.trainable === "lora" ? adapted(base, options) : await copied(base, options);
  } catch (error) {
    base[Symbol.dispose]();
    throw error;
  }
}

/** The model in the numbers that it computes with: as asked for, or as stored where that is a type to compute with. */
async function loadComputing({ model, device, dtype, videoTime = null }: PolicyOptions): Promise<OmniModel> {
  const options = { device, checkValues: true, ...(videoTime === null ? {} : { videoTime }) };
  if (dtype !== null) return loadModel(model, { ...options, dtype });
  const stored = await loadModel(model, options);
  const other = computingTypes[stored.dtype];
  if (other === undefined) return stored;
  stored[Symbol.dispose]();
  return loadModel(model, { ...options, dtype: other });
}

/** Types that a checkpoint may have and that nothing is trained in. */
const computingTypes: Partial<Record<DType, DType>> = { float16: "bfloat16", float64: "float32" };

/** The policy is a second copy of its start, in the same numbers. */
async function copied(policy: OmniModel, options: PolicyOptions): Promise<OpenedPolicy> {
  const trainable = chosenParameters(policy, options);
  const { dtype, videoTime } = policy;
  const time = videoTime === null ? {} : { videoTime };
  const reference =
    options.isAlone === true ? policy : await loadModel(options.model, { device: options.device, dtype, ...time });
  try {
    const masters = dtype === "float32" ? new Map() : await mastersOf(trainable, options);
    const trainsTowers = [...trainable.keys()].some((name) => isOfTower(policy, name));
    return opened({ policy, reference, trainable, masters, trainsTowers, base: policy }, options);
  } catch (error) {
    if (reference !== policy) reference[Symbol.dispose]();
    throw error;
  }
}

/** Read once more as stored: what is kept in float32 has not been through the policy's type. */
async function mastersOf(
  trainable: ReadonlyMap<string, Tensor>,
  { model, device, shardOf }: PolicyOptions,
): Promise<Map<string, Tensor>> {
  using stored = await loadModel(model);
  const all = stored.parameters();
  const kept = (part: Tensor) => scope(() => keep(part.to({ device, dtype: "float32", copy: true })));
  return noGrad(() => {
    if (shardOf === undefined) return new Map([...trainable.keys()].map((name) => [name, kept(all.get(name)!)]));
    return new Map(
      shardOf(trainable).map((piece) => {
        const part = () => all.get(piece.name)!.reshape([-1]).narrow(0, piece.start, lengthOf(piece));
        return [pieceKey(piece), scope(() => kept(part()))];
      }),
    );
  });
}

/** The policy is its start with an adapter over it, which changes nothing yet. The adapter is float32. */
function adapted(base: OmniModel, options: PolicyOptions): OpenedPolicy {
  const { lora, seed } = options;
  const { rank, alpha, dropout } = lora;
  const targets = lora.targets === null ? defaultLora.targets : targetsOf(lora.targets);
  const policy = addAdapter(base, { ...defaultLora, rank, alpha, dropout, targets }, deriveSeed(seed, "adapter"));
  const trainable = policy.parameters();
  const trainsTowers = [...trainable.keys()].some((name) => isOfTower(policy, name));
  return {
    ...opened({ policy, reference: base, trainable, masters: new Map(), trainsTowers, base }, options),
    beginStep: (step) => policy.adapter.train(dropout === 0 ? null : deriveSeed(seed, "dropout", step)),
    save: (model, adapter) => {
      policy.save(adapter);
      policy.saveMerged(model);
      return [model, adapter];
    },
  };
}

interface Opened extends Pick<OpenedPolicy, "policy" | "reference" | "trainable" | "masters" | "trainsTowers"> {
  readonly base: OmniModel;
}

function opened({ base, ...models }: Opened, { trainable: kind, recompute }: PolicyOptions): OpenedPolicy {
  const { policy, reference, trainable, masters } = models;
  for (const parameter of trainable.values()) parameter.requiresGrad = true;
  const numParameters = [...base.parameters().values()].reduce((sum, { numel }) => sum + numel, 0);
  return {
    ...models,
    numParameters,
    beginStep: () => undefined,
    save: (model) => {
      policy.save(model);
      return [model];
    },
    recomputes: recompute === "auto" ? defaultsBySize(numParameters, kind).recomputes : recompute === "on",
    [Symbol.dispose]() {
      for (const master of masters.values()) master.dispose();
      policy[Symbol.dispose]();
      if (reference !== policy) reference[Symbol.dispose]();
    },
  };
}

/** @throws OppoError ERR_TRAINABLE */
function chosenParameters(policy: OmniModel, { trainable, parts }: PolicyOptions): ReadonlyMap<string, Tensor> {
  if (trainable === "decoder") return outsideTowers(policy);
  const wanted = new Set<string>(parts);
  const chosen = new Map([...policy.parameters()].filter(([name]) => wanted.has(learnerPart(policy, name))));
  if (chosen.size > 0) return chosen;
  throw new OppoError(
    "ERR_TRAINABLE",
    `parts: expected parts that the model has, got ${parts.join(", ")}, which has no parameter in ${policy.directory}. Choose decoder.`,
  );
}

/** A tower's own, or its projector's. */
function isOfTower(policy: OmniModel, name: string): boolean {
  return policy.partOf(name).endsWith(" tower");
}

/** The decoder and its head. Towers, and what decides how a prompt reads their rows, stay frozen: rows are encoded once. */
export function outsideTowers(policy: OmniModel): Map<string, Tensor> {
  return new Map([...policy.parameters()].filter(([name]) => learnerPart(policy, name) === "decoder"));
}

const bytesPerNumber = 4;

/** What of a run lies on the disk at once. */
export interface CopiesOnDisk {
  readonly models: number;
  /** With the optimizer's two moments. */
  readonly checkpoints: number;
  /** Of what learns, without moments. */
  readonly weights: number;
}

/** One model; a new checkpoint is written before the old one goes. */
const plainRun: CopiesOnDisk = { models: 1, checkpoints: 2, weights: 0 };
const numbersPerCheckpoint = 3;

export function bytesOnDisk(
  { policy, numParameters, trainable }: OpenedPolicy,
  { models, checkpoints, weights }: CopiesOnDisk = plainRun,
): number {
  const numTrainable = [...trainable.values()].reduce((sum, { numel }) => sum + numel, 0);
  const copies = numbersPerCheckpoint * checkpoints + weights;
  return models * byteSize(policy.dtype) * numParameters + copies * bytesPerNumber * numTrainable;
}
