// How many tokens a clip's video and sound become. Pure arithmetic, shared by towers, prompts and whoever reckons their cost.
import type { AudioConfig, ProjectorConfig } from "../config/config.ts";

/** Rows of the audio tower that become a token. */
export const ROWS_PER_TOKEN = 3;
/** Frames between two that keep all of their tokens, and the first of those. */
const SLOW_STEP = 4;
const FIRST_SLOW = 1;

/** Tokens of a side: half the patches, rounded as the convolution or the resizing does. */
export function tokensOfSide(side: number): number {
  return Math.ceil(side / 2);
}

/** Tokens of a clip. @param side patches of a frame's side */
export function videoTokens(config: ProjectorConfig, frames: number, side: number): number {
  const out = tokensOfSide(side);
  if (!config.compresses) return frames * out ** 2;
  return frames * Math.floor(out / 2) ** 2 + slowFrames(frames).length * out ** 2;
}

/** Frames that keep all of their tokens where the others are pooled: 1, 5, 9, ...; the only one of a picture. */
export function slowFrames(frames: number): number[] {
  if (frames === 1) return [0];
  const count = Math.ceil((frames - FIRST_SLOW) / SLOW_STEP);
  return Array.from({ length: count }, (_, i) => FIRST_SLOW + i * SLOW_STEP);
}

/** Tokens of a sound. */
export function audioTokens({ maxPositions }: Pick<AudioConfig, "maxPositions">): number {
  return Math.floor(maxPositions / ROWS_PER_TOKEN);
}
