// The lines of a file of rows: they end at \n or \r\n and nowhere else, whatever Node's own line reader takes for an end (since
// Node 24 U+2028 and U+2029 too, which JSON allows inside a text).

import { createReadStream } from "node:fs";
import { decodeUtf8 } from "../text/utf8.ts";

export interface Line {
  /** 1-based. */
  readonly number: number;
  /** Empty where there is a problem. */
  readonly text: string;
  /** Why it cannot be read; null for one that can. */
  readonly problem: string | null;
}

/** A longer line is no row; more of it is not kept. */
const maxLineBytes = 4_000_000;
const newline = 0x0a;
const carriageReturn = 0x0d;

/** In the order of the file, blank ones too. A byte order mark before the first is left out. */
export async function* readLines(file: string): AsyncGenerator<Line> {
  let number = 0;
  let parts: Buffer[] = [];
  let numBytes = 0;
  const keep = (part: Buffer) => {
    if (numBytes <= maxLineBytes) parts.push(part);
    numBytes += part.length;
  };
  const take = (): Line => {
    number++;
    const line = lineOf(number, parts, numBytes);
    parts = [];
    numBytes = 0;
    return line;
  };
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      keep(chunk.subarray(start, end));
      yield take();
      start = end + 1;
    }
    if (start < chunk.length) keep(chunk.subarray(start));
  }
  if (numBytes > 0) yield take();
}

function lineOf(number: number, parts: readonly Buffer[], numBytes: number): Line {
  if (numBytes > maxLineBytes) return { number, text: "", problem: `line of ${numBytes} bytes` };
  const bytes = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  const text = decodeUtf8(bytes.at(-1) === carriageReturn ? bytes.subarray(0, -1) : bytes);
  return text === null ? { number, text: "", problem: "not UTF-8" } : { number, text, problem: null };
}
