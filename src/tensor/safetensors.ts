// Safetensors files: read through a private memory map (pages load on first touch, in-place changes copy the page and
// never reach the file), written atomically.
import { closeSync, fstatSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { byteSize, type DType } from "./dtype.ts";
import { CheckpointError } from "./error.ts";
import * as op from "./ops.gen.ts";
import { formatNames, maxHeaderBytes, parseHeader, type SafetensorsHeader } from "./safetensors-header.ts";
import { keep, noGrad, scope, type Tensor } from "./tensor.ts";

const lengthBytes = 8;

export interface SafetensorsFile extends Disposable {
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly entries: ReadonlyMap<string, { readonly dtype: DType; readonly shape: readonly number[] }>;
  /** A view of the mapped file, which stays mapped while any view lives, also after the file is disposed. */
  tensor(name: string): Tensor;
}

function readExactly(file: number, path: string, length: number, position: number): Buffer {
  const buffer = Buffer.alloc(length);
  if (readSync(file, buffer, 0, length, position) !== length) {
    throw new CheckpointError("ERR_CHECKPOINT_TRUNCATED", path, `expected ${length} bytes at ${position}.`);
  }
  return buffer;
}

function readHeader(path: string): { header: SafetensorsHeader; dataStart: number; fileBytes: number } {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (cause) {
    throw new CheckpointError("ERR_CHECKPOINT_MISSING", path, `cannot be opened: ${(cause as Error).message}.`, {
      cause,
    });
  }
  try {
    const fileBytes = fstatSync(file).size;
    if (fileBytes < lengthBytes) {
      throw new CheckpointError("ERR_CHECKPOINT_TRUNCATED", path, `expected at least 8 bytes, got ${fileBytes}.`);
    }
    const headerBytes = readExactly(file, path, lengthBytes, 0).readBigUInt64LE();
    if (headerBytes > BigInt(maxHeaderBytes)) {
      const got = `expected a header of at most ${maxHeaderBytes} bytes, got ${headerBytes}`;
      throw new CheckpointError("ERR_CHECKPOINT_HEADER", path, `${got}. Is this a safetensors file?`);
    }
    const dataStart = lengthBytes + Number(headerBytes);
    if (dataStart > fileBytes) {
      const got = `expected a header of ${headerBytes} bytes, the file ends after ${fileBytes - lengthBytes}`;
      throw new CheckpointError("ERR_CHECKPOINT_TRUNCATED", path, `${got}. Copy the file again.`);
    }
    const json = readExactly(file, path, Number(headerBytes), lengthBytes);
    return { header: parseHeader(path, json, fileBytes - dataStart), dataStart, fileBytes };
  } finally {
    closeSync(file);
  }
}

/** Opens and checks a file; tensors are made on demand. @throws CheckpointError ERR_CHECKPOINT_* */
export function openSafetensors(path: string): SafetensorsFile {
  const { header, dataStart, fileBytes } = readHeader(path);
  // Kept inside a scope: an owner, not accounted as garbage for the collector to chase.
  const bytes = scope(() => keep(op.fromFile(path, { shared: false, size: fileBytes, dtype: "uint8" })));
  return {
    path,
    metadata: header.metadata,
    entries: header.entries,
    tensor(name) {
      const entry = header.entries.get(name);
      if (entry === undefined) {
        const some = [...header.entries.keys()].slice(0, 5).join(", ");
        throw new CheckpointError("ERR_CHECKPOINT_KEY", path, `no tensor "${name}" (it has ${some}, ...).`, {
          key: name,
        });
      }
      const { dtype, shape, begin, end } = entry;
      return scope(() => {
        if (begin === end) return op.empty(shape, { dtype });
        const start = dataStart + begin;
        const part = op.narrow(bytes, 0, start, end - begin);
        // A view needs its first element at a multiple of the element's size; the format does not promise that.
        const aligned = start % byteSize(dtype) === 0 ? part : op.clone(part);
        return op.view(op.view(aligned, dtype), shape);
      });
    },
    [Symbol.dispose]() {
      bytes.dispose();
    },
  };
}

interface Layout {
  readonly header: Buffer;
  readonly order: readonly Tensor[];
}

/** Wide elements first, so that every tensor starts aligned. */
function layOut(
  path: string,
  tensors: ReadonlyMap<string, Tensor>,
  metadata?: Readonly<Record<string, string>>,
): Layout {
  const byWidth = [...tensors].sort(([, a], [, b]) => byteSize(b.dtype) - byteSize(a.dtype));
  const header: Record<string, unknown> = metadata ? { __metadata__: metadata } : {};
  let position = 0;
  for (const [key, tensor] of byWidth) {
    const dtype = formatNames.get(tensor.dtype);
    if (dtype === undefined || key === "__metadata__") {
      throw new CheckpointError("ERR_CHECKPOINT_DTYPE", path, `"${key}" (${tensor.dtype}) cannot be stored.`, { key });
    }
    const end = position + tensor.numel * byteSize(tensor.dtype);
    header[key] = { dtype, shape: tensor.shape, data_offsets: [position, end] };
    position = end;
  }
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(lengthBytes + Math.ceil(json.length / 8) * 8, " ");
  padded.writeBigUInt64LE(BigInt(padded.length - lengthBytes));
  json.copy(padded, lengthBytes);
  return { header: padded, order: byWidth.map(([, tensor]) => tensor) };
}

const chunkBytes = 1 << 24;

function writeAll(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
}

function writeTensor(file: number, tensor: Tensor, buffer: Uint8Array): void {
  if (tensor.numel === 0) return;
  scope(() => {
    const onHost = op.to(op.detach(tensor), { device: "cpu" });
    const bytes = op.view(op.reshape(op.contiguous(onHost), [-1]), "uint8");
    const total = bytes.numel;
    for (let start = 0; start < total; start += chunkBytes) {
      const length = Math.min(chunkBytes, total - start);
      const chunk = buffer.subarray(0, length);
      scope(() => void op.narrow(bytes, 0, start, length).copyInto(chunk));
      writeAll(file, chunk);
    }
  });
}

function syncDirectory(path: string): void {
  const directory = openSync(dirname(path), "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** Writes through a temporary file: after a crash there is the old file or the new one. @throws ERR_CHECKPOINT_WRITE */
export function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, Tensor>,
  metadata?: Readonly<Record<string, string>>,
): void {
  const { header, order } = layOut(path, tensors, metadata);
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const file = openSync(temporary, "w");
    try {
      writeAll(file, header);
      const buffer = new Uint8Array(chunkBytes);
      noGrad(() => {
        for (const tensor of order) writeTensor(file, tensor, buffer);
      });
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
    syncDirectory(path);
  } catch (cause) {
    rmSync(temporary, { force: true });
    const reason = (cause as Error).message;
    throw new CheckpointError("ERR_CHECKPOINT_WRITE", path, `cannot be written: ${reason}.`, { cause });
  }
}
