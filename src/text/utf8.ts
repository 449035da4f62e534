// Text of files that people bring, by the bytes: UTF-8, or UTF-16 where a byte order mark says so. Other encodings are never
// guessed: a wrong guess would go to a model as garbled words.

import { TextDecoder } from "node:util";

const strict = new TextDecoder("utf-8", { fatal: true });

/** null where the bytes are no UTF-8. A byte order mark is left out. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  return decode(strict, bytes);
}

/** UTF-16 with its mark, or UTF-8 with or without one; null for anything else. */
export function decodeText(bytes: Uint8Array): string | null {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return decode(new TextDecoder("utf-16le", { fatal: true }), bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return decode(new TextDecoder("utf-16be", { fatal: true }), bytes);
  const text = decodeUtf8(bytes);
  // UTF-16 without its mark is UTF-8 with zeros, to the letter.
  return text?.includes("\0") ? null : text;
}

function decode(decoder: TextDecoder, bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}
