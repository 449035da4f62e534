// The media of a MEP set: taken when they can be shown and heard, remembered by their hash, and found again.
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import type { NoticedClip } from "../../corpus/clips/clip-notices.ts";
import { decodeSample } from "../../corpus/clips/sample-clip.ts";
import { audioPath, mediaPath } from "../../data/jsonl.ts";
import type { Sample } from "../../data/sample.ts";
import { OppoError } from "../../error.ts";
import type { MepDirectory } from "./set-directory.ts";

export interface MediaFiles {
  readonly video: string;
  /** null: the sound is the video's own. */
  readonly sound: string | null;
  /** Over both. */
  readonly hash: string;
}

/** Frames are decoded to see that they can be, and not kept. */
const checkedHeight = 16;

/** Takes clips that can be shown and heard; remembers why not, and the hash of each. */
export class MediaCheck {
  readonly hashes = new Map<string, string>();
  readonly refused: { readonly id: string; readonly reason: string }[] = [];
  /** Taken, though their files gave less than they state. */
  readonly noticed: NoticedClip[] = [];
  readonly #root: string;
  readonly #signal: AbortSignal;

  /** @param signal ends decoding at once */
  constructor(root: string, signal: AbortSignal) {
    this.#root = root;
    this.#signal = signal;
  }

  async accept(sample: Sample): Promise<boolean> {
    try {
      const options = { height: checkedHeight };
      const { numFrames, waveform, notices } = await decodeSample(this.#root, sample, options, this.#signal);
      const missing = numFrames === 0 ? "picture" : waveform.length === 0 ? "sound" : null;
      if (missing !== null) {
        const reason = `${mediaPath(this.#root, sample)}: expected picture and sound, got no ${missing}`;
        this.refused.push({ id: sample.id, reason });
        return false;
      }
      if (notices !== undefined) this.noticed.push({ id: sample.id, notices });
      this.hashes.set(sample.id, await hashMedia(this.#root, sample));
      return true;
    } catch (error) {
      if (!(error instanceof OppoError) || this.#signal.aborted) throw error;
      this.refused.push({ id: sample.id, reason: error.message });
      return false;
    }
  }
}

const maxNamedFiles = 3;

/**
 * Where every clip of a set is. All must be what they were when the set was made: a benchmark is not run on fewer clips.
 * @throws OppoError ERR_MEP_MEDIA
 */
export async function locateMedia(set: MepDirectory): Promise<ReadonlyMap<string, MediaFiles>> {
  const found = new Map<string, MediaFiles>();
  const problems: string[] = [];
  for (const part of ["congruent", "conflict"] as const) {
    const root = set.mediaRoots[part];
    for (const sample of set[part]) {
      const video = mediaPath(root, sample);
      const sound = audioPath(root, sample);
      const absent = [video, sound].find((file) => file !== null && !existsSync(file));
      if (absent !== undefined) {
        problems.push(`${absent} is not there`);
        continue;
      }
      const hash = await hashMedia(root, sample);
      if (hash === set.mediaHashes.get(sample.id)) found.set(sample.id, { video, sound, hash });
      else problems.push(`${video} is another file than when the set was made`);
    }
  }
  if (problems.length === 0) return found;
  const named = problems.slice(0, maxNamedFiles).join("; ");
  const more = problems.length > maxNamedFiles ? `; and ${problems.length - maxNamedFiles} more` : "";
  throw new OppoError(
    "ERR_MEP_MEDIA",
    `${set.path}: expected the media of all ${set.congruent.length + set.conflict.length} clips, got ${problems.length} that cannot be used: ${named}${more}. Give --media FOLDER, or put them back.`,
  );
}

/** Of the media file; with a sound file of its own, over the hashes of both. */
async function hashMedia(root: string, sample: Sample): Promise<string> {
  const sound = audioPath(root, sample);
  const video = await hashFile(mediaPath(root, sample));
  if (sound === null) return video;
  return createHash("sha256")
    .update(`${video} ${await hashFile(sound)}`)
    .digest("hex");
}

/** Without holding it. */
async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
