// Where media come from: data URLs, files below one folder where that was allowed, and the web where that was. Bytes are
// bounded, written to the engine's folder for one request, and removed with it.
import { createHash } from "node:crypto";
import { realpathSync, statSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { HttpError } from "../../http/http-error.ts";
import type { MediaPart } from "../chat-call.ts";
import type { MediaFile } from "../protocol.ts";
import { fetchMedia } from "./fetch-media.ts";

export interface MediaPolicy {
  /** file: URLs below this folder only; null: none. */
  readonly allowedFolder: string | null;
  /** http and https URLs. */
  readonly allowsFetch: boolean;
  readonly maxBytes: number;
}

/** The files of one request. Dispose of it when the request is over. */
export interface MediaFiles extends AsyncDisposable {
  readonly files: readonly MediaFile[];
}

const maxFrames = 768;
let numWritten = 0;

/** @throws HttpError ERR_REQUEST_MEDIA, ERR_MEDIA_URL */
export async function placeMedia(
  parts: readonly MediaPart[],
  policy: MediaPolicy,
  folder: string,
  signal: AbortSignal,
): Promise<MediaFiles> {
  const written: string[] = [];
  const dispose = async () => {
    await Promise.all(written.map((path) => rm(path, { force: true })));
  };
  const place = async (bytes: Uint8Array): Promise<string> => {
    const path = join(folder, `media-${numWritten++}`);
    written.push(path);
    await writeFile(path, bytes, { mode: 0o600 });
    return path;
  };
  try {
    const files: MediaFile[] = [];
    for (const part of parts) files.push(await fileOf(part, policy, place, signal));
    return { files, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function fileOf(
  part: MediaPart,
  policy: MediaPolicy,
  place: (bytes: Uint8Array) => Promise<string>,
  signal: AbortSignal,
): Promise<MediaFile> {
  const { kind, url } = part;
  const scheme = /^([a-z]+):/i.exec(url)?.[1]?.toLowerCase();
  if (scheme === "data") {
    const { type, data } = splitDataUrl(url, kind);
    if (kind === "video" && type === "video/jpeg") return await frames(data, part, policy, place);
    const bytes = fromBase64(data, policy);
    return fileFor(part, await place(bytes), keyOf(bytes));
  }
  if (scheme === "file") {
    const { path, key } = allowedFile(url, policy);
    return fileFor(part, path, key);
  }
  if (scheme === "http" || scheme === "https") {
    if (!policy.allowsFetch)
      throw urlError("a data: URL", `${scheme}:`, "Start the server with --allow-fetch to allow it.");
    const bytes = await fetchMedia(url, { maxBytes: policy.maxBytes, signal });
    return fileFor(part, await place(bytes), keyOf(bytes));
  }
  throw urlError(
    "a data:, file: or http(s): URL",
    scheme === undefined ? "none" : `${scheme.slice(0, 20)}:`,
    "Correct it.",
  );
}

function fileFor({ kind, withSound }: MediaPart, path: string, content: string): MediaFile {
  const key = `${kind}${withSound ? " with sound" : ""} ${content}`;
  return kind === "video" ? { kind, path, withSound, key } : { kind, path, key };
}

function keyOf(...contents: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const bytes of contents) hash.update(`${bytes.length} `).update(bytes);
  return hash.digest("hex");
}

/** vLLM's form of a list of frames: one data URL of type video/jpeg, the frames' base64 joined by commas. */
async function frames(
  data: string,
  { fps, numFrames }: MediaPart,
  policy: MediaPolicy,
  place: (bytes: Uint8Array) => Promise<string>,
): Promise<MediaFile> {
  const encoded = data.split(",");
  if (encoded.length < 2 || encoded.length > maxFrames) {
    throw urlError(`2 to ${maxFrames} frames`, String(encoded.length), "Sample the video down.");
  }
  const pictures = encoded.map((one) => fromBase64(one, policy));
  const paths: string[] = [];
  for (const bytes of pictures) paths.push(await place(bytes));
  // Frames that a trainer has sampled must not be sampled again: a rounding would leave out two.
  const areAll = numFrames === pictures.length;
  return { kind: "frames", paths, fps, areAll, key: `frames ${fps ?? "model"} ${areAll} ${keyOf(...pictures)}` };
}

function splitDataUrl(url: string, kind: MediaPart["kind"]): { type: string; data: string } {
  const comma = url.indexOf(",");
  const head = comma < 0 ? "" : url.slice("data:".length, comma).toLowerCase();
  const match = /^([a-z]+)\/[\w.+-]+(?:;[\w.+-]+=[\w.+-]+)*;base64$/.exec(head);
  if (match?.[1] === kind) return { type: head.split(";")[0]!, data: url.slice(comma + 1) };
  throw urlError(`"data:${kind}/...;base64,..."`, `"data:${head.slice(0, 60)}..."`, "Encode the file so.");
}

/** @throws HttpError for letters that are no base64, for nothing and for too much */
function fromBase64(text: string, { maxBytes }: MediaPolicy): Buffer {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const size = Math.floor(((text.length - padding) * 3) / 4);
  if (size > maxBytes) throw tooLarge(maxBytes, size);
  const bytes = Buffer.from(text, "base64");
  // Node skips what is no base64: then fewer bytes come out than the letters promise.
  if (bytes.length === size && size > 0) return bytes;
  throw urlError("base64", text.length === 0 ? "nothing" : "letters that are none", "Encode the file again.");
}

function allowedFile(url: string, { allowedFolder, maxBytes }: MediaPolicy): { path: string; key: string } {
  if (allowedFolder === null) {
    throw urlError("a data: URL", "file:", "Start the server with --allow-media FOLDER to allow files below it.");
  }
  const root = realpathSync(allowedFolder);
  let path: string;
  try {
    path = realpathSync(fileURLToPath(url));
  } catch {
    // Nothing is told of what exists elsewhere.
    throw outside();
  }
  if (!path.startsWith(root.endsWith(sep) ? root : root + sep)) throw outside();
  const stats = statSync(path);
  if (!stats.isFile()) throw outside();
  if (stats.size > maxBytes) throw tooLarge(maxBytes, stats.size);
  return { path, key: `file ${path} ${stats.size} ${stats.mtimeMs} ${stats.ino}` };
}

function outside(): HttpError {
  return urlError("a file below the folder of --allow-media", "none there", "Check the path.");
}

function tooLarge(maxBytes: number, size: number): HttpError {
  return new HttpError(
    413,
    "ERR_REQUEST_MEDIA",
    `media: expected at most ${maxBytes} bytes, got ${size}. Send a smaller file.`,
  );
}

function urlError(expected: string, got: string, advice: string): HttpError {
  return new HttpError(400, "ERR_MEDIA_URL", `media: expected ${expected}, got ${got}. ${advice}`);
}
