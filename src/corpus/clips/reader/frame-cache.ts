// Decoded clips on the disk, at a model's resolution: one file each, named by what it was made of. A file that is not what it says
// is removed and the clip decoded anew.
import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { z } from "zod";
import type { ClipFiles } from "../../../data/conversations/conversation.ts";
import { audioPath, mediaPath } from "../../../data/jsonl.ts";
import type { MediaClip } from "../../../media/clip.ts";
import { BoundedFolder } from "../../../run/bounded-folder.ts";

const maxHeaderBytes = 2 ** 16;

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

/** The clips in a folder. */
export class FrameCache {
  readonly #files: BoundedFolder;

  private constructor(files: BoundedFolder) {
    this.#files = files;
  }

  static async open(folder: string, maxBytes: number): Promise<FrameCache> {
    return new FrameCache(await BoundedFolder.open(folder, ".frames", maxBytes));
  }

  /** The clip as it was put here; null where it is not. @param key of `cacheKeyOf` */
  async get(key: string): Promise<MediaClip | null> {
    const bytes = await this.#files.get(key);
    if (bytes === null) return null;
    const clip = parse(bytes);
    if (clip === null) await this.#files.remove(key);
    return clip;
  }

  /** @throws the system's error where the disk does not take it; then nothing was put here */
  put(key: string, clip: MediaClip): Promise<void> {
    return this.#files.put(key, serialize(clip));
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
