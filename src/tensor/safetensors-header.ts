// The header of a safetensors file: 8 bytes of length, JSON, then the tensors' bytes. A file comes from outside, so
// everything in the header is checked before a byte of data is touched. Format: huggingface/safetensors, README.
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { byteSize, type DType } from "./dtype.ts";
import { CheckpointError } from "./error.ts";

const dtypes: Readonly<Record<string, DType>> = {
  F64: "float64",
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
  I64: "int64",
  I32: "int32",
  I16: "int16",
  I8: "int8",
  U8: "uint8",
  BOOL: "bool",
};

export const formatNames = new Map(Object.entries(dtypes).map(([name, dtype]) => [dtype, name]));

export const lengthBytes = 8;

/** The format's own bound: a longer header is an attack or not a safetensors file. */
export const maxHeaderBytes = 100_000_000;

/** PyTorch's own bound. */
const maxAxes = 64;
const maxNameLength = 1000;
const maxShown = 60;

export interface SafetensorsEntry {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Bytes of the data section, [begin, end). */
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly metadata: Readonly<Record<string, string>>;
  readonly entries: ReadonlyMap<string, SafetensorsEntry>;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Of a value that may be anything, short enough for a message. */
function shown(value: unknown): string {
  const text =
    typeof value === "string" ? value : typeof value === "object" && value !== null ? kindOf(value) : String(value);
  return text.length > maxShown ? `${text.slice(0, maxShown)}...` : text;
}

/** Without a walk into it: JSON of any depth can come. */
function kindOf(value: object): string {
  return Array.isArray(value) ? "a list" : "an object";
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function readExactly(file: number, path: string, length: number, position: number): Buffer {
  const buffer = Buffer.alloc(length);
  if (readSync(file, buffer, 0, length, position) !== length) {
    throw new CheckpointError("ERR_CHECKPOINT_TRUNCATED", path, `expected ${length} bytes at ${position}.`);
  }
  return buffer;
}

export interface HeaderInFile {
  readonly header: SafetensorsHeader;
  /** Where the data section begins. */
  readonly dataStart: number;
  readonly fileBytes: number;
}

/** Reads and checks the header of a file, and nothing else of it. @throws CheckpointError ERR_CHECKPOINT_* */
export function readHeader(path: string): HeaderInFile {
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

/** Parses and checks a header whose data section is `dataBytes` long. */
export function parseHeader(file: string, json: Uint8Array, dataBytes: number): SafetensorsHeader {
  const text = decode(file, json);
  const parsed = parseJson(file, text);
  refuseDuplicates(file, text);
  const entries = new Map<string, SafetensorsEntry>();
  let metadata: Readonly<Record<string, string>> = {};
  for (const [key, value] of Object.entries(parsed)) {
    if (key === "__metadata__") metadata = readMetadata(file, value);
    else entries.set(key, readEntry(file, key, value, dataBytes));
  }
  checkLayout(file, entries, dataBytes);
  return { metadata, entries };
}

function decode(file: string, json: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(json);
  } catch (cause) {
    throw new CheckpointError("ERR_CHECKPOINT_HEADER", file, "the header is not UTF-8 text.", { cause });
  }
}

function parseJson(file: string, text: string): Record<string, unknown> {
  let parsed: unknown;
  if (!text.startsWith("{")) {
    throw new CheckpointError("ERR_CHECKPOINT_HEADER", file, "the header is no JSON object that begins at once.");
  }
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new CheckpointError("ERR_CHECKPOINT_HEADER", file, "the header is not valid JSON.", { cause });
  }
  if (!isObject(parsed)) throw new CheckpointError("ERR_CHECKPOINT_HEADER", file, "the header is no JSON object.");
  return parsed;
}

/**
 * JSON.parse keeps the last of two equal keys: look at the text, which is valid JSON by now, so that a string before a
 * colon is a key. Also those of an entry: two shapes are two files, depending on who reads.
 */
function refuseDuplicates(file: string, text: string): void {
  /** Keys of the open objects, null for an array. */
  const open: (Set<string> | null)[] = [];
  const notSpace = /[^ \t\n\r]/g;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === "{") open.push(new Set());
    else if (char === "[") open.push(null);
    else if (char === "}" || char === "]") open.pop();
    if (char !== '"') continue;
    const start = i++;
    while (text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
    notSpace.lastIndex = i + 1;
    if (notSpace.exec(text)?.[0] !== ":") continue;
    const key = JSON.parse(text.slice(start, i + 1)) as string;
    if (key.length > maxNameLength) {
      const got = `a name of ${key.length} characters, ${key.slice(0, 40)}...`;
      throw new CheckpointError("ERR_CHECKPOINT_HEADER", file, `expected names of up to ${maxNameLength}, got ${got}.`);
    }
    const seen = open.at(-1)!;
    if (seen.has(key)) {
      throw new CheckpointError("ERR_CHECKPOINT_DUPLICATE", file, `the header names "${key}" twice.`, { key });
    }
    seen.add(key);
  }
}

function readMetadata(file: string, value: unknown): Record<string, string> {
  if (!isObject(value) || Object.values(value).some((text) => typeof text !== "string")) {
    throw new CheckpointError("ERR_CHECKPOINT_HEADER", file, "__metadata__: expected an object of strings.");
  }
  return value as Record<string, string>;
}

function readEntry(file: string, key: string, value: unknown, dataBytes: number): SafetensorsEntry {
  if (!isObject(value))
    throw new CheckpointError("ERR_CHECKPOINT_HEADER", file, `"${key}": expected an object.`, { key });
  const { dtype: name, shape, data_offsets: offsets } = value;
  const dtype = typeof name === "string" && Object.hasOwn(dtypes, name) ? dtypes[name] : undefined;
  if (dtype === undefined) {
    const known = Object.keys(dtypes).join(", ");
    throw new CheckpointError(
      "ERR_CHECKPOINT_DTYPE",
      file,
      `"${key}": expected a dtype of ${known}, got ${shown(name)}.`,
      {
        key,
      },
    );
  }
  if (!Array.isArray(shape) || shape.length > maxAxes || !shape.every(isCount)) {
    const expected = `expected a shape of up to ${maxAxes} whole numbers`;
    throw new CheckpointError("ERR_CHECKPOINT_SHAPE", file, `"${key}": ${expected}.`, { key });
  }
  // A tensor with an empty axis has no bytes that could give the others the lie.
  const extent = shape.reduce((product: number, length: number) => product * Math.max(1, length), byteSize(dtype));
  if (extent > Number.MAX_SAFE_INTEGER) {
    throw new CheckpointError("ERR_CHECKPOINT_SHAPE", file, `"${key}": [${shape.join(", ")}] is too large.`, { key });
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    throw new CheckpointError("ERR_CHECKPOINT_OFFSETS", file, `"${key}": expected two byte offsets.`, { key });
  }
  const [begin, end] = offsets as [number, number];
  if (begin > end || end > dataBytes) {
    const expected = `expected offsets within ${dataBytes} bytes of data, got [${begin}, ${end}]`;
    throw new CheckpointError("ERR_CHECKPOINT_OFFSETS", file, `"${key}": ${expected}. Is the file complete?`, { key });
  }
  const numBytes = shape.reduce((product: number, length: number) => product * length, byteSize(dtype));
  if (numBytes !== end - begin) {
    const expected = `${name} [${shape.join(", ")}] is ${numBytes} bytes, the offsets give ${end - begin}`;
    throw new CheckpointError("ERR_CHECKPOINT_SIZE", file, `"${key}": ${expected}.`, { key });
  }
  return { dtype, shape: shape as number[], begin, end };
}

/** Tensors fill the data section: no overlap, no gap, no rest. */
function checkLayout(file: string, entries: ReadonlyMap<string, SafetensorsEntry>, dataBytes: number): void {
  const inOrder = [...entries].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let previousEnd = 0;
  for (const [key, { begin, end }] of inOrder) {
    if (begin !== previousEnd) {
      const what = begin < previousEnd ? "overlaps the tensor before it" : "leaves a gap before it";
      throw new CheckpointError("ERR_CHECKPOINT_LAYOUT", file, `"${key}" at byte ${begin} ${what}.`, { key });
    }
    previousEnd = end;
  }
  if (previousEnd !== dataBytes) {
    const got = `expected ${previousEnd} bytes of data, got ${dataBytes}`;
    throw new CheckpointError("ERR_CHECKPOINT_LAYOUT", file, `${got}. Is this the file that was written?`);
  }
}
