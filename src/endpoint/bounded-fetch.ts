// One exchange with a server that nobody vouches for: the whole reply or none, bounded in bytes and in time up to its last byte, and no way
// to another address.

export interface ReplyLimits {
  /** Up to the last byte of the reply. */
  readonly timeoutMilliseconds: number;
  /** A longer body is refused before it is held in memory; of a packed one what it unpacks to counts. */
  readonly maxReplyBytes: number;
}

export interface WholeReply {
  readonly status: number;
  readonly ok: boolean;
  readonly headers: Headers;
  readonly bytes: Buffer<ArrayBuffer>;
}

/** There was no whole reply within the time. */
export class TimedOut extends Error {
  constructor(cause: unknown) {
    super("timed out", { cause });
  }
}

/** @throws TimedOut, or what the network failed with (`deepestMessage`) */
export async function fetchWhole(
  input: Parameters<typeof fetch>[0],
  init: RequestInit,
  { timeoutMilliseconds, maxReplyBytes }: ReplyLimits,
): Promise<WholeReply> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), timeoutMilliseconds);
  try {
    // A redirect would carry key and content to an address that nobody chose.
    const response = await fetch(input, { ...init, signal: controller.signal, redirect: "error" });
    const { status, ok, headers } = response;
    return { status, ok, headers, bytes: await boundedBody(response, maxReplyBytes) };
  } catch (error) {
    throw controller.signal.aborted ? new TimedOut(error) : error;
  } finally {
    clearTimeout(timer);
    controller.abort();
  }
}

async function boundedBody(response: Response, maxBytes: number): Promise<Buffer<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > maxBytes) throw new Error(`a body of more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** undici says "fetch failed" and keeps what happened in the cause. */
export function deepestMessage(error: Error): string {
  let current = error;
  while (current.cause instanceof Error) current = current.cause;
  return current.message === "" ? ((current as NodeJS.ErrnoException).code ?? current.name) : current.message;
}

/** Milliseconds of Retry-After, in seconds or as a date, which is read against the server's own clock; null where it does not say. */
export function askedWait(headers: Headers | undefined): number | null {
  const read = (name: string) => headers?.get(name) ?? "";
  const milliseconds = Number.parseFloat(read("retry-after-ms"));
  if (milliseconds >= 0) return milliseconds;
  const text = read("retry-after");
  if (/^\s*\d+(\.\d+)?\s*$/.test(text)) return Number(text) * 1000;
  const wait = Date.parse(text) - Date.parse(read("date"));
  return Number.isNaN(wait) ? null : Math.max(0, wait);
}

/** What a page of a proxy or a web server says, by its title; null: the text is no page. */
export function webPage(text: string): string | null {
  if (!/^\s*<(?:!|html|head|body)/i.test(text)) return null;
  const title = /<title>([^<]*)<\/title>/i.exec(text)?.[1]?.trim() ?? "";
  return title === "" ? "a web page" : `a web page, "${title}"`;
}
