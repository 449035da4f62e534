// Element types: PyTorch's names, libtorch's numbers, and sizes in bytes.

import { OppoError } from "../error.ts";

const codes = {
  uint8: 0,
  int8: 1,
  int16: 2,
  int32: 3,
  int64: 4,
  float16: 5,
  float32: 6,
  float64: 7,
  complex64: 9,
  complex128: 10,
  bool: 11,
  bfloat16: 15,
} as const;

export type DType = keyof typeof codes;

const names = new Map<number, DType>(Object.entries(codes).map(([name, code]) => [code, name as DType]));

const byteSizes: Readonly<Record<DType, number>> = {
  uint8: 1,
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  float16: 2,
  float32: 4,
  float64: 8,
  complex64: 8,
  complex128: 16,
  bool: 1,
  bfloat16: 2,
};

/** libtorch's number of a dtype; undefined stays undefined, which a call reads as "the default". */
export function dtypeCode(dtype: DType | null | undefined): number | null | undefined {
  return dtype ? codes[dtype] : dtype;
}

export function dtypeName(code: number): DType {
  const name = names.get(code);
  if (name === undefined)
    throw new OppoError("ERR_DTYPE", `dtype: expected a known element type, got libtorch's number ${code}.`);
  return name;
}

/** Bytes of one element. */
export function byteSize(dtype: DType): number {
  return byteSizes[dtype];
}
