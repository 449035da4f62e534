// Bidirectional attention inside segments of packed rows: audio chunks, vision windows, video frames. Segments of equal
// length are a reshape; others are gathered into a padded batch and back.
// R rows, S segments, L longest segment, H heads, K head dimension
import { indices, op, scope, type Tensor } from "../../tensor/index.ts";
import { MASKED } from "../decoder/attention.ts";
import { MAX_SCORES } from "../decoder/attention-slices.ts";

/** How packed rows fall into segments; made once per call, used by every layer. */
export interface Segments {
  readonly count: number;
  readonly length: number;
  /** Null when all segments have the same length. */
  readonly ragged: {
    /** Row of every padded place, [S * L]; pads repeat row 0. */
    readonly gather: Tensor;
    /** Padded place of every row, [R]. */
    readonly scatter: Tensor;
    /** Additive, [S, 1, 1, L]. */
    readonly mask: Tensor;
  } | null;
}

/** Of slices of rows: several copies of them live at once. */
const MAX_ROW_SCORES = 1 << 24;

export function segmentsOf(lengths: readonly number[], like: Tensor): Segments {
  const count = lengths.length;
  const length = Math.max(...lengths);
  if (lengths.every((n) => n === length)) return { count, length, ragged: null };
  const gather = new Int32Array(count * length);
  const scatter: number[] = [];
  lengths.forEach((n, segment) => {
    for (let i = 0; i < n; i++) {
      const place = segment * length + i;
      gather[place] = scatter.length;
      scatter.push(place);
    }
  });
  const ragged = {
    gather: indices(gather).to({ device: like.device }),
    scatter: indices(scatter).to({ device: like.device }),
    mask: paddingMask(lengths, length, like),
  };
  return { count, length, ragged };
}

/** MASKED behind the end of every segment, [S, 1, 1, L]. */
function paddingMask(lengths: readonly number[], longest: number, { dtype, device }: Tensor): Tensor {
  const ends = indices(lengths, [lengths.length, 1, 1, 1]).to({ device });
  const isPadding = op.arange(0, longest, { dtype: "int64", device }).ge(ends);
  return op.zeros([lengths.length, 1, 1, longest], { dtype, device }).maskedFill_(isPadding, MASKED);
}

/**
 * @param queries keys values [R, H, K]
 * @param maxScores held at once; more segments, and long ones by their rows, are done in slices
 * @returns [R, H * K]
 */
export function attendSegments(
  queries: Tensor,
  keys: Tensor,
  values: Tensor,
  segments: Segments,
  maxScores = MAX_SCORES,
): Tensor {
  const [rows, heads, dim] = queries.shape as [number, number, number];
  const { count, length, ragged } = segments;
  // [R, H, K] -> [S, H, L, K]
  const batched = (x: Tensor) => {
    const padded = ragged ? op.embedding(x.reshape([rows, heads * dim]), ragged.gather) : x;
    return padded.reshape([count, length, heads, dim]).transpose(1, 2);
  };
  const q = batched(queries).mul(dim ** -0.5);
  const k = batched(keys).transpose(2, 3);
  const v = batched(values);
  const perSlice = Math.max(1, Math.floor(maxScores / (heads * length * length)));
  const isLong = heads * length * length > maxScores;
  const rowsPerSlice = isLong
    ? Math.max(1, Math.floor(Math.min(maxScores, MAX_ROW_SCORES) / (heads * length)))
    : length;
  const slices: Tensor[] = [];
  for (let start = 0; start < count; start += perSlice) {
    const size = Math.min(perSlice, count - start);
    const part = (x: Tensor) => (size === count ? x : x.narrow(0, start, size));
    const attendRows = (top: number, height: number) => {
      const own = height === length ? part(q) : part(q).narrow(2, top, height);
      const scores = own.matmul(part(k));
      const masked = ragged ? scores.add(part(ragged.mask)) : scores;
      const weights = masked.softmax(-1, { dtype: "float32" }).to(queries.dtype);
      return weights.matmul(part(v));
    };
    const bands: Tensor[] = [];
    for (let top = 0; top < length; top += rowsPerSlice) {
      const height = Math.min(rowsPerSlice, length - top);
      bands.push(isLong ? scope(() => attendRows(top, height)) : attendRows(top, height));
    }
    slices.push(bands.length === 1 ? bands[0]! : op.cat(bands, { dim: 2 }));
  }
  const context = slices.length === 1 ? slices[0]! : op.cat(slices, { dim: 0 });
  const packed = context.transpose(1, 2).reshape([count * length, heads * dim]);
  return ragged ? op.embedding(packed, ragged.scatter) : packed;
}
