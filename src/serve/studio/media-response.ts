// A clip as a browser asks for it: whole, or the range of bytes that it plays next.
import { closeSync, createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { openRegular } from "./logs/safe-read.ts";

/** null: the file is no regular one, or is gone. @param range such as "bytes=0-1023" */
export function mediaResponse(path: string, type: string, range: string | undefined): Response | null {
  const opened = openRegular(path);
  if (opened === null) return null;
  const { size } = opened.stats;
  const wanted = parseRange(range ?? "bytes=0-", size);
  const headers: Record<string, string> = {
    "content-type": type,
    "accept-ranges": "bytes",
    // A run may be made anew under the same names.
    "cache-control": "no-cache",
  };
  if (wanted === null) {
    closeSync(opened.file);
    return new Response(null, { status: 416, headers: { ...headers, "content-range": `bytes */${size}` } });
  }
  const { start, end } = wanted;
  headers["content-length"] = String(end - start + 1);
  if (range !== undefined) headers["content-range"] = `bytes ${start}-${end}/${size}`;
  const stream = createReadStream("", { fd: opened.file, start, end });
  return new Response(Readable.toWeb(stream) as ReadableStream<Uint8Array>, {
    status: range === undefined ? 200 : 206,
    headers,
  });
}

/** Both ends included; null: none that the file has. */
export function parseRange(range: string, size: number): { readonly start: number; readonly end: number } | null {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(range.trim()) ?? [];
  if (first === "" && last === "") return null;
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size - 1 : Math.min(size - 1, Number(last));
  return start <= end && start < size ? { start, end } : null;
}
