// AdamW with decoupled weight decay (Loshchilov and Hutter 2019), the numbers of torch.optim.AdamW:
//   p *= 1 - lr*decay;  m = lerp(m, g, 1 - b1);  v = b2*v + (1 - b2)*g^2;  p -= lr/(1 - b1^t) * m / (sqrt(v)/sqrt(1 - b2^t) + eps)
// Where libtorch has a fused update it is used, otherwise a loop of in-place operators per tensor, which on the CPU is
// as fast as the list operators and needs less memory.
// A parameter in half precision may have a float32 master: the master is updated, moments and all, and the parameter is its
// rounded copy. An update of 2e-6 is far below a bfloat16's step of 1/256 of its value, and would be lost without one.
import { CheckpointError, hasOperator, keep, noGrad, op, scope, type Tensor, tensor } from "../tensor/index.ts";

export interface ParameterGroup {
  readonly parameters: readonly Tensor[];
  /**
   * float32, in the order of `parameters`: what is updated in their place; of a parameter without a master, itself. Borrowed;
   * left out, the parameters.
   */
  readonly masters?: readonly Tensor[];
  /** Of the parameters, for the keys of the state; left out, they are numbered through. */
  readonly names?: readonly string[];
  /** Multiplies the learning rate of this group. */
  readonly lrScale?: number;
  /** Replaces the optimizer's weight decay for this group. */
  readonly weightDecay?: number;
}

export interface AdamWOptions {
  readonly lr: number;
  readonly betas?: readonly [number, number];
  readonly eps?: number;
  readonly weightDecay?: number;
  /** Forces the fused update on or off; by default it is on where it exists. */
  readonly fused?: boolean;
}

/** One parameter with its moments. A parameter without a gradient is left alone, and its step count too. */
interface Slot {
  /** null: known by its number. */
  readonly name: string | null;
  readonly parameter: Tensor;
  /** What is updated: the parameter, or its master. */
  readonly master: Tensor;
  readonly mean: Tensor;
  readonly square: Tensor;
  /** Scalar view into the steps tensor, which the fused update reads. */
  readonly stepView: Tensor;
  step: number;
}

interface Group {
  readonly slots: readonly Slot[];
  readonly lrScale: number;
  readonly weightDecay: number;
}

const fusedName = "_fused_adamw_";
/** Of gradients that are copied to their masters' type at once. */
const maxCopiedElements = 2 ** 27;

export class AdamW implements Disposable {
  readonly #groups: readonly Group[];
  readonly #steps: Tensor;
  readonly #lr: number;
  readonly #betas: readonly [number, number];
  readonly #eps: number;
  readonly #isFused: boolean;

  constructor(groups: readonly ParameterGroup[], options: AdamWOptions) {
    this.#lr = options.lr;
    this.#betas = options.betas ?? [0.9, 0.999];
    this.#eps = options.eps ?? 1e-8;
    this.#isFused = options.fused ?? hasOperator(fusedName);
    const all = groups.flatMap((group) => group.parameters);
    // The fused update wants the counts where the parameters are.
    this.#steps = scope(() => keep(op.zeros([all.length], { device: all[0]?.device ?? "cpu" })));
    let index = 0;
    const slot = (parameter: Tensor, master: Tensor, name: string | null): Slot => {
      const stepView = keep(this.#steps.select(0, index++));
      return {
        name,
        parameter,
        master,
        mean: keep(op.zerosLike(master)),
        square: keep(op.zerosLike(master)),
        stepView,
        step: 0,
      };
    };
    this.#groups = noGrad(() =>
      groups.map(({ parameters, masters = parameters, names, lrScale = 1, weightDecay = options.weightDecay ?? 0 }) => {
        const slots = scope(() => parameters.map((parameter, i) => slot(parameter, masters[i]!, names?.[i] ?? null)));
        return { slots, lrScale, weightDecay };
      }),
    );
  }

  /** One update from the parameters' gradients. */
  step(lr: number = this.#lr): void {
    noGrad(() => {
      for (const group of this.#groups) {
        const { weightDecay } = group;
        scope(() => {
          if (this.#isFused) this.#updateInParts(group.slots, lr * group.lrScale, weightDecay);
          else for (const slot of group.slots) this.#update(slot, lr * group.lrScale, weightDecay);
        });
      }
    });
  }

  zeroGrad(): void {
    for (const { slots } of this.#groups) for (const { parameter } of slots) parameter.grad = null;
  }

  #update(slot: Slot, lr: number, weightDecay: number): void {
    const { parameter, master, mean, square } = slot;
    scope(() => {
      const gradient = parameter.grad?.to({ dtype: master.dtype });
      if (gradient === undefined) return;
      const [b1, b2] = this.#betas;
      const t = ++slot.step;
      if (weightDecay !== 0) master.mul_(1 - lr * weightDecay);
      mean.lerp_(gradient, 1 - b1);
      square.mul_(b2).addcmul_(gradient, gradient, { value: 1 - b2 });
      const denominator = square
        .sqrt()
        .div_(Math.sqrt(1 - b2 ** t))
        .add_(this.#eps);
      master.addcdiv_(mean, denominator, { value: -lr / (1 - b1 ** t) });
      if (master !== parameter) parameter.copy_(master);
    });
  }

  /** Gradients in half precision are copied for the update: not all of a large model's at once. */
  #updateInParts(slots: readonly Slot[], lr: number, weightDecay: number): void {
    let part: Slot[] = [];
    let copied = 0;
    const finish = () => {
      scope(() => this.#updateFused(part, lr, weightDecay));
      part = [];
      copied = 0;
    };
    for (const slot of slots) {
      const size = slot.master === slot.parameter ? 0 : slot.master.numel;
      if (copied > 0 && copied + size > maxCopiedElements) finish();
      part.push(slot);
      copied += size;
    }
    finish();
  }

  #updateFused(all: readonly Slot[], lr: number, weightDecay: number): void {
    const slots: Slot[] = [];
    const gradients: Tensor[] = [];
    for (const slot of all) {
      const gradient = slot.parameter.grad?.to({ dtype: slot.master.dtype });
      if (gradient === undefined) continue;
      slot.step++;
      slots.push(slot);
      gradients.push(gradient);
    }
    if (slots.length === 0) return;
    const list = (pick: (slot: Slot) => Tensor): Tensor[] => slots.map(pick);
    const steps = list((slot) => slot.stepView);
    op.foreachAdd_(steps, 1);
    const [beta1, beta2] = this.#betas;
    const numbers = { lr, beta1, beta2, weightDecay, eps: this.#eps, amsgrad: false, maximize: false };
    op.fusedAdamw_(
      list((slot) => slot.master),
      gradients,
      list((s) => s.mean),
      list((s) => s.square),
      [],
      steps,
      numbers,
    );
    for (const { parameter, master } of slots) if (master !== parameter) parameter.copy_(master);
  }

  /** Makes every parameter what its master is, after masters were loaded. */
  copyMasters(): void {
    noGrad(() => {
      for (const { parameter, master } of this.#slots()) if (master !== parameter) parameter.copy_(master);
    });
  }

  #slots(): Slot[] {
    return this.#groups.flatMap((group) => group.slots);
  }

  /**
   * The state by key, for a checkpoint: views of it, owned by the optimizer; write them before the next step. Of a parameter with
   * a name step.NAME, exp_avg.NAME and exp_avg_sq.NAME; of numbered ones the steps are one tensor.
   */
  state(): Map<string, Tensor> {
    const slots = this.#slots();
    noGrad(() => scope(() => void this.#steps.copy_(tensor(Float32Array.from(slots, (slot) => slot.step)))));
    const state = new Map<string, Tensor>();
    if (slots.some(({ name }) => name === null)) state.set("step", this.#steps);
    for (const [i, { name, mean, square, stepView }] of slots.entries()) {
      if (name !== null) state.set(`step.${name}`, stepView);
      state.set(`exp_avg.${name ?? i}`, mean);
      state.set(`exp_avg_sq.${name ?? i}`, square);
    }
    return state;
  }

  /** Copies a saved state in. @throws CheckpointError ERR_CHECKPOINT_WEIGHTS when it belongs to other parameters. */
  loadState(state: ReadonlyMap<string, Tensor>): void {
    const current = this.state();
    const shapeOf = (t: Tensor | undefined): string => (t ? `[${t.shape.join(", ")}]` : "nothing");
    for (const [key, target] of current) {
      const [expected, got] = [shapeOf(target), shapeOf(state.get(key))];
      if (expected === got) continue;
      const message = `expected ${key} of shape ${expected}, got ${got}. Was it saved with the same parameters?`;
      throw new CheckpointError("ERR_CHECKPOINT_WEIGHTS", "optimizer state", message, { key });
    }
    noGrad(() => {
      for (const [key, target] of current) target.copy_(state.get(key)!);
    });
    const steps = this.#steps.toFloat32Array();
    for (const [i, slot] of this.#slots().entries()) slot.step = steps[i]!;
  }

  [Symbol.dispose](): void {
    for (const { mean, square, stepView } of this.#slots()) {
      mean.dispose();
      square.dispose();
      stepView.dispose();
    }
    this.#steps.dispose();
  }
}
