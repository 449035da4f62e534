// What a rollout engine is asked and what it gives: the prompt as we have it, its media already sampled, and completions with
// the exact ids and log-probabilities that were drawn.
import type { MediaClip } from "../../media/clip.ts";
import type { RolloutOptions, RolloutPrompt } from "../../rl/rollout.ts";

/** How completions are drawn. */
export type RolloutRules = Pick<RolloutOptions, "groupSize" | "maxNewTokens" | "temperature">;

/** The G completions of one prompt, asked of an engine. */
export interface RolloutRequest extends RolloutPrompt {
  /** The user's turn, and the system's; null: the template's own. */
  readonly text: string;
  readonly system: string | null;
  /** At the model's resolution and rate: another decoder would give other pixels. */
  readonly clip: MediaClip;
  /** One per completion. */
  readonly seeds: readonly number[];
}
