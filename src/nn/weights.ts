// Weights by checkpoint path. A model asks for every parameter by name and shape while it is built; the store behind
// finds it in safetensors files or draws it, remembers it under its full path, and owns it. Problems are collected, so
// that one error lists every missing, unexpected and misshapen weight.
import {
  CheckpointError,
  type DType,
  type Generator,
  keep,
  noGrad,
  op,
  type SafetensorsFile,
  scope,
  type Tensor,
} from "../tensor/index.ts";

/** How a weight starts that no checkpoint gives: constant, or drawn from N(0, normal^2) or U(-uniform, uniform). */
export type Initial = "zeros" | "ones" | { readonly normal: number } | { readonly uniform: number };

/** The usual start of transformer weights. */
export const defaultInitial: Initial = { normal: 0.02 };

export interface WeightOptions {
  readonly dtype?: DType;
  readonly device?: string;
  /** Whether the parameters learn; true unless given. */
  readonly requiresGrad?: boolean;
}

/** Where weights come from. */
interface WeightSource {
  take(path: string, shape: readonly number[], initial: Initial): Tensor;
  /** Complains about everything that went wrong. */
  finish(): void;
}

/** Owns the parameters of one model, by full checkpoint path, in the order in which they were built. */
export class WeightStore implements Disposable {
  readonly parameters: ReadonlyMap<string, Tensor>;
  readonly root: Weights;
  readonly #parameters = new Map<string, Tensor>();
  readonly #source: WeightSource;
  readonly #requiresGrad: boolean;

  constructor(source: WeightSource, options: WeightOptions) {
    this.#source = source;
    this.#requiresGrad = options.requiresGrad ?? true;
    this.parameters = this.#parameters;
    this.root = new Weights(this, "");
  }

  /** The parameter at a path; asking twice gives the same tensor, which is how weights are tied. */
  take(path: string, shape: readonly number[], initial: Initial): Tensor {
    const known = this.#parameters.get(path);
    if (known !== undefined) return known;
    const tensor = noGrad(() => scope(() => keep(this.#source.take(path, shape, initial))));
    tensor.requiresGrad = this.#requiresGrad;
    this.#parameters.set(path, tensor);
    return tensor;
  }

  /** Ends building. @throws CheckpointError ERR_CHECKPOINT_WEIGHTS with every missing, unexpected and misshapen weight. */
  finish(): void {
    this.#source.finish();
  }

  [Symbol.dispose](): void {
    for (const tensor of this.#parameters.values()) tensor.dispose();
    this.#parameters.clear();
  }
}

/** A place in the tree of weights: `weights.at("layers").at(0).tensor("mlp.up_proj.weight", [F, D])`. */
export class Weights {
  readonly path: string;
  readonly #store: WeightStore;

  constructor(store: WeightStore, path: string) {
    this.#store = store;
    this.path = path;
  }

  at(name: string | number): Weights {
    return new Weights(this.#store, this.#join(name));
  }

  /** A parameter that the store owns. Shapes are checked against the checkpoint; `initial` is for models from scratch. */
  tensor(name: string, shape: readonly number[], initial: Initial = defaultInitial): Tensor {
    return this.#store.take(this.#join(name), shape, initial);
  }

  #join(name: string | number): string {
    return this.path === "" ? String(name) : `${this.path}.${name}`;
  }
}

/** Draws every weight, in building order, from one generator. */
export function freshWeights(generator: Generator, options: WeightOptions = {}): WeightStore {
  const dtype = options.dtype ?? "float32";
  const device = options.device ?? "cpu";
  const draw = (shape: readonly number[], initial: Initial): Tensor => {
    if (initial === "zeros") return op.zeros(shape);
    if (initial === "ones") return op.ones(shape);
    if ("normal" in initial) return op.randn(shape, { generator }).mul_(initial.normal);
    return op
      .rand(shape, { generator })
      .mul_(2 * initial.uniform)
      .sub_(initial.uniform);
  };
  const take = (_path: string, shape: readonly number[], initial: Initial) =>
    op.to(draw(shape, initial), { dtype, device });
  return new WeightStore({ take, finish() {} }, options);
}

export interface LoadOptions extends WeightOptions {
  /** Uses the mapped file's pages instead of a copy: for models that are large and do not learn. */
  readonly mapped?: boolean;
  /** Weights of the files that may stay unused ("talker." of an omni checkpoint). */
  readonly ignore?: (path: string) => boolean;
}

interface Problems {
  readonly missing: string[];
  readonly misshapen: string[];
}

/** Reads every weight from safetensors files, which may be disposed after `finish()`. The dtype is the file's unless given. */
export function loadedWeights(files: readonly SafetensorsFile[], options: LoadOptions = {}): WeightStore {
  const owner = new Map<string, SafetensorsFile>();
  for (const file of files) for (const path of file.entries.keys()) owner.set(path, file);
  const unused = new Set(owner.keys());
  const problems: Problems = { missing: [], misshapen: [] };
  const take = (path: string, shape: readonly number[]): Tensor => {
    const file = owner.get(path);
    unused.delete(path);
    if (file === undefined) {
      problems.missing.push(path);
      return op.zeros(shape);
    }
    const stored = file.entries.get(path)!;
    if (stored.shape.join() !== shape.join()) {
      problems.misshapen.push(`${path}: expected [${shape.join(", ")}], got [${stored.shape.join(", ")}]`);
      return op.zeros(shape);
    }
    return adopt(file.tensor(path), options);
  };
  const finish = (): void => {
    const unexpected = [...unused].filter((path) => !options.ignore?.(path));
    reportProblems(files.map((file) => file.path).join(", "), problems, unexpected);
  };
  return new WeightStore({ take, finish }, options);
}

function adopt(stored: Tensor, options: LoadOptions): Tensor {
  const target = { dtype: options.dtype ?? stored.dtype, device: options.device ?? "cpu" };
  return op.to(stored, { ...target, copy: !options.mapped });
}

const maxListed = 20;

function reportProblems(file: string, problems: Problems, unexpected: readonly string[]): void {
  const lists = { missing: problems.missing, unexpected, misshapen: problems.misshapen };
  const lines = Object.entries(lists).flatMap(([what, paths]) => {
    if (paths.length === 0) return [];
    const shown = paths.slice(0, maxListed).map((path) => `\n    ${path}`);
    const rest = paths.length > maxListed ? `\n    and ${paths.length - maxListed} more` : "";
    return [`\n  ${paths.length} ${what}:${shown.join("")}${rest}`];
  });
  if (lines.length === 0) return;
  const message = `the weights do not fit the model. Check that config and checkpoint belong together.${lines.join("")}`;
  throw new CheckpointError("ERR_CHECKPOINT_WEIGHTS", file, message);
}
