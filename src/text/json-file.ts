// Reads the small JSON files of a checkpoint directory, with errors that say which file and what was expected.
import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { type ErrorCode, OppoError } from "../error.ts";

/** Ten times the largest tokenizer. */
const maxBytes = 256 * 2 ** 20;

/** @throws OppoError with the given code when the file is missing, is not JSON or does not hold an object. */
export function readJsonFile(directory: string, name: string, code: ErrorCode): Record<string, unknown> {
  const file = path.join(directory, name);
  return parseJsonObject(readTextFile(file, code), file, code);
}

/** @throws OppoError with the given code when the text is not JSON or is no object. */
export function parseJsonObject(text: string, where: string, code: ErrorCode): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new OppoError(code, `${where}: expected JSON, got ${String(cause)}. Fetch the file again.`, { cause });
  }
  return requireObject(value, where, code);
}

/** @throws OppoError with the given code when the file cannot be read. */
export function readTextFile(file: string, code: ErrorCode): string {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > maxBytes) {
    throw new OppoError(
      code,
      `${file}: expected at most ${maxBytes} bytes, got ${size}. No model has settings of that size; fetch the file again.`,
    );
  }
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new OppoError(
      code,
      `${file}: expected a readable file, got ${String(cause)}. Check the checkpoint directory.`,
      {
        cause,
      },
    );
  }
}

/** @throws OppoError with the given code when the value is no plain object. */
export function requireObject(value: unknown, where: string, code: ErrorCode): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  const got = Array.isArray(value) ? "an array" : value === null ? "null" : typeof value;
  throw new OppoError(code, `${where}: expected an object, got ${got}. The file may be of another kind or damaged.`);
}
