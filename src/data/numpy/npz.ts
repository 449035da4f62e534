// NumPy's .npy and .npz files without Python: label files of MERBench, predictions of AffectGPT. Pickles inside are read by
// a whitelist parser, sizes are bounded, nothing is executed.
import { readFileSync, statSync } from "node:fs";
import { archiveError, damaged } from "./archive-error.ts";
import { countOf, decodeValues, type NumpyArray, shapeOf } from "./array.ts";
import { ArchiveBudget } from "./budget.ts";
import { type PickleBounds, readPickle } from "./pickle.ts";
import { readZip } from "./zip.ts";

export interface NpzBounds {
  readonly maxMembers: number;
  /** Of the file, of all members together after decompression, and of all values that are made of them. */
  readonly maxBytes: number;
  readonly pickle: PickleBounds;
}

/** Far above the largest files of the community (30 MB, 100,000 samples), below what a small machine has. */
export const defaultNpzBounds: NpzBounds = {
  maxMembers: 1000,
  maxBytes: 2 ** 29,
  pickle: { maxSteps: 5_000_000, maxContainers: 500_000 },
};

/** NumPy refuses longer ones than 10,000 itself. */
const maxHeaderLength = 2 ** 16;
const magic = "\u0093NUMPY";

/**
 * Members by name, without ".npy".
 *
 * Example: `readNpz("label-6way.npz").get("test1_corpus")` is a 0-dimensional "|O" array whose one value is a Map.
 * @throws DatasetError ERR_NPZ_UNREADABLE, ERR_NPZ_TOO_LARGE, ERR_NPZ_REFUSED
 */
export function readNpz(file: string, bounds: NpzBounds = defaultNpzBounds): Map<string, NumpyArray> {
  const { size } = statSync(file);
  if (size > bounds.maxBytes) {
    throw archiveError(
      "ERR_NPZ_TOO_LARGE",
      file,
      `expected at most ${bounds.maxBytes} bytes, got ${size}`,
      "Split the file.",
    );
  }
  const arrays = new Map<string, NumpyArray>();
  const budget = new ArchiveBudget(bounds.maxBytes);
  for (const [name, bytes] of readZip(readFileSync(file), file, bounds)) {
    arrays.set(name.replace(/\.npy$/, ""), readNpy(bytes, `${file}:${name}`, bounds, budget));
  }
  return arrays;
}

/** The value of a 0-dimensional object array, which is how NumPy stores a dict; other arrays are themselves. */
export function unwrapScalar(array: NumpyArray): unknown {
  return array.shape.length === 0 ? array.values[0] : array;
}

/** One .npy file's bytes. @param file for errors */
export function readNpy(
  bytes: Uint8Array,
  file: string,
  bounds: NpzBounds = defaultNpzBounds,
  budget: ArchiveBudget = new ArchiveBudget(bounds.maxBytes),
): NumpyArray {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 10 || text.toString("latin1", 0, magic.length) !== magic) {
    throw damaged(file, "a NumPy array (.npy)", "something else");
  }
  const isLong = bytes[6]! >= 2;
  const start = isLong ? 12 : 10;
  if (bytes.length < start) throw damaged(file, "a header", "the end of the data");
  const length = isLong ? text.readUInt32LE(8) : text.readUInt16LE(8);
  if (length > maxHeaderLength) throw damaged(file, `a header of at most ${maxHeaderLength} bytes`, String(length));
  const header = text.toString("latin1", start, start + length);
  const { dtype, shape } = readHeader(header, file);
  const data = bytes.subarray(start + length);
  if (dtype !== "|O") return decodeValues(dtype, shape, data, file, budget);
  const value = readPickle(data, file, bounds.pickle, budget) as Partial<NumpyArray> | null;
  if (!Array.isArray(value?.shape) || value.values === undefined || value.values.length !== countOf(shape, file)) {
    throw damaged(file, `an object array of shape (${shape.join(", ")})`, "another pickle");
  }
  return { dtype, shape, values: value.values };
}

/** The header is a Python dict literal of three known keys: `{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }`. */
function readHeader(header: string, file: string): { dtype: string; shape: readonly number[] } {
  const dtype = /'descr':\s*'([^']{1,16})'/.exec(header)?.[1];
  const shape = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  if (dtype === undefined || shape === undefined) {
    throw damaged(file, "a header with descr and shape", JSON.stringify(header.slice(0, 60)));
  }
  const sizes = shape.split(",").map((size) => size.trim());
  const numbers = sizes.filter((size) => size !== "").map(Number);
  if (header.includes("'fortran_order': True") && numbers.length > 1) {
    throw damaged(file, "a row-major array", "a column-major one");
  }
  return { dtype, shape: shapeOf(numbers, file) };
}
