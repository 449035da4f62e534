// Linear layers that read the same rows, multiplied as one. Small ones are stacked into one matrix per call (one large
// product beats three small ones); large ones stay apart, because copying their weights would cost more than it saves.
// Adapted layers stay apart as well, but for decoding, where their adapters are joined too. R rows, D input width, W output width
import { addLowRank, joinLowRank, type LowRank, lowRankIn } from "../../nn/lora.ts";
import { op, type Tensor } from "../../tensor/index.ts";

/** Where the weights of a call come from: by name, and what is added to a layer's output. A map of parameters is one. */
export interface WeightSource {
  get(name: string): Tensor | undefined;
  /** The adapter of a linear layer; left out, there are none. */
  adapterOf?(layer: string): LowRank | null;
}

/** One stacked part, or the parts in order. */
export type Projection = readonly LinearPart[];

export interface LinearPart {
  readonly weight: Tensor;
  readonly bias: Tensor | null;
  readonly adapter: LowRank | null;
}

/** Elements above which weights are not copied together: one layer's copy is small, but all layers' live through a decode. */
const STACK_LIMIT = 1 << 19;

/**
 * The projection of `names` ("x.weight", and "x.bias" where it exists; a stack fills a missing bias with zeros).
 * @param stack false keeps the parts apart whatever their size
 * @param joinsAdapters without gradients: adapted layers are stacked as others are
 */
export function projection(
  source: WeightSource,
  names: readonly string[],
  stack = true,
  joinsAdapters = false,
): Projection {
  const parts = names.map((name) => linearPart(source, name));
  const numElements = parts.reduce((sum, { weight }) => sum + weight.size(0) * weight.size(1), 0);
  const isAdapted = parts.some(({ adapter }) => adapter !== null);
  if (!stack || (isAdapted && !joinsAdapters) || parts.length === 1 || numElements > STACK_LIMIT) return parts;
  const weight = op.cat(
    parts.map((part) => part.weight),
    { dim: 0 },
  );
  const adapter = isAdapted
    ? joinLowRank(
        parts.map((part) => part.adapter),
        parts.map((part) => part.weight.size(0)),
      )
    : null;
  if (parts.every(({ bias }) => bias === null)) return [{ weight, bias: null, adapter }];
  const biases = parts.map(
    ({ weight: w, bias }) => bias ?? op.zeros([w.size(0)], { dtype: w.dtype, device: w.device }),
  );
  return [{ weight, bias: op.cat(biases, { dim: 0 }), adapter }];
}

/** One linear layer. */
export function linearPart(source: WeightSource, name: string): LinearPart {
  const weight = source.get(`${name}.weight`)!;
  const adapter = source.adapterOf?.(name) ?? null;
  return {
    weight,
    bias: source.get(`${name}.bias`) ?? null,
    adapter: adapter && lowRankIn(weight.dtype, adapter),
  };
}

/** The same layer, whose adapter leaves out other inputs. */
export function drawnAnew(part: LinearPart): LinearPart {
  const { adapter } = part;
  if (adapter === null || adapter.dropout === null) return part;
  return { ...part, adapter: { ...adapter, dropout: { ...adapter.dropout, seed: adapter.dropout.seed + 1 } } };
}

/** The outputs apart: [R, D] -> [R, widths[i]] each. `widths` are the widths of the parts before stacking. */
export function projectApart(x: Tensor, parts: Projection, widths: readonly number[]): Tensor[] {
  if (parts.length === widths.length) return parts.map((part) => project(x, [part]));
  return project(x, parts).splitWithSizes(widths, { dim: 1 });
}

/** [R, D] -> [R, W] */
export function project(x: Tensor, parts: Projection): Tensor {
  const outputs = parts.map(({ weight, bias, adapter }) => {
    const y = bias ? op.linear(x, weight, { bias }) : op.linear(x, weight);
    return adapter ? addLowRank(y, x, adapter) : y;
  });
  return outputs.length === 1 ? outputs[0]! : op.cat(outputs, { dim: 1 });
}

/** x + the layer's output for y; the layer has no bias. */
export function addProjected(x: Tensor, y: Tensor, { weight, adapter }: LinearPart): Tensor {
  const sum = op.addmm(x, y, weight.t());
  return adapter ? addLowRank(sum, y, adapter) : sum;
}

/** The projection's output columns from `start` on; `start` is a part's border. */
export function projectionFrom(parts: Projection, start: number): Projection {
  const rest: LinearPart[] = [];
  let offset = 0;
  for (const part of parts) {
    const { weight, bias } = part;
    const rows = weight.size(0);
    const skip = Math.max(0, start - offset);
    offset += rows;
    if (skip >= rows) continue;
    if (skip === 0) {
      rest.push(part);
      continue;
    }
    const cut = (x: Tensor) => x.narrow(0, skip, rows - skip);
    const adapter = part.adapter && { ...part.adapter, up: cut(part.adapter.up) };
    rest.push({ weight: cut(weight), bias: bias ? cut(bias) : null, adapter });
  }
  return rest;
}
