// What an endpoint answered, on disk: one line of JSON per reply, appended as it comes, so that a killed run has lost
// nothing but what was under way. Every process that has something new appends to a segment of its own; all segments of
// the folder are read at the start. Memory holds keys and places, not the replies.
import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { OppoError } from "../error.ts";

interface Place {
  readonly file: string;
  readonly start: number;
  readonly length: number;
}

const format = "oppo endpoint cache";
const version = 1;
const segmentName = /^replies-(\d{6})\.jsonl$/;
const linePattern = /^\{"key":"([0-9a-f]{64})","value":/;
const headLength = 90;
const chunkBytes = 1 << 20;
const newline = 10;

export class ReplyCache {
  readonly #folder: string;
  readonly #places = new Map<string, Place>();
  #numDamaged = 0;
  #segment: { readonly file: string; readonly handle: number; size: number } | null = null;
  #isSyncing = false;
  #isDirty = false;
  #syncError: Error | null = null;

  /** @throws OppoError ERR_ENDPOINT_CACHE for a cache of another version, or a file that is none */
  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
    for (const name of readdirSync(folder).sort()) if (segmentName.test(name)) this.#load(join(folder, name));
  }

  /** Replies that can be found. */
  get size(): number {
    return this.#places.size;
  }

  /** Lines that are no replies; a last line that was cut off by a kill is not counted. */
  get numDamaged(): number {
    return this.#numDamaged;
  }

  /** The value stored last under the key; undefined when there is none, or its line is damaged. */
  get(key: string): unknown {
    const place = this.#places.get(key);
    if (place === undefined) return undefined;
    const bytes = Buffer.alloc(place.length);
    const handle = openSync(place.file, "r");
    try {
      readSync(handle, bytes, 0, place.length, place.start);
    } finally {
      closeSync(handle);
    }
    try {
      return (JSON.parse(bytes.toString("utf8")) as { value: unknown }).value;
    } catch {
      this.#places.delete(key);
      this.#numDamaged++;
      return undefined;
    }
  }

  /**
   * Appends one reply; when this returns, the end of this process cannot lose it. Flushing to the disk itself (against a
   * power cut) runs behind, one flush at a time, and is waited for by `close`.
   * @param key 64 hexadecimal digits
   */
  put(key: string, value: unknown): void {
    if (this.#syncError !== null) throw this.#syncError;
    this.#segment ??= this.#startSegment();
    const bytes = Buffer.from(`{"key":"${key}","value":${JSON.stringify(value)}}\n`);
    const { file, size } = this.#segment;
    this.#append(bytes);
    this.#places.set(key, { file, start: size, length: bytes.length - 1 });
    this.#flush();
  }

  close(): void {
    if (this.#segment === null) return;
    const { handle } = this.#segment;
    this.#segment = null;
    fdatasyncSync(handle);
    // A flush that is still under way has the handle; it closes it.
    if (!this.#isSyncing) closeSync(handle);
  }

  #append(bytes: Buffer): void {
    const segment = this.#segment!;
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(segment.handle, bytes, done);
    } catch (error) {
      // A full disk may have taken a part of the line.
      ftruncateSync(segment.handle, segment.size);
      throw Object.assign(error as Error, { path: segment.file });
    }
    segment.size += bytes.length;
  }

  #flush(): void {
    this.#isDirty = true;
    if (this.#isSyncing || this.#segment === null) return;
    const { handle, file } = this.#segment;
    this.#isSyncing = true;
    this.#isDirty = false;
    fdatasync(handle, (error) => {
      this.#isSyncing = false;
      if (error !== null) this.#syncError = Object.assign(error, { path: file });
      if (this.#segment?.handle !== handle) closeSync(handle);
      else if (this.#isDirty) this.#flush();
    });
  }

  #startSegment(): { file: string; handle: number; size: number } {
    const taken = readdirSync(this.#folder).map((name) => Number(segmentName.exec(name)?.[1] ?? 0));
    for (let number = Math.max(0, ...taken) + 1; ; number++) {
      const file = join(this.#folder, `replies-${String(number).padStart(6, "0")}.jsonl`);
      try {
        const handle = openSync(file, "ax", 0o600);
        const header = `${JSON.stringify({ format, version })}\n`;
        writeSync(handle, header);
        return { file, handle, size: header.length };
      } catch (error) {
        // Another process was faster.
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
    }
  }

  #load(file: string): void {
    let isHeader = true;
    for (const { start, length, head, last } of wholeLines(file)) {
      if (isHeader) requireHeader(file, head);
      else {
        const key = linePattern.exec(head)?.[1];
        if (key === undefined || last !== "}") this.#numDamaged++;
        else this.#places.set(key, { file, start, length });
      }
      isHeader = false;
    }
  }
}

interface Line {
  readonly start: number;
  readonly length: number;
  /** Its first bytes and its last one. */
  readonly head: string;
  readonly last: string;
}

/** The lines of a file that end with a newline, read a piece at a time. */
function* wholeLines(file: string): Generator<Line> {
  const handle = openSync(file, "r");
  try {
    const chunk = Buffer.alloc(chunkBytes);
    let start = 0;
    let position = 0;
    let head = "";
    let last = "";
    for (let size = readSync(handle, chunk); size > 0; size = readSync(handle, chunk)) {
      let from = 0;
      while (from < size) {
        const found = chunk.subarray(0, size).indexOf(newline, from);
        const end = found < 0 ? size : found;
        if (head.length < headLength)
          head += chunk.toString("latin1", from, Math.min(end, from + headLength - head.length));
        if (end > from) last = chunk.toString("latin1", end - 1, end);
        from = end;
        if (found < 0) break;
        yield { start, length: position + found - start, head, last };
        start = position + found + 1;
        from = found + 1;
        head = "";
        last = "";
      }
      position += size;
    }
  } finally {
    closeSync(handle);
  }
}

function requireHeader(file: string, line: string): void {
  const found = /^\{"format":"oppo endpoint cache","version":(\d+)\}$/.exec(line)?.[1];
  if (found === String(version)) return;
  throw new OppoError(
    "ERR_ENDPOINT_CACHE",
    `${file}: expected an endpoint cache of version ${version}, got ${found === undefined ? "another file" : `version ${found}`}. ` +
      "Choose another folder with --cache, or move this one away.",
  );
}
