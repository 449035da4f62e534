// Clips that somebody dropped into the page: bounded while they come in, decoded once to see that they can be, kept in a folder of this
// server alone and removed with it. Their content gives them their names; nothing of what a client calls them becomes a path.
import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { extname, join } from "node:path";
import { decodeClip } from "../../../media/isolated/index.ts";
import { MediaError } from "../../../media/media-error.ts";
import { makeTemporaryFolder } from "../../../temporary-files.ts";
import { HttpError } from "../../http/http-error.ts";
import { mediumLimits } from "../../model/medium.ts";
import type { DroppedClip } from "../api.ts";
import { type ClipFile, mediaTypes } from "../rollouts/sample-index.ts";

export const maxDroppedBytes = 1 << 28;
const maxKept = 8;
const prefix = "dropped-";
const idLetters = 24;
/** Enough to see that pictures come out; what a model looks at is its own business. */
const look = { ...mediumLimits, height: 64, maxFrames: 32 };
const millisecondsPerSecond = 1000;

interface Kept extends ClipFile {
  readonly clip: DroppedClip;
}

export class DroppedClips {
  #folder: string | null = null;
  #numTaken = 0;
  /** In the order of coming. */
  readonly #kept = new Map<string, Kept>();

  /**
   * Takes a request's body. @param name of the file, for its ending and for people
   * @throws HttpError ERR_STUDIO_CLIP (400) with why it cannot be shown, ERR_HTTP_BODY_TOO_LARGE (413)
   */
  async take(name: string, incoming: IncomingMessage): Promise<DroppedClip> {
    const ending = extname(name).toLowerCase();
    const type = mediaTypes[ending] ?? "";
    if (!type.startsWith("video/")) {
      const endings = Object.keys(mediaTypes).filter((one) => mediaTypes[one]!.startsWith("video/"));
      throw refusal(`expected a video (${endings.join(", ")}), got a name that ends otherwise. Convert it.`);
    }
    this.#folder ??= makeTemporaryFolder("dropped");
    const part = join(this.#folder, `part-${this.#numTaken++}${ending}`);
    try {
      const id = prefix + (await written(part, incoming)).slice(0, idLetters);
      const known = this.#kept.get(id);
      if (known !== undefined) return known.clip;
      const { seconds, hasSound } = await checked(part);
      const path = join(this.#folder, id + ending);
      await rename(part, path);
      const clip = { id, name: name.slice(0, 200), seconds, hasSound };
      this.#kept.set(id, { path, type, clip });
      await this.#trim();
      return clip;
    } finally {
      await rm(part, { force: true });
    }
  }

  list(): DroppedClip[] {
    return [...this.#kept.values()].map(({ clip }) => clip);
  }

  /** null: not a dropped one, or not kept any more. */
  find(id: string): ClipFile | null {
    return this.#kept.get(id) ?? null;
  }

  close(): void {
    this.#kept.clear();
    if (this.#folder !== null) rmSync(this.#folder, { recursive: true, force: true });
  }

  async #trim(): Promise<void> {
    for (const [id, { path }] of this.#kept) {
      if (this.#kept.size <= maxKept) return;
      this.#kept.delete(id);
      await rm(path, { force: true });
    }
  }
}

/** @returns SHA-256 of what was written, in hexadecimal */
async function written(path: string, incoming: IncomingMessage): Promise<string> {
  if (Number(incoming.headers["content-length"] ?? 0) > maxDroppedBytes) throw tooLarge();
  const hash = createHash("sha256");
  const file: FileHandle = await open(path, "wx", 0o600);
  try {
    let size = 0;
    // The connection stays, so that the refusal arrives.
    for await (const chunk of incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxDroppedBytes) throw tooLarge();
      hash.update(chunk);
      await file.writeFile(chunk);
    }
    if (size === 0) throw refusal("expected a video, got an empty file. Choose another.");
    return hash.digest("hex");
  } finally {
    await file.close();
  }
}

async function checked(path: string): Promise<{ readonly seconds: number; readonly hasSound: boolean }> {
  try {
    const { numFrames, waveform, durationSeconds } = await decodeClip(path, look);
    if (numFrames === 0) throw refusal("expected a picture in it, got sound alone. Choose another.");
    const seconds = Math.round(durationSeconds * millisecondsPerSecond) / millisecondsPerSecond;
    return { seconds, hasSound: waveform.length > 0 };
  } catch (error) {
    if (!(error instanceof MediaError)) throw error;
    throw refusal(error.message.replaceAll(path, "the file"));
  }
}

function refusal(words: string): HttpError {
  return new HttpError(400, "ERR_STUDIO_CLIP", `dropped clip: ${words}`);
}

function tooLarge(): HttpError {
  return new HttpError(
    413,
    "ERR_HTTP_BODY_TOO_LARGE",
    `dropped clip: expected at most ${maxDroppedBytes >> 20} MB, got more. Cut it.`,
  );
}
