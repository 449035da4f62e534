// The part of a mask of kind "features" that only whoever makes log-mel values can do.
import { createRandom } from "../../random.ts";
import { deriveSeed } from "../../seeds.ts";
import type { MediaClip } from "../clip.ts";

/** Sets what the clip's masks say to 0, the middle of the values' range. In place. @param values any layout, always the same */
export function zeroMel(values: Float32Array, { zeroedMel = [] }: Pick<MediaClip, "zeroedMel">): void {
  for (const { share, seed } of zeroedMel) {
    const random = createRandom(deriveSeed(seed, "audio", "features"));
    for (let i = 0; i < values.length; i++) if (random.next() < share) values[i] = 0;
  }
}
