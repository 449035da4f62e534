// NumPy arrays as plain data: a dtype, a shape and the values in row-major order.
import { damaged } from "./archive-error.ts";

export interface NumpyArray {
  /** As NumPy writes it: "<f8", "|u1", "<U12", "|O". */
  readonly dtype: string;
  /** Empty for a 0-dimensional array, which has one value. */
  readonly shape: readonly number[];
  /** Numbers (typed array), booleans, strings, byte strings or, for "|O", whatever the pickle holds. */
  readonly values: ArrayLike<unknown>;
}

const maxSafeCount = 2 ** 31;
const maxCodePoint = 0x10ffff;

export function countOf(shape: readonly number[], file: string): number {
  const count = shape.reduce((product, size) => product * size, 1);
  if (shape.every((size) => Number.isInteger(size) && size >= 0) && count < maxSafeCount) return count;
  throw damaged(file, "an array that fits into memory", `the shape (${shape.join(", ")})`);
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
 * @throws DatasetError ERR_NPZ_UNREADABLE
 */
export function decodeValues(dtype: string, shape: readonly number[], bytes: Uint8Array, file: string): NumpyArray {
  const parsed = /^([<|=>]?)([a-zA-Z])(\d+)$/.exec(dtype);
  const count = countOf(shape, file);
  if (parsed === null) throw damaged(file, "an array of numbers or strings", `the dtype "${dtype}"`);
  const [, order, kind, digits] = parsed as unknown as [string, string, string, string];
  const itemSize = Number(digits) * (kind === "U" ? 4 : 1);
  if (order === ">" && itemSize > 1) throw damaged(file, "little-endian values", `the dtype "${dtype}"`);
  if (count * itemSize !== bytes.length) {
    throw damaged(file, `${count * itemSize} bytes for ${dtype} of shape (${shape.join(", ")})`, `${bytes.length}`);
  }
  if (kind === "U") return { dtype, shape, values: decodeUnicode(bytes, count, itemSize, file) };
  if (kind === "S") {
    return { dtype, shape, values: Array.from({ length: count }, (_, i) => latin1(bytes, i * itemSize, itemSize)) };
  }
  const read = little[`${kind}${digits}`];
  if (read === undefined) throw damaged(file, "an array of numbers or strings", `the dtype "${dtype}"`);
  if (kind === "u" && itemSize === 1) return { dtype, shape, values: bytes.slice() };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) values[i] = read(view, i * itemSize);
  return kind === "b" ? { dtype, shape, values: Array.from(values, (value) => value !== 0) } : { dtype, shape, values };
}

/** UTF-32LE cells, padded with NUL. */
function decodeUnicode(bytes: Uint8Array, count: number, itemSize: number, file: string): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const texts: string[] = [];
  for (let i = 0; i < count; i++) {
    const start = i * itemSize;
    let end = start + itemSize;
    while (end > start && view.getUint32(end - 4, true) === 0) end -= 4;
    const units: string[] = [];
    for (let at = start; at < end; at += 4) {
      const codePoint = view.getUint32(at, true);
      if (codePoint > maxCodePoint) throw damaged(file, "UTF-32 text", `the code point ${codePoint}`);
      units.push(String.fromCodePoint(codePoint));
    }
    texts.push(units.join(""));
  }
  return texts;
}

function latin1(bytes: Uint8Array, start: number, size: number): string {
  let end = start + size;
  while (end > start && bytes[end - 1] === 0) end--;
  return Buffer.from(bytes.subarray(start, end)).toString("latin1");
}
