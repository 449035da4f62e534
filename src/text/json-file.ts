// Reads the small JSON files of a checkpoint directory, with errors that say which file and what was expected.
import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { type ErrorCode, OppoError } from "../error.ts";

/** Ten times the largest tokenizer. */
const maxBytes = 256 * 2 ** 20;
const maxDepth = 200;
const [quote, backslash, openBrace, closeBrace, openBracket, closeBracket] = [...'"\\{}[]'].map((character) =>
  character.charCodeAt(0),
) as [number, number, number, number, number, number];

/** @throws OppoError with the given code when the file is missing, is not JSON or does not hold an object. */
export function readJsonFile(directory: string, name: string, code: ErrorCode): Record<string, unknown> {
  const file = path.join(directory, name);
  return parseJsonObject(readTextFile(file, code), file, code);
}

/** The same for a file that holds a list. */
export function readJsonList(directory: string, name: string, code: ErrorCode): readonly unknown[] {
  const file = path.join(directory, name);
  const value = parseJson(readTextFile(file, code), file, code);
  if (Array.isArray(value)) return value;
  throw new OppoError(
    code,
    `${file}: expected a list, got ${kindOf(value)}. The file may be of another kind or damaged.`,
  );
}

/** @throws OppoError with the given code when the text is not JSON or is no object. */
export function parseJsonObject(text: string, where: string, code: ErrorCode): Record<string, unknown> {
  return requireObject(parseJson(text, where, code), where, code);
}

function parseJson(text: string, where: string, code: ErrorCode): unknown {
  if (depthOf(text) > maxDepth) {
    throw new OppoError(code, `${where}: expected at most ${maxDepth} levels of JSON, got more. Fetch the file again.`);
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new OppoError(code, `${where}: expected JSON, got ${String(cause)}. Fetch the file again.`, { cause });
  }
}

/** Levels of objects and lists; whoever walks deeper ones, to print or to check them, runs out of stack. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (inString) {
      if (code === backslash) i++;
      else if (code === quote) inString = false;
    } else if (code === quote) inString = true;
    else if (code === openBrace || code === openBracket) deepest = Math.max(deepest, ++depth);
    else if (code === closeBrace || code === closeBracket) depth--;
  }
  return deepest;
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
    throw new OppoError(code, `${file}: expected a readable file, got ${String(cause)}. Check the model's folder.`, {
      cause,
    });
  }
}

/** @throws OppoError with the given code when the value is no plain object. */
export function requireObject(value: unknown, where: string, code: ErrorCode): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  const got = kindOf(value);
  throw new OppoError(code, `${where}: expected an object, got ${got}. The file may be of another kind or damaged.`);
}

function kindOf(value: unknown): string {
  return Array.isArray(value) ? "an array" : value === null ? "null" : typeof value;
}
