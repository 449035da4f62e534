// One data row of any corpus. Readers produce it, everything above consumes it.
import type { Cue } from "../evidence/cue.ts";

/**
 * Example:
 * `{ id: "train-00012", media: "clips/train-00012.mp4", subtitle: "get out of my house", labels: ["angry"],
 *    reasoning: "the video shows a furrowed brow ...", cues: [{ kind: "video", text: "a furrowed brow" }] }`
 */
export interface Sample {
  readonly id: string;
  /** Path of the media file, relative to the corpus root; never leaves it. */
  readonly media: string;
  /** Path of a separate sound file, relative to the root; it takes the place of the video's own sound track. */
  readonly audio?: string;
  /** What is said; empty when unknown. */
  readonly subtitle: string;
  /** Emotion words, any number. */
  readonly labels: readonly string[];
  /** The annotator's reasoning (without tags); empty when there is none. */
  readonly reasoning: string;
  readonly cues: readonly Cue[];
  /** Free-form extras of the corpus (for the theatre: the attribute states and latent emotions). */
  readonly meta?: Readonly<Record<string, unknown>>;
}
