// A bound on the tokens that a clip takes in a prompt: one clip of an hour among thousands of seconds would end a run for want of
// memory, and is left out like one that cannot be read.
import { OppoError } from "../../error.ts";
import type { MediaClip } from "../../media/clip.ts";
import type { OmniModel } from "../../models/omni-model.ts";

/** @throws OppoError ERR_CLIP_TOKENS where the prompt of a clip, before any question, has more than `maxTokens` */
export function requireShortPrompt(
  model: Pick<OmniModel, "features" | "promptTokens">,
  clip: MediaClip,
  maxTokens: number,
): void {
  const { length } = model.promptTokens("", model.features(clip)).ids;
  if (length <= maxTokens) return;
  throw new OppoError(
    "ERR_CLIP_TOKENS",
    `expected at most ${maxTokens} tokens in the prompt of a clip, got ${length} (${clip.numFrames} frames of ${clip.width} x ${clip.height}, ${clip.durationSeconds.toFixed(1)} s). Cut the clip, or raise maxPromptTokens.`,
  );
}
