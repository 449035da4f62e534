// Decoded clips on the disk, at a model's resolution: one file each, named by what it was made of, bounded in bytes, the one
// read longest ago removed first. A file that is not what it says is removed and the clip decoded anew.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import type { ClipFiles } from "../../../data/conversations/conversation.ts";
import { audioPath, mediaPath } from "../../../data/jsonl.ts";
import type { MediaClip } from "../../../media/clip.ts";
import { sweepTemporaries, temporaryBeside } from "../../../temporary-files.ts";

const extension = ".frames";
const maxHeaderBytes = 2 ** 16;
/** Removing goes on to here, so that a full cache is not looked through for every clip. */
const fullShare = 0.95;

const whole = z
  .int()
  .min(0)
  .max(2 ** 32);
const amount = z.number().min(0);

/** The first line of a file; frames and then samples follow as the bytes that they are. */
const headerSchema = z.strictObject({
  format: z.literal(1),
  /** Of everything after the line. */
  sha256: z.string().length(64),
  clip: z.strictObject({
    numFrames: whole,
    height: whole,
    width: whole,
    fps: amount,
    sampleRateHz: whole,
    durationSeconds: amount,
    notices: z.array(z.string()).optional(),
  }),
  numSamples: whole,
});

export class FrameCache {
  readonly #folder: string;
  readonly #maxBytes: number;
  #numBytes: number;
  /** One after another: two that make room at once would remove twice as much. */
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(folder: string, maxBytes: number, numBytes: number) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
    this.#numBytes = numBytes;
  }

  static async open(folder: string, maxBytes: number): Promise<FrameCache> {
    await mkdir(folder, { recursive: true });
    sweepTemporaries(folder);
    const files = await filesIn(folder);
    return new FrameCache(
      folder,
      maxBytes,
      files.reduce((sum, { bytes }) => sum + bytes, 0),
    );
  }

  /** The clip as it was put here; null where it is not, or where its files have changed. */
  async get(key: string): Promise<MediaClip | null> {
    const path = join(this.#folder, key + extension);
    let bytes: Buffer;
    try {
      bytes = await readFile(path);
    } catch {
      return null;
    }
    const clip = parse(bytes);
    if (clip === null) await rm(path, { force: true });
    // By this time the next clip to go is chosen.
    else await utimes(path, new Date(), new Date()).catch(() => undefined);
    return clip;
  }

  /** @throws the system's error where the disk does not take it; then nothing was put here */
  put(key: string, clip: MediaClip): Promise<void> {
    const written = this.#writing.then(() => this.#write(key, clip));
    this.#writing = written.catch(() => undefined);
    return written;
  }

  async #write(key: string, clip: MediaClip): Promise<void> {
    const parts = serialize(clip);
    const numBytes = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
    if (numBytes > this.#maxBytes) return;
    if (this.#numBytes + numBytes > this.#maxBytes) await this.#makeRoom(numBytes);
    const path = join(this.#folder, key + extension);
    const temporary = temporaryBeside(path);
    try {
      await writeFile(temporary, parts);
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    this.#numBytes += numBytes;
  }

  /** Counts anew: other runs may share the folder. */
  async #makeRoom(wanted: number): Promise<void> {
    const files = (await filesIn(this.#folder)).sort((left, right) => left.readAt - right.readAt);
    let sum = files.reduce((total, { bytes }) => total + bytes, 0);
    for (const { path, bytes } of files) {
      if (sum + wanted <= fullShare * this.#maxBytes) break;
      await rm(path, { force: true });
      sum -= bytes;
    }
    this.#numBytes = sum;
  }
}

/** Names a clip by its files' paths, sizes and times and by the model's resolution; null where a file is missing. */
export async function cacheKeyOf(root: string, clip: ClipFiles, fitKey: string): Promise<string | null> {
  const hash = createHash("sha256").update(`frames-1\n${fitKey}\n`);
  for (const path of [mediaPath(root, clip), audioPath(root, clip)]) {
    if (path === null) continue;
    const stats = await stat(path).catch(() => null);
    if (stats === null) return null;
    hash.update(`${resolve(path)}\n${stats.size} ${stats.mtimeMs}\n`);
  }
  return hash.digest("hex");
}

async function filesIn(folder: string): Promise<{ path: string; bytes: number; readAt: number }[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(extension));
  const files = names.map(async (name) => {
    const path = join(folder, name);
    const stats = await stat(path).catch(() => null);
    return stats === null ? [] : [{ path, bytes: stats.size, readAt: stats.mtimeMs }];
  });
  return (await Promise.all(files)).flat();
}

function serialize({ frames, waveform, ...clip }: MediaClip): Buffer[] {
  const body = [frames, waveform].map(({ buffer, byteOffset, byteLength }) =>
    Buffer.from(buffer, byteOffset, byteLength),
  );
  const header = { format: 1, sha256: digest(body), clip, numSamples: waveform.length };
  return [Buffer.from(`${JSON.stringify(header)}\n`), ...body];
}

/** null: damaged, or of another version. */
function parse(bytes: Buffer): MediaClip | null {
  const lineEnd = bytes.subarray(0, maxHeaderBytes).indexOf("\n");
  if (lineEnd < 0) return null;
  const header = headerSchema.safeParse(parseJson(bytes.toString("utf8", 0, lineEnd)));
  if (!header.success) return null;
  const { clip, numSamples, sha256 } = header.data;
  const body = bytes.subarray(lineEnd + 1);
  const frameBytes = clip.numFrames * clip.height * clip.width * 3;
  if (body.length !== frameBytes + numSamples * Float32Array.BYTES_PER_ELEMENT || digest([body]) !== sha256)
    return null;
  const { notices, ...rest } = clip;
  return {
    ...rest,
    ...(notices === undefined ? {} : { notices }),
    frames: Uint8Array.from(body.subarray(0, frameBytes)),
    waveform: new Float32Array(Uint8Array.from(body.subarray(frameBytes)).buffer),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function digest(parts: readonly Buffer[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}
