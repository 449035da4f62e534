// The interventional score: play the video (or the sound) of another clip and see which statements about it follow the
// new clip and which stick to the old one. A faithful model follows; one that guesses from the other modality sticks.

import type { Sample } from "../data/sample.ts";
import type { Modality } from "../media/clip.ts";
import { type CueBank, ofKind, type StatedCues, shareIn } from "./cue-bank.ts";
import { type Measure, meanMeasure } from "./measure.ts";
import type { ClipView } from "./respondent.ts";

/** A clip, and the one whose video or sound is played in its place. */
export interface Swap {
  readonly sample: Sample;
  readonly partner: Sample;
}

/**
 * Every sample with the next one (in order, wrapping) that shares no emotion with it; left out where there is none.
 * @param groupsOf the emotions of a sample; default: its labels as they are
 */
export function swapsOf(
  samples: readonly Sample[],
  groupsOf: (sample: Sample) => readonly string[] = ({ labels }) => labels,
): Swap[] {
  const groups = samples.map((sample) => new Set(groupsOf(sample)));
  return samples.flatMap((sample, i) => {
    for (let step = 1; step < samples.length; step++) {
      const j = (i + step) % samples.length;
      if (![...groups[j]!].some((group) => groups[i]!.has(group))) return [{ sample, partner: samples[j]! }];
    }
    return [];
  });
}

export function swappedView(sample: Sample, partner: Sample, modality: Modality): ClipView {
  return {
    sample,
    video: modality === "video" ? partner : sample,
    audio: modality === "audio" ? partner : sample,
  };
}

/** Per clip; NaN where the new clip has no cue (follow) or the old one no cue of its own (stick). */
export interface SwapValues {
  /** Share of the new clip's cues that are stated. */
  readonly follow: number[];
  /** Share of the cues that only the old clip has that are still stated. */
  readonly stick: number[];
}

/** @param stated bank indices of the responses to the swapped clips. @param before @param after the clips' own cues. */
export function swapValues(
  bank: CueBank,
  modality: Modality,
  stated: readonly StatedCues[],
  before: readonly (readonly number[])[],
  after: readonly (readonly number[])[],
): SwapValues {
  const ofModality = (indices: readonly number[]) => ofKind(bank, indices, modality);
  return {
    follow: after.map((indices, i) => shareIn(ofModality(indices), stated[i]!)),
    stick: before.map((indices, i) =>
      shareIn(
        ofModality(indices).filter((index) => !after[i]!.includes(index)),
        stated[i]!,
      ),
    ),
  };
}

export function swapMeasures(modality: Modality, values: SwapValues): Record<string, Measure> {
  const suffix = modality === "video" ? "Video" : "Audio";
  return {
    [`follow${suffix}`]: meanMeasure("swapped", values.follow),
    [`stick${suffix}`]: meanMeasure("swapped", values.stick),
  };
}
