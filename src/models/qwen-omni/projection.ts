// Linear layers that read the same rows, multiplied as one. Small ones are stacked into one matrix per call (one large
// product beats three small ones); large ones stay apart, because copying their weights would cost more than it saves.
// R rows, D input width, W output width
import { op, type Tensor } from "../../tensor/index.ts";

/** One stacked part, or the parts in order. */
export type Projection = readonly LinearPart[];

export interface LinearPart {
  readonly weight: Tensor;
  readonly bias: Tensor | null;
}

/** Elements above which weights are not copied together. */
const STACK_LIMIT = 1 << 22;

/**
 * The projection of `names` ("x.weight", and "x.bias" where it exists; a stack fills a missing bias with zeros).
 * @param stack false keeps the parts apart whatever their size
 */
export function projection(
  parameters: ReadonlyMap<string, Tensor>,
  names: readonly string[],
  stack = true,
): Projection {
  const parts = names.map((name) => ({
    weight: parameters.get(`${name}.weight`)!,
    bias: parameters.get(`${name}.bias`) ?? null,
  }));
  const numElements = parts.reduce((sum, { weight }) => sum + weight.size(0) * weight.size(1), 0);
  if (!stack || parts.length === 1 || numElements > STACK_LIMIT) return parts;
  const weight = op.cat(
    parts.map((part) => part.weight),
    { dim: 0 },
  );
  if (parts.every(({ bias }) => bias === null)) return [{ weight, bias: null }];
  const biases = parts.map(
    ({ weight: w, bias }) => bias ?? op.zeros([w.size(0)], { dtype: w.dtype, device: w.device }),
  );
  return [{ weight, bias: op.cat(biases, { dim: 0 }) }];
}

/** The outputs apart: [R, D] -> [R, widths[i]] each. `widths` are the widths of the parts before stacking. */
export function projectApart(x: Tensor, parts: Projection, widths: readonly number[]): Tensor[] {
  if (parts.length === widths.length) return parts.map((part) => project(x, [part]));
  return project(x, parts).splitWithSizes(widths, { dim: 1 });
}

/** [R, D] -> [R, W] */
export function project(x: Tensor, parts: Projection): Tensor {
  const outputs = parts.map(({ weight, bias }) => (bias ? op.linear(x, weight, { bias }) : op.linear(x, weight)));
  return outputs.length === 1 ? outputs[0]! : op.cat(outputs, { dim: 1 });
}

/** The projection's output columns from `start` on; `start` is a part's border. */
export function projectionFrom(parts: Projection, start: number): Projection {
  const rest: LinearPart[] = [];
  let offset = 0;
  for (const { weight, bias } of parts) {
    const rows = weight.size(0);
    const skip = Math.max(0, start - offset);
    offset += rows;
    if (skip >= rows) continue;
    rest.push({ weight: weight.narrow(0, skip, rows - skip), bias: bias ? bias.narrow(0, skip, rows - skip) : null });
  }
  return rest;
}
