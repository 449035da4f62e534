// NumPy arrays as plain data: a dtype, a shape and the values in row-major order.
import { damaged } from "./archive-error.ts";
import type { ArchiveBudget } from "./budget.ts";

export interface NumpyArray {
  /** As NumPy writes it: "<f8", "|u1", "<U12", "|O". */
  readonly dtype: string;
  /** Empty for a 0-dimensional array, which has one value. */
  readonly shape: readonly number[];
  /** Numbers (typed array), booleans, strings, byte strings or, for "|O", whatever the pickle holds. */
  readonly values: ArrayLike<unknown>;
}

const maxSafeCount = 2 ** 31;
/** As NumPy's. */
const maxAxes = 32;
const maxCodePoint = 0x10ffff;
const maxShown = 60;

/** A shape from a file, where anything may stand in its place. @throws DatasetError ERR_NPZ_UNREADABLE */
export function shapeOf(value: unknown, file: string): readonly number[] {
  const isSize = (size: unknown) => typeof size === "number" && Number.isInteger(size) && size >= 0;
  if (Array.isArray(value) && value.length <= maxAxes && value.every(isSize)) return value as number[];
  throw damaged(file, "an array's shape", "something else");
}

export function countOf(shape: readonly number[], file: string): number {
  const count = shape.reduce((product, size) => product * size, 1);
  if (count < maxSafeCount) return count;
  throw damaged(file, "an array that fits into memory", `the shape (${shape.join(", ").slice(0, maxShown)})`);
}

type Reader = (view: DataView, at: number) => number;

const little: Readonly<Record<string, Reader>> = {
  f4: (view, at) => view.getFloat32(at, true),
  f8: (view, at) => view.getFloat64(at, true),
  i1: (view, at) => view.getInt8(at),
  i2: (view, at) => view.getInt16(at, true),
  i4: (view, at) => view.getInt32(at, true),
  i8: (view, at) => Number(view.getBigInt64(at, true)),
  u1: (view, at) => view.getUint8(at),
  u2: (view, at) => view.getUint16(at, true),
  u4: (view, at) => view.getUint32(at, true),
  u8: (view, at) => Number(view.getBigUint64(at, true)),
  b1: (view, at) => view.getUint8(at),
};

/**
 * The values of an array's raw bytes. Little-endian, strings and one-byte types only: all that is found in the wild.
 * @throws DatasetError ERR_NPZ_UNREADABLE, ERR_NPZ_TOO_LARGE
 */
export function decodeValues(
  dtype: string,
  shape: readonly number[],
  bytes: Uint8Array,
  file: string,
  budget: ArchiveBudget,
): NumpyArray {
  const parsed = /^([<|=>]?)([a-zA-Z])(\d+)$/.exec(dtype);
  const count = countOf(shape, file);
  if (parsed === null) throw damaged(file, "an array of numbers or strings", `the dtype "${dtype.slice(0, maxShown)}"`);
  const [, order, kind, digits] = parsed as unknown as [string, string, string, string];
  const itemSize = Number(digits) * (kind === "U" ? 4 : 1);
  if (order === ">" && itemSize > 1) throw damaged(file, "little-endian values", `the dtype "${dtype}"`);
  if (count * itemSize !== bytes.length) {
    throw damaged(file, `${count * itemSize} bytes for ${dtype} of shape (${shape.join(", ")})`, `${bytes.length}`);
  }
  // Before anything is made: "<U0" has any number of values in no bytes.
  budget.spendSlots(count, file);
  if (kind === "U") return { dtype, shape, values: decodeUnicode(bytes, count, itemSize, file, budget) };
  if (kind === "S") {
    const text = (_: unknown, i: number) => latin1(bytes, i * itemSize, itemSize, file, budget);
    return { dtype, shape, values: Array.from({ length: count }, text) };
  }
  const read = little[`${kind}${digits}`];
  if (read === undefined) throw damaged(file, "an array of numbers or strings", `the dtype "${dtype}"`);
  if (kind === "u" && itemSize === 1) return { dtype, shape, values: bytes.slice() };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (kind === "b") return { dtype, shape, values: Array.from(bytes, (value) => value !== 0) };
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) values[i] = read(view, i * itemSize);
  return { dtype, shape, values };
}

/** UTF-32LE cells, padded with NUL. */
function decodeUnicode(bytes: Uint8Array, count: number, itemSize: number, file: string, budget: ArchiveBudget) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const texts: string[] = [];
  for (let i = 0; i < count; i++) {
    const start = i * itemSize;
    let end = start + itemSize;
    while (end > start && view.getUint32(end - 4, true) === 0) end -= 4;
    budget.spendText((end - start) / 4, file);
    let text = "";
    for (let at = start; at < end; at += 4 * numAtOnce) {
      text += String.fromCodePoint(...codePoints(view, at, Math.min(end, at + 4 * numAtOnce), file));
    }
    texts.push(text);
  }
  return texts;
}

/** A cell may be longer than the arguments that a call can have. */
const numAtOnce = 4096;

function codePoints(view: DataView, start: number, end: number, file: string): number[] {
  const points: number[] = [];
  for (let at = start; at < end; at += 4) {
    const point = view.getUint32(at, true);
    if (point > maxCodePoint) throw damaged(file, "UTF-32 text", `the code point ${point}`);
    points.push(point);
  }
  return points;
}

function latin1(bytes: Uint8Array, start: number, size: number, file: string, budget: ArchiveBudget): string {
  let end = start + size;
  while (end > start && bytes[end - 1] === 0) end--;
  budget.spendText(end - start, file);
  return Buffer.from(bytes.subarray(start, end)).toString("latin1");
}
