// What a step does with gradients, by however many processes: sum, clip, update. Each keeps everything, or, sharded (ZeRO-2,
// Rajbhandari et al. 2020), its own part of masters, moments and summed gradients, and all get the updated weights.
import { keep, noGrad, op, scope, type Tensor, type World } from "../tensor/index.ts";
import { AdamW, type AdamWOptions } from "./adamw.ts";
import { flatGradient, haveGradients, reduceGradients } from "./reduce-gradients.ts";
import { type Bucket, bucketsOf, lengthOf, ownPieces, type Piece, pieceKey } from "./shards.ts";
import { type Update, updateParameters } from "./update.ts";

/** What learns, in part or whole, with what is updated in its place. */
export interface Slot {
  /** The parameter's name, or that of a piece of it. */
  readonly key: string;
  /** null: the whole parameter. */
  readonly piece: Piece | null;
  /** Its master, or itself. */
  readonly master: Tensor;
}

/** Owner of the moments. */
export interface Learner extends Disposable {
  readonly optimizer: AdamW;
  readonly slots: readonly Slot[];
  /** Whether slots are pieces, of which other processes have the rest. */
  readonly isSharded: boolean;
  zeroGrad(): void;
  /** From the gradients that this process added up; all ranks get the same norm and weights. */
  update(lr: number, maxGradNorm: number): Update;
  /** After masters were loaded: makes the weights what they say. */
  loaded(): void;
}

export interface LearnerOptions {
  readonly parameters: ReadonlyMap<string, Tensor>;
  /** float32, by name, or by piece where sharded; what has none is updated itself. */
  readonly masters: ReadonlyMap<string, Tensor>;
  readonly optimizer: AdamWOptions;
  readonly world: World;
}

export function wholeLearner({ parameters, masters, optimizer: options, world }: LearnerOptions): Learner {
  const trainable = [...parameters.values()];
  const slots = [...parameters].map(([name, parameter]): Slot => {
    return { key: name, piece: null, master: masters.get(name) ?? parameter };
  });
  const optimizer = new AdamW(
    [{ parameters: trainable, masters: slots.map(({ master }) => master), names: slots.map(({ key }) => key) }],
    options,
  );
  return {
    optimizer,
    slots,
    isSharded: false,
    zeroGrad: () => optimizer.zeroGrad(),
    update(lr, maxGradNorm) {
      reduceGradients(world, trainable);
      return updateParameters(optimizer, trainable, lr, maxGradNorm);
    },
    loaded: () => optimizer.copyMasters(),
    [Symbol.dispose]: () => optimizer[Symbol.dispose](),
  };
}

/** This rank's part of a bucket. */
interface Shard {
  readonly bucket: Bucket;
  /** Views of the parameters' own elements, which an update changes in place. */
  readonly own: readonly { readonly piece: Piece; readonly view: Tensor }[];
}

export function shardedLearner(options: LearnerOptions): Learner {
  const { parameters, masters, world } = options;
  const shards = bucketsOf(parameters, world.size).map((bucket): Shard => {
    const own = ownPieces(bucket, world).map((piece) => ({ piece, view: viewOf(parameters, piece) }));
    return { bucket, own };
  });
  const views = shards.flatMap(({ own }) => own);
  const slots = views.map(({ piece, view }): Slot => {
    const key = pieceKey(piece);
    return { key, piece, master: masters.get(key) ?? view };
  });
  const optimizer = new AdamW(
    [
      {
        parameters: views.map(({ view }) => view),
        masters: slots.map(({ master }) => master),
        names: slots.map(({ key }) => key),
      },
    ],
    options.optimizer,
  );
  const clear = () => {
    optimizer.zeroGrad();
    for (const parameter of parameters.values()) parameter.grad = null;
  };
  return {
    optimizer,
    slots,
    isSharded: true,
    zeroGrad: clear,
    update(lr, maxGradNorm) {
      const isLearning = new Set(
        haveGradients(world, [...parameters.values()]).flatMap((has, i) => (has ? [[...parameters.keys()][i]!] : [])),
      );
      for (const shard of shards) scatterGradients(shard, options, isLearning);
      for (const parameter of parameters.values()) parameter.grad = null;
      const gradNorm = clipShards(views, world, maxGradNorm);
      const isSkipped = !Number.isFinite(gradNorm);
      if (!isSkipped) optimizer.step(lr);
      if (!isSkipped) for (const shard of shards) gatherWeights(shard, options);
      return { gradNorm, isSkipped };
    },
    loaded() {
      optimizer.copyMasters();
      for (const shard of shards) gatherWeights(shard, options);
    },
    [Symbol.dispose]() {
      optimizer[Symbol.dispose]();
      for (const { view } of views) view.dispose();
    },
  };
}

/** [length], of the parameter's own memory. */
function viewOf(parameters: ReadonlyMap<string, Tensor>, piece: Piece): Tensor {
  return scope(() => noGrad(() => keep(flatPiece(parameters.get(piece.name)!.detach(), piece))));
}

function flatPiece(flat: Tensor, piece: Piece): Tensor {
  return flat.view([-1]).narrow(0, piece.start, lengthOf(piece));
}

/** The bucket's gradients of all ranks summed, of which this one keeps its part, in the type of the weights. */
function scatterGradients(
  { bucket, own }: Shard,
  { parameters, world }: LearnerOptions,
  isLearning: Set<string>,
): void {
  noGrad(() =>
    scope(() => {
      const { pieces, part } = bucket;
      const device = parameters.get(pieces[0]!.name)!.device;
      const flat = pieces.map((piece) => flatPiece(flatGradient(parameters.get(piece.name)!), piece));
      const rest = part * world.size - pieces.reduce((sum, piece) => sum + lengthOf(piece), 0);
      const whole = op.cat([...flat, op.zeros([rest], { device })], { dim: 0 });
      const sum = op.zeros([part], { device });
      world.reduceScatter("gradients", sum, whole);
      let at = 0;
      for (const { piece, view } of own) {
        const gradient = sum.narrow(0, at, lengthOf(piece));
        at += lengthOf(piece);
        view.grad = isLearning.has(piece.name) ? gradient.to({ dtype: view.dtype, copy: true }) : null;
      }
    }),
  );
}

/** As clipGradNorm, over the parts of all ranks. @returns the norm before */
function clipShards(views: readonly { readonly view: Tensor }[], world: World, maxNorm: number): number {
  const epsilon = 1e-6;
  return noGrad(() =>
    scope(() => {
      const gradients = views.flatMap(({ view }) => view.grad ?? []);
      const squares = gradients.map((gradient) => op.linalgVectorNorm(gradient, { dtype: "float32" }).item() ** 2);
      const [sum] = world.sum("norm of gradients", [squares.reduce((all, square) => all + square, 0)]);
      const norm = Math.sqrt(sum!);
      const factor = maxNorm / (norm + epsilon);
      if (Number.isFinite(norm) && factor < 1) for (const gradient of gradients) gradient.mul_(factor);
      return norm;
    }),
  );
}

/** Every rank gets what the others updated. */
function gatherWeights({ bucket, own }: Shard, { parameters, world }: LearnerOptions): void {
  noGrad(() =>
    scope(() => {
      const { pieces, part } = bucket;
      const { dtype, device } = parameters.get(pieces[0]!.name)!;
      const rest = part - own.reduce((sum, { piece }) => sum + lengthOf(piece), 0);
      const mine = op.cat([...own.map(({ view }) => view.to({ dtype })), op.zeros([rest], { dtype, device })], {
        dim: 0,
      });
      const whole = op.zeros([part * world.size], { dtype, device });
      world.allGather("updated weights", whole, mine);
      let at = 0;
      for (const piece of pieces) {
        flatPiece(parameters.get(piece.name)!.detach(), piece).copy_(whole.narrow(0, at, lengthOf(piece)));
        at += lengthOf(piece);
      }
    }),
  );
}
