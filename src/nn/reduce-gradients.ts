// The gradients of all processes added up, in flat float32 buckets: few large messages in place of many small ones.
import { noGrad, op, scope, type Tensor, type World } from "../tensor/index.ts";

/** Elements that are sent at once: 16 MB. */
const bucketElements = 2 ** 22;

/** Parameters in runs of about a bucket's size. */
function runsOf<T extends { readonly numel: number }>(parameters: readonly T[], size = bucketElements): T[][] {
  const buckets: T[][] = [];
  let room = 0;
  for (const parameter of parameters) {
    if (room < parameter.numel || buckets.length === 0) {
      buckets.push([]);
      room = size;
    }
    buckets.at(-1)!.push(parameter);
    room -= parameter.numel;
  }
  return buckets;
}

/**
 * Which parameters have a gradient on some rank: elsewhere it counts as zero, and where no rank has one, an optimizer leaves the
 * parameter alone, as in one process.
 */
export function haveGradients(world: World, parameters: readonly Tensor[]): boolean[] {
  const own = parameters.map(({ grad }) => (grad === null ? 0 : 1));
  return world.max("gradients that there are", own).map((value) => value === 1);
}

/** Sums `.grad` over all ranks in place, in float32. */
export function reduceGradients(world: World, parameters: readonly Tensor[]): void {
  if (world.size === 1) return;
  const isLearning = haveGradients(world, parameters);
  noGrad(() => {
    for (const bucket of runsOf(parameters.filter((_, i) => isLearning[i]))) {
      scope(() => {
        const flat = op.cat(bucket.map(flatGradient), { dim: 0 });
        world.allReduce("gradients", flat);
        let start = 0;
        for (const parameter of bucket) {
          const sum = flat.narrow(0, start, parameter.numel).view(parameter.shape);
          start += parameter.numel;
          if (parameter.grad === null) parameter.grad = sum.to({ dtype: parameter.dtype, copy: true });
          else parameter.grad.copy_(sum);
        }
      });
    }
  });
}

/** float32 [numel]; zeros where there is none. */
export function flatGradient(parameter: Tensor): Tensor {
  const { grad, numel, device } = parameter;
  if (grad === null) return op.zeros([numel], { device });
  return grad.reshape([-1]).to({ dtype: "float32" });
}
