// Tensors from host arrays.
import { type DType, dtypeCode } from "./dtype.ts";
import { ShapeError } from "./error.ts";
import { native } from "./native.ts";
import { to } from "./ops.gen.ts";
import { scope, type Tensor, wrap } from "./tensor.ts";

export type HostArray =
  | Float32Array
  | Float64Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Int8Array
  | Int16Array
  | Uint16Array;

function naturalDType(data: HostArray): DType {
  if (data instanceof Float32Array) return "float32";
  if (data instanceof Float64Array) return "float64";
  if (data instanceof Int32Array) return "int32";
  if (data instanceof BigInt64Array) return "int64";
  if (data instanceof Uint16Array) return "bfloat16";
  if (data instanceof Int16Array) return "int16";
  return data instanceof Int8Array ? "int8" : "uint8";
}

/**
 * Copies an array into a tensor, by default one-dimensional and of the array's own type. Another `dtype` converts,
 * except for a Uint16Array, which holds the bits of bfloat16 or float16 numbers.
 */
export function tensor(
  data: HostArray,
  shape: readonly number[] = [data.length],
  options?: { dtype?: DType; device?: string },
): Tensor {
  const numel = shape.reduce((product, length) => product * length, 1);
  if (numel !== data.length || shape.some((length) => !Number.isInteger(length) || length < 0)) {
    const expected = `expected ${data.length} elements in a shape of whole numbers`;
    throw new ShapeError(
      "ERR_SHAPE_MISMATCH",
      `tensor: ${expected}, got [${shape.join(", ")}]. Fix the shape or the data.`,
    );
  }
  const code = dtypeCode(options?.dtype ?? naturalDType(data))!;
  const device = options?.device ?? "cpu";
  if (device === "cpu") return wrap(native.fromTyped(data, shape, code));
  return scope(() => to(wrap(native.fromTyped(data, shape, code)), { device }));
}

/** Whole numbers as an int64 tensor: token ids, positions, rows to pick. */
export function indices(values: readonly number[] | Int32Array, shape?: readonly number[]): Tensor {
  const data = values instanceof Int32Array ? values : exactInt32(values);
  return tensor(data, shape, { dtype: "int64" });
}

function exactInt32(values: readonly number[]): Int32Array {
  const data = Int32Array.from(values);
  const wrong = values.findIndex((value, i) => value !== data[i]);
  if (wrong >= 0) {
    throw new ShapeError(
      "ERR_INDEX_NOT_INT32",
      `indices: expected 32-bit whole numbers, got ${values[wrong]} at ${wrong}.`,
    );
  }
  return data;
}
