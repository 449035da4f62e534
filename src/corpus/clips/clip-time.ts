// Where a prompt's time positions say something else than the frames: frame pairs count as 1 s apart, and those of short clips, of
// capped ones and of odd lengths are not.
import type { MediaClip } from "../../media/clip.ts";
import { framesPerPatch } from "../../media/sampling.ts";
import type { OmniModel } from "../../models/omni-model.ts";

/** Nearer than this is said to nobody: a length that is no whole number of seconds is enough for it. */
const tolerance = 0.1;

/** Seconds between the frame pairs of a clip that the prompt counts as 1; null where they are near, or are counted as they are. */
export function otherSeconds({ videoTime }: Pick<OmniModel, "videoTime">, clip: MediaClip): number | null {
  if (videoTime !== "fixed" || clip.numFrames <= framesPerPatch || !(clip.fps > 0)) return null;
  const seconds = framesPerPatch / clip.fps;
  return Math.abs(seconds - 1) <= tolerance ? null : seconds;
}

/** Example: "frame pairs lie 0.50 s apart and are counted as 1 s, as transformers does (--video-time sampled: as they lie)" */
export function timeNotice(seconds: number): string {
  return `frame pairs lie ${seconds.toFixed(2)} s apart and are counted as 1 s, as transformers does (--video-time sampled: as they lie)`;
}

/** The same for the clips of a corpus, as they are shown. */
export class TimeWatch {
  readonly #model: Pick<OmniModel, "videoTime">;
  #numClips = 0;
  #least = Number.POSITIVE_INFINITY;
  #most = 0;

  constructor(model: Pick<OmniModel, "videoTime">) {
    this.#model = model;
  }

  add(clip: MediaClip): void {
    const seconds = otherSeconds(this.#model, clip);
    if (seconds === null) return;
    this.#numClips++;
    this.#least = Math.min(this.#least, seconds);
    this.#most = Math.max(this.#most, seconds);
  }

  /** A line, or none. */
  lines(): string[] {
    if (this.#numClips === 0) return [];
    const [least, most] = [this.#least.toFixed(2), this.#most.toFixed(2)];
    const apart = least === most ? least : `${least} to ${most}`;
    return [
      `${this.#numClips} ${this.#numClips === 1 ? "clip has" : "clips have"} frame pairs ${apart} s apart that are counted as 1 s, as transformers does (--video-time sampled: as they lie)`,
    ];
  }
}
