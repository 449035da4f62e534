// The texts that a person wants vectors of: written on the command line, in a file, or on standard input. Bounded, and
// refused where a text is none.
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { OppoError } from "../../error.ts";

const maxBytes = 256 * 2 ** 20;
const maxTexts = 1_000_000;
/** A longer text would be cut by every embedder anyway. */
const maxTextLength = 1_000_000;
const standardInput = 0;
const chunkBytes = 1 << 20;

/**
 * Texts of the arguments, then of the file: one per line (blank lines say nothing), or a JSON array of strings where the
 * name ends in .json. "-" is standard input.
 * @throws OppoError ERR_TEXTS
 */
export function gatherTexts(given: readonly string[], file: string | null): string[] {
  const texts = [...given, ...(file === null ? [] : textsOfFile(file))];
  if (texts.length === 0) throw wrong("texts", "at least one text", "none", "Write them as arguments, or give --file.");
  if (texts.length > maxTexts)
    throw wrong(file ?? "texts", `at most ${maxTexts} texts`, texts.length, "Split the file.");
  const bad = texts.findIndex((text) => text.trim() === "" || text.length > maxTextLength);
  if (bad < 0) return texts;
  const got = texts[bad]!.trim() === "" ? "a blank one" : `one of ${texts[bad]!.length} characters`;
  throw wrong(`text ${bad + 1}`, `a text of up to ${maxTextLength} characters`, got, "Leave it out.");
}

function textsOfFile(file: string): string[] {
  const text = readBounded(file);
  if (!file.endsWith(".json")) return text.split(/\r?\n/).filter((line) => line.trim() !== "");
  const advice = 'Write ["one", "two"], or one text per line in a file of another name.';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw wrong(file, "a JSON array of strings", (cause as Error).message, advice, cause);
  }
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw wrong(file, "a JSON array of strings", Array.isArray(value) ? "other items" : typeof value, advice);
}

function readBounded(file: string): string {
  const handle = file === "-" ? standardInput : openSync(file, "r");
  try {
    const size = fstatSync(handle).size;
    if (size > maxBytes) throw wrong(file, `at most ${maxBytes} bytes`, size, "Split the file.");
    const bytes = readUpTo(handle, maxBytes + 1);
    if (bytes.length > maxBytes) throw wrong(file, `at most ${maxBytes} bytes`, "more", "Split the input.");
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw wrong(file, "UTF-8 text", "other bytes", "Save it as UTF-8.", cause);
  } finally {
    if (handle !== standardInput) closeSync(handle);
  }
}

function readUpTo(handle: number, limit: number): Uint8Array {
  const chunks: Uint8Array[] = [];
  for (let total = 0; total < limit; ) {
    const chunk = Buffer.alloc(chunkBytes);
    const size = readSync(handle, chunk);
    if (size === 0) break;
    chunks.push(chunk.subarray(0, size));
    total += size;
  }
  return Buffer.concat(chunks);
}

function wrong(where: string, expected: string, got: string | number, advice: string, cause?: unknown): OppoError {
  return new OppoError("ERR_TEXTS", `${where}: expected ${expected}, got ${got}. ${advice}`, { cause });
}
