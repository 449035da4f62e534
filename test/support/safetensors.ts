// A tiny reader of golden safetensors files: whole file into memory, no addon.

import { readFileSync } from "node:fs";

export interface GoldenTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array | Uint8Array | Int32Array | BigInt64Array;
}

const arrays: Record<string, (bytes: ArrayBuffer) => GoldenTensor["data"]> = {
  F32: (bytes) => new Float32Array(bytes),
  F64: (bytes) => new Float64Array(bytes),
  U8: (bytes) => new Uint8Array(bytes),
  I32: (bytes) => new Int32Array(bytes),
  I64: (bytes) => new BigInt64Array(bytes),
};

/** A function from a tensor's name to its data; throws for a name that is not there. */
export function readGolden(path: string): (name: string) => GoldenTensor {
  const file = readFileSync(path);
  const headerLength = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString("utf8", 8, 8 + headerLength));
  return (name) => {
    const entry = header[name];
    if (entry === undefined)
      throw new Error(`${path}: expected a tensor ${name}, got ${Object.keys(header).join(" ")}.`);
    const [start, end] = entry.data_offsets.map((offset: number) => offset + 8 + headerLength);
    const bytes = new Uint8Array(file.subarray(start, end)).buffer;
    return { dtype: entry.dtype, shape: entry.shape, data: arrays[entry.dtype]!(bytes) };
  };
}
