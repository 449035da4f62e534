// Clips as they were decoded, of files that are asked for under one change after another: decoding costs more than everything else that a
// small model does before its first word. Bounded in bytes; the least recently used go first.
import type { MediaClip } from "../../../media/clip.ts";

export class DecodedClips {
  readonly #maxBytes: number;
  /** In the order of use. */
  readonly #known = new Map<string, MediaClip>();
  #numBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get numBytes(): number {
    return this.#numBytes;
  }

  /** Nobody may write into what it gives. @throws what `decode` throws; then nothing is kept */
  async get(key: string, decode: () => Promise<MediaClip>): Promise<MediaClip> {
    const clip = this.#taken(key) ?? (await decode());
    const bytes = bytesOf(clip);
    if (bytes > this.#maxBytes) return clip;
    this.#known.set(key, clip);
    this.#numBytes += bytes;
    for (const oldest of this.#known.keys()) {
      if (this.#numBytes <= this.#maxBytes) break;
      this.#taken(oldest);
    }
    return clip;
  }

  #taken(key: string): MediaClip | undefined {
    const clip = this.#known.get(key);
    if (clip === undefined) return undefined;
    this.#known.delete(key);
    this.#numBytes -= bytesOf(clip);
    return clip;
  }
}

function bytesOf({ frames, waveform }: MediaClip): number {
  return frames.byteLength + waveform.byteLength;
}
