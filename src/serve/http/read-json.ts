// The JSON body of a request, bounded: bytes are counted as they come, text must be UTF-8, and nesting is limited before
// anything is parsed.
import type { IncomingMessage } from "node:http";
import { TextDecoder } from "node:util";
import { HttpError } from "./http-error.ts";

const maxDepth = 32;
const quote = 0x22;
const backslash = 0x5c;
const opening = new Set([0x5b, 0x7b]);
const closing = new Set([0x5d, 0x7d]);

/** So many of the largest bodies may be in memory at once; requests beyond are told to come back. */
const largestAtOnce = 4;
const retrySeconds = 1;

/** Reads the bodies of one server: each bounded, and all that are being read together. */
export class BodyReader {
  readonly #maxBytes: number;
  /** What has come in of the bodies that are being read. */
  #bytesAtOnce = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** @throws HttpError ERR_HTTP_BODY_TOO_LARGE (413), ERR_HTTP_BODY (400), ERR_HTTP_MEDIA_TYPE (415), ERR_SERVER_BUSY (429) */
  async json(incoming: IncomingMessage): Promise<unknown> {
    requireJsonType(incoming.headers["content-type"]);
    const stated = Number(incoming.headers["content-length"] ?? 0);
    if (stated > this.#maxBytes) throw tooLarge(this.#maxBytes, String(stated));
    let size = 0;
    const take = (bytes: number) => {
      size += bytes;
      this.#bytesAtOnce += bytes;
      if (size > this.#maxBytes) throw tooLarge(this.#maxBytes, "more");
      if (this.#bytesAtOnce > largestAtOnce * this.#maxBytes) throw busy(this.#bytesAtOnce);
    };
    try {
      return parseJson(await readBytes(incoming, take));
    } finally {
      this.#bytesAtOnce -= size;
    }
  }
}

function busy(bytes: number): HttpError {
  return new HttpError(
    429,
    "ERR_SERVER_BUSY",
    `body: expected fewer large ones at once, got ${bytes} bytes of them. Try again.`,
    { retryAfterSeconds: retrySeconds },
  );
}

function requireJsonType(type: string | undefined): void {
  if (type !== undefined && /^application\/(?:[\w.-]+\+)?json\b/i.test(type)) return;
  throw new HttpError(
    415,
    "ERR_HTTP_MEDIA_TYPE",
    `content-type: expected application/json, got ${type === undefined ? "none" : JSON.stringify(type.slice(0, 80))}. Send JSON.`,
  );
}

/** @param take told of every piece; throws to stop */
function readBytes(incoming: IncomingMessage, take: (bytes: number) => void): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const onData = (chunk: Buffer) => {
      try {
        take(chunk.length);
        chunks.push(chunk);
      } catch (error) {
        incoming.off("data", onData);
        incoming.pause();
        reject(error);
      }
    };
    incoming.on("data", onData);
    incoming.on("end", () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    const cutOff = (cause?: unknown) =>
      reject(
        new HttpError(400, "ERR_HTTP_BODY", "body: expected all of it, got its beginning. Send it again.", { cause }),
      );
    incoming.on("error", cutOff);
    incoming.on("close", () => {
      if (!incoming.complete) cutOff();
    });
  });
}

/** @throws HttpError ERR_HTTP_BODY */
export function parseJson(bytes: Uint8Array): unknown {
  const depth = nesting(bytes);
  if (depth > maxDepth) throw badBody(`at most ${maxDepth} levels of nesting`, `${depth} or more`);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw badBody("text in UTF-8", "bytes that are none", cause);
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    // V8 quotes the text around the fault; a body may hold what does not belong in a log.
    throw badBody("JSON", text.trim() === "" ? "an empty body" : "text that is no JSON", cause);
  }
}

/** The deepest nesting of arrays and objects; stops looking one level beyond the limit. */
function nesting(bytes: Uint8Array): number {
  let depth = 0;
  let deepest = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (byte === quote) i = stringEnd(bytes, i);
    else if (opening.has(byte)) {
      depth++;
      deepest = Math.max(deepest, depth);
      if (deepest > maxDepth) return deepest;
    } else if (closing.has(byte)) depth--;
  }
  return deepest;
}

/** Index of the quote that ends the string that begins at `start`. */
function stringEnd(bytes: Uint8Array, start: number): number {
  for (let at = bytes.indexOf(quote, start + 1); at >= 0; at = bytes.indexOf(quote, at + 1)) {
    let slashes = 0;
    while (bytes[at - 1 - slashes] === backslash) slashes++;
    if (slashes % 2 === 0) return at;
  }
  return bytes.length;
}

function badBody(expected: string, got: string, cause?: unknown): HttpError {
  return new HttpError(400, "ERR_HTTP_BODY", `body: expected ${expected}, got ${got}. Send one JSON object.`, {
    cause,
  });
}

function tooLarge(maxBytes: number, got: string): HttpError {
  return new HttpError(
    413,
    "ERR_HTTP_BODY_TOO_LARGE",
    `body: expected at most ${maxBytes} bytes, got ${got}. Send less, or start the server with a larger --max-body-mb.`,
  );
}
