// A file of lines that is being written: what has been added since is read, line by line, from the byte where the last look ended.
// A line without its end waits; a line that is too long is told and not kept; a file that was cut back or replaced begins anew.
import { closeSync, fstatSync } from "node:fs";
import type { LogState } from "../api.ts";
import { openRegular, readAt } from "./safe-read.ts";

export interface TailLine {
  /** From 0. */
  readonly number: number;
  /** Byte where it begins, and how many it has without its end. */
  readonly offset: number;
  readonly length: number;
  /** null: longer than what is kept. */
  readonly text: string | null;
}

export interface TailOptions {
  readonly maxLineBytes: number;
  /** Told of every whole line once. @returns why it is no row, or null */
  readonly onLine: (line: TailLine) => string | null;
  /** The file is another one than before: what was made of it is void. */
  readonly onReset: () => void;
}

/** Read at a time; between two of these others have their turn. */
const portionBytes = 1 << 20;
/** Of what was read last; tells a file that grows from one that was written anew. */
const markBytes = 64;
const newline = 0x0a;

/** The state of one file's reading; calls of `catchUp` follow each other. */
export class LineTail {
  readonly name: string;
  readonly #path: string;
  readonly #options: TailOptions;
  #inode = -1;
  /** Byte up to which lines were told. */
  #told = 0;
  /** Byte up to which line ends were looked for. */
  #seen = 0;
  #size = 0;
  #mark = Buffer.alloc(0);
  #numLines = 0;
  #numBroken = 0;
  #firstBroken: string | null = null;
  #running: Promise<void> = Promise.resolve();

  constructor(path: string, name: string, options: TailOptions) {
    this.#path = path;
    this.name = name;
    this.#options = options;
  }

  get isWhole(): boolean {
    return this.#seen >= this.#size;
  }

  /** How often the file turned out to be another one. */
  generation = 0;

  state(): LogState {
    return {
      name: this.name,
      numRows: this.#numLines - this.#numBroken,
      halfWritten: Math.max(0, this.#size - this.#told),
      numBroken: this.#numBroken,
      firstBroken: this.#firstBroken,
    };
  }

  /** Reads what was added, in portions. */
  catchUp(): Promise<void> {
    this.#running = this.#running.then(async () => {
      // What was half written may have been written anew since.
      if (this.#seen - this.#told < portionBytes) this.#seen = this.#told;
      while (this.#portion()) await new Promise(setImmediate);
    });
    return this.#running;
  }

  /** @returns whether there is more */
  #portion(): boolean {
    const opened = openRegular(this.#path);
    if (opened === null) {
      if (this.#inode >= 0) this.#reset(-1);
      return false;
    }
    const { file } = opened;
    try {
      const { size, ino } = fstatSync(file);
      if (ino !== this.#inode || size < this.#size || !this.#isContinued(file)) this.#reset(ino);
      this.#size = size;
      const bytes = readAt(file, this.#seen, Math.min(portionBytes, size - this.#seen));
      this.#take(file, bytes);
      return bytes.length > 0 && this.#seen < size;
    } finally {
      closeSync(file);
    }
  }

  #isContinued(file: number): boolean {
    return readAt(file, this.#told - this.#mark.length, this.#mark.length).equals(this.#mark);
  }

  #reset(inode: number): void {
    if (this.#inode >= 0) this.generation++;
    this.#inode = inode;
    this.#told = this.#seen = this.#size = this.#numLines = this.#numBroken = 0;
    this.#mark = Buffer.alloc(0);
    this.#firstBroken = null;
    this.#options.onReset();
  }

  /** Tells the lines that end in `bytes`, which begin at `#seen`. */
  #take(file: number, bytes: Buffer): void {
    const start = this.#seen;
    for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) {
      this.#tell(file, bytes, start + at);
      this.#told = start + at + 1;
      this.#mark = Buffer.from(bytes.subarray(Math.max(0, at + 1 - markBytes), at + 1));
    }
    this.#seen = start + bytes.length;
  }

  /** @param end byte of the line's end in the file */
  #tell(file: number, bytes: Buffer, end: number): void {
    const length = end - this.#told;
    const { maxLineBytes, onLine } = this.#options;
    const from = this.#told - this.#seen;
    const read = () => (from >= 0 ? bytes.subarray(from, from + length) : readAt(file, this.#told, length));
    const text = length > maxLineBytes ? null : read().toString("utf8");
    const problem = onLine({ number: this.#numLines, offset: this.#told, length, text });
    this.#numLines++;
    if (problem === null) return;
    this.#numBroken++;
    this.#firstBroken ??= `line ${this.#numLines}: ${problem}`;
  }
}

/** A row of a step log; a reason where the line is none. */
export function parseRow({ text, length }: TailLine): { readonly row: StepRow } | { readonly problem: string } {
  if (text === null) return { problem: `${length} bytes long, which is no row` };
  try {
    const row: unknown = JSON.parse(text);
    if (typeof row !== "object" || row === null || Array.isArray(row)) return { problem: "no JSON object" };
    const { step } = row as { step?: unknown };
    return typeof step === "number" && Number.isFinite(step)
      ? { row: row as StepRow }
      : { problem: 'no number "step"' };
  } catch {
    return { problem: "not JSON" };
  }
}

interface StepRow {
  readonly step: number;
  readonly [key: string]: unknown;
}
