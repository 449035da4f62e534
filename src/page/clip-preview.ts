// Clips small enough to lie in a page: a picture from the middle and a short mp4 with the whole sound, until so many bytes are spent;
// the clips after that have the picture alone.
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { MediaClip } from "../media/clip.ts";
import { encodeMediaClip } from "../media/encode/encode-media-clip.ts";
import type { ClipOptions } from "../media/isolated/index.ts";
import { makeTemporaryFolder } from "../temporary-files.ts";
import { frameUri } from "./picture.ts";

export interface ClipPreview {
  /** Null: the clip has no picture. */
  readonly posterUri: string | null;
  /** Null: the page has no room for it. */
  readonly mediaUri: string | null;
  readonly seconds: number;
  /** Width by height. */
  readonly ratio: number;
}

/** How a clip has to be decoded: longer ones have fewer frames a second, never less sound. */
export const previewDecoding: ClipOptions = { fps: 8, height: 144, maxFrames: 160 };

const posterQuality = 40;
const quality = { preset: "medium", crf: 30, audioBitRate: 24_000 } as const;

export class ClipPreviews implements Disposable {
  #room: number;
  readonly #folder = makeTemporaryFolder("previews");

  /** @param maxBytes of the mp4s of a page */
  constructor(maxBytes: number) {
    this.#room = maxBytes;
  }

  /** @param clip as `previewDecoding` gives it @throws MediaError ERR_MEDIA_ENCODE, ERR_MEDIA_NO_SPACE, ERR_MEDIA_WRITE */
  async of(clip: MediaClip): Promise<ClipPreview> {
    const of = { seconds: clip.durationSeconds, ratio: clip.numFrames === 0 ? 1 : clip.width / clip.height };
    if (clip.numFrames === 0) return { posterUri: null, mediaUri: null, ...of };
    const posterUri = await frameUri(clip, Math.floor(clip.numFrames / 2), posterQuality);
    if (this.#room <= 0) return { posterUri, mediaUri: null, ...of };
    const bytes = await this.#encode(clip);
    const fits = bytes.length <= this.#room;
    this.#room = fits ? this.#room - bytes.length : 0;
    return { posterUri, mediaUri: fits ? `data:video/mp4;base64,${bytes.toString("base64")}` : null, ...of };
  }

  async #encode(clip: MediaClip): Promise<Buffer> {
    const file = join(this.#folder, "clip.mp4");
    await encodeMediaClip(file, clip, quality);
    return readFileSync(file);
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
