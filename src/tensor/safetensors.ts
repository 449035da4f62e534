// Safetensors files: read through a private memory map (pages load on first touch, in-place changes copy the page and
// never reach the file), written atomically. A file that is cut in place under a map takes the process with it when a page
// that is gone is touched: its size is looked at again before every tensor, which leaves the time after.
import { closeSync, fstatSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { temporaryBeside } from "../temporary-files.ts";
import { byteSize, type DType } from "./dtype.ts";
import { CheckpointError } from "./error.ts";
import * as op from "./ops.gen.ts";
import { formatNames, lengthBytes, readHeader } from "./safetensors-header.ts";
import { keep, noGrad, scope, type Tensor } from "./tensor.ts";

export interface SafetensorsFile extends Disposable {
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly entries: ReadonlyMap<string, { readonly dtype: DType; readonly shape: readonly number[] }>;
  /** A view of the mapped file, which stays mapped while any view lives, also after the file is disposed. */
  tensor(name: string): Tensor;
}

/** Opens and checks a file; tensors are made on demand. @throws CheckpointError ERR_CHECKPOINT_* */
export function openSafetensors(path: string): SafetensorsFile {
  const { header, dataStart, fileBytes } = readHeader(path);
  // Kept inside a scope: an owner, not accounted as garbage for the collector to chase.
  const bytes = scope(() => keep(op.fromFile(path, { shared: false, size: fileBytes, dtype: "uint8" })));
  // The file that is mapped, whatever takes its name meanwhile.
  const descriptor = openSync(path, "r");
  let isOpen = true;
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
      const size = isOpen ? fstatSync(descriptor).size : fileBytes;
      if (size < dataStart + end) {
        const got = `expected ${fileBytes} bytes as when it was opened, got ${size}`;
        throw new CheckpointError("ERR_CHECKPOINT_TRUNCATED", path, `${got}. Put files in place by renaming them.`);
      }
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
      if (isOpen) closeSync(descriptor);
      isOpen = false;
    },
  };
}

/** What the header says of a tensor. */
export interface TensorShape {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

interface Layout {
  readonly header: Buffer;
  readonly order: readonly string[];
}

const numElements = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);

/** Wide elements first, so that every tensor starts aligned. */
function layOut(
  path: string,
  tensors: ReadonlyMap<string, TensorShape>,
  metadata?: Readonly<Record<string, string>>,
): Layout {
  const byWidth = [...tensors].sort(([, a], [, b]) => byteSize(b.dtype) - byteSize(a.dtype));
  const header: Record<string, unknown> = metadata ? { __metadata__: metadata } : {};
  let position = 0;
  for (const [key, { dtype, shape }] of byWidth) {
    const name = formatNames.get(dtype);
    if (name === undefined || key === "__metadata__") {
      throw new CheckpointError("ERR_CHECKPOINT_DTYPE", path, `"${key}" (${dtype}) cannot be stored.`, { key });
    }
    const end = position + numElements(shape) * byteSize(dtype);
    header[key] = { dtype: name, shape, data_offsets: [position, end] };
    position = end;
  }
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(lengthBytes + Math.ceil(json.length / 8) * 8, " ");
  padded.writeBigUInt64LE(BigInt(padded.length - lengthBytes));
  json.copy(padded, lengthBytes);
  return { header: padded, order: byWidth.map(([key]) => key) };
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
  streamSafetensors(path, tensors, (key) => tensors.get(key)!, metadata);
}

/** The same for tensors that are made one at a time: each is asked for when its bytes are due, in a scope of its own. */
export function streamSafetensors(
  path: string,
  shapes: ReadonlyMap<string, TensorShape>,
  make: (key: string) => Tensor,
  metadata?: Readonly<Record<string, string>>,
): void {
  const { header, order } = layOut(path, shapes, metadata);
  const temporary = temporaryBeside(path);
  try {
    const file = openSync(temporary, "w");
    try {
      writeAll(file, header);
      const buffer = new Uint8Array(chunkBytes);
      for (const key of order) {
        noGrad(() =>
          scope(() => {
            const tensor = make(key);
            const { dtype, shape } = shapes.get(key)!;
            if (tensor.dtype !== dtype || tensor.shape.join() !== shape.join()) {
              const got = `${tensor.dtype} [${tensor.shape.join(", ")}]`;
              throw new CheckpointError(
                "ERR_CHECKPOINT_SHAPE",
                path,
                `"${key}": expected ${dtype} [${shape.join(", ")}], got ${got}.`,
              );
            }
            writeTensor(file, tensor, buffer);
          }),
        );
      }
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
    syncDirectory(path);
  } catch (cause) {
    rmSync(temporary, { force: true });
    if (cause instanceof CheckpointError) throw cause;
    const reason = (cause as Error).message;
    throw new CheckpointError("ERR_CHECKPOINT_WRITE", path, `cannot be written: ${reason}.`, { cause });
  }
}
