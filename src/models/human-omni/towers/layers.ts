// What the towers share: linear layers that may have an adapter, layer norms, two-layer projections, and attention in which
// every row of a sequence sees all of it. Rows of all sequences lie one after another.
// B sequences, L rows of each, R = B L, D width, H heads, K head dimension
import { gelu, op, scope, type Tensor } from "../../../tensor/index.ts";
import { project, projection, type WeightSource } from "../../decoder/projection.ts";

/** [R, in] -> [R, out] */
export function linear(weights: WeightSource, name: string, x: Tensor): Tensor {
  return project(x, projection(weights, [name]));
}

/** Over the last dimension. */
export function layerNorm(weights: WeightSource, name: string, x: Tensor, eps: number): Tensor {
  const weight = weights.get(`${name}.weight`)!;
  return op.layerNorm(x, weight.shape, { weight, bias: weights.get(`${name}.bias`)!, eps });
}

/** Linear, GELU, linear: the keys `.0` and `.2`. */
export function twoLayers(weights: WeightSource, name: string, x: Tensor): Tensor {
  return linear(weights, `${name}.2`, gelu(linear(weights, `${name}.0`, x)));
}

/** Runs `count` layers one after another. What enters a layer goes once it has run: a graph keeps what it needs itself. */
export function runTower(x: Tensor, count: number, layer: (rows: Tensor, index: number) => Tensor): Tensor {
  let rows = x;
  for (let i = 0; i < count; i++) {
    const before = rows;
    rows = scope(() => layer(before, i));
    before.dispose();
  }
  return rows;
}

export interface AttentionShape {
  readonly batch: number;
  readonly heads: number;
  /** Additive over the rows that are seen, [B, 1, 1, L]; left out, all are. */
  readonly mask?: Tensor;
}

/** Scores that exist at once: a thirty-second window has 45 million for one layer, many times its weights. */
const MAX_SCORES = 1 << 20;

/**
 * @param queries keys values [R, D] each
 * @returns [R, D]
 */
export function attend(queries: Tensor, keys: Tensor, values: Tensor, { batch, heads, mask }: AttentionShape): Tensor {
  const [rows, width] = queries.shape as [number, number];
  const length = rows / batch;
  const byHead = (x: Tensor) => x.view([batch, length, heads, width / heads]).transpose(1, 2); // [B, H, L, K]
  const scaled = byHead(queries).mul((width / heads) ** -0.5);
  const across = byHead(keys).transpose(2, 3);
  const given = byHead(values);
  const perSlice = Math.max(1, Math.floor(MAX_SCORES / (heads * length * length)));
  const rowsPerSlice = Math.max(1, Math.min(length, Math.floor(MAX_SCORES / (heads * length))));
  const parts: Tensor[] = [];
  for (let start = 0; start < batch; start += perSlice) {
    const count = Math.min(perSlice, batch - start);
    const own = (x: Tensor) => (count === batch ? x : x.narrow(0, start, count));
    const bands: Tensor[] = [];
    for (let top = 0; top < length; top += rowsPerSlice) {
      const height = Math.min(rowsPerSlice, length - top);
      bands.push(
        scope(() => {
          const scores = own(scaled).narrow(2, top, height).matmul(own(across));
          const seen = mask === undefined ? scores : scores.add(own(mask));
          return seen.softmax(-1, { dtype: "float32" }).to(queries.dtype).matmul(own(given));
        }),
      );
    }
    parts.push(bands.length === 1 ? bands[0]! : op.cat(bands, { dim: 2 }));
  }
  const context = parts.length === 1 ? parts[0]! : op.cat(parts, { dim: 0 });
  return context.transpose(1, 2).reshape([rows, width]);
}
