// What a model gets of a clip, for people: its frames at the model's size and rate, masked as it sees them, with the sound that it hears, as
// an mp4. The same decoding and the same masks as in the model's process. One is made at a time; the last ones stay, in a folder
// of this server alone that goes with it.
import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { decodeClip } from "../../../media/isolated/index.ts";
import { makeTemporaryFolder } from "../../../temporary-files.ts";
import { DecodedClips } from "../../model/media/decoded-clips.ts";
import { changedClip, mediumLimits } from "../../model/medium.ts";
import type { ClipChange, KeyedFile, ModelLook } from "../../model/protocol.ts";
import type { ClipFile } from "../rollouts/sample-index.ts";

const maxKept = 16;
const maxDecodedBytes = 1 << 26;
/** Of all frames together, in pixels: a browser's look at a clip, not an archive. */
const maxPixels = 1 << 27;
const quality = { crf: 16, preset: "veryfast", audioBitRate: 128_000 } as const;

export interface Shown {
  readonly file: KeyedFile;
  readonly change: ClipChange;
  readonly look: ModelLook;
}

export class ShownClips {
  readonly #clips = new DecodedClips(maxDecodedBytes);
  /** Key -> where it lies, in the order of making. */
  readonly #kept = new Map<string, string>();
  #folder: string | null = null;
  #line: Promise<unknown> = Promise.resolve();

  /** @throws MediaError, OppoError ERR_MASK_RATIO, ERR_MASK_KIND; the signal's reason */
  get({ file, change, look }: Shown, gone: AbortSignal): Promise<ClipFile> {
    const key = createHash("sha256")
      .update(JSON.stringify([file.key, look.fitKey, change]))
      .digest("hex");
    const made = this.#line.then(async () => {
      const path = this.#kept.get(key) ?? (await this.#make(key, { file, change, look }, gone));
      return { path, type: "video/mp4" };
    });
    this.#line = made.catch(() => undefined);
    return made;
  }

  close(): void {
    if (this.#folder !== null) rmSync(this.#folder, { recursive: true, force: true });
    this.#folder = null;
    this.#kept.clear();
  }

  async #make(key: string, { file, change, look }: Shown, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    const options = { ...mediumLimits, maxClipPixels: maxPixels, fit: look.fitting };
    const decode = () => decodeClip(file.path, options, signal);
    const clip = await this.#clips.get(`${look.fitKey} ${file.key}`, decode);
    const changed = await changedClip(clip, change, { clips: this.#clips, signal });
    this.#folder ??= makeTemporaryFolder("shown");
    const path = join(this.#folder, `${key}.mp4`);
    // FFmpeg is loaded by who looks, not by every studio.
    const { encodeMediaClip } = await import("../../../media/encode/encode-media-clip.ts");
    await encodeMediaClip(path, changed, quality);
    this.#kept.set(key, path);
    const [oldest] = this.#kept;
    if (this.#kept.size > maxKept) {
      this.#kept.delete(oldest![0]);
      await rm(oldest![1], { force: true });
    }
    return path;
  }
}
