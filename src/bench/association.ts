// How strongly a clip's other modality suggests a cue, measured over a corpus. Only cues that can be guessed make a masked
// probe hard: a model that hears sobs and says "tearful eyes" of a black video is caught, one asked for a red tie is not.
//
// Two things of a clip (cue concepts of either modality, groups of emotion labels) go together by their lift over the
// other clips, shrunk towards 1 by k pseudo-counts:
//
//   lift(x, y) = (n_xy + k) / (n_x n_y / n + k)     counts without the clip itself
//
// A concept that no other clip has gives 1, and a pair seen once more gives little: without both, rare pairs would come out
// strongest. The association of a cue is the strongest way from the other modality to it, direct or through an emotion of
// the clip; a way through an emotion is as strong as the weaker of its two links.

import type { Modality } from "../media/clip.ts";

export interface AssociationItems {
  /** Distinct concepts of the clip's video, of its sound, and its label groups; one numbering per list. */
  readonly video: readonly number[];
  readonly audio: readonly number[];
  readonly groups: readonly string[];
}

/** k: a pair of rare concepts needs two more clips to reach a lift of 2. */
export const defaultPriorCount = 2;

export interface AssociationTable {
  /** Association of the cue `concept` (one of clip i's video or audio concepts) with the clip's other modality. */
  of(clip: number, modality: Modality, concept: number): number;
  /**
   * The same by way of the clip's emotions alone, for a cue that the clip has or has not. Of cues that are not there the direct
   * way is no guide: a sound that two emotions share suggests the faces of both.
   */
  throughEmotion(clip: number, modality: Modality, concept: number): number;
}

export function measureAssociation(
  clips: readonly AssociationItems[],
  priorCount = defaultPriorCount,
): AssociationTable {
  const single = new Map<string, number>();
  const pairs = new Map<string, number>();
  for (const clip of clips) {
    const items = itemsOf(clip);
    for (const item of items) bump(single, item);
    for (let i = 0; i < items.length; i++) {
      for (let j = i + 1; j < items.length; j++) bump(pairs, pairKey(items[i]!, items[j]!));
    }
  }
  const numOthers = clips.length - 1;
  // y is in the clip, and x where `isIn`: what the clip itself counts for is left out.
  const lift = (x: string, y: string, isIn: boolean): number => {
    const own = isIn ? 1 : 0;
    const together = (pairs.get(pairKey(x, y)) ?? 0) - own;
    const expected = numOthers > 0 ? (((single.get(x) ?? 0) - own) * (single.get(y)! - 1)) / numOthers : 0;
    return (together + priorCount) / (expected + priorCount);
  };
  /** Lifts of a cue of `modality` with the clip's other modality, and with its emotions as far as that one tells them. */
  const ways = (index: number, modality: Modality, concept: number) => {
    const clip = clips[index]!;
    const other = modality === "video" ? "audio" : "video";
    const cue = `${modality} ${concept}`;
    const isIn = clip[modality].includes(concept);
    const evidence = clip[other].map((item) => `${other} ${item}`);
    const throughGroup = clip.groups.map((group) => {
      const name = `group ${group}`;
      return Math.min(lift(cue, name, isIn), Math.max(0, ...evidence.map((item) => lift(item, name, true))));
    });
    return { direct: evidence.map((item) => lift(cue, item, isIn)), throughGroup };
  };
  return {
    of(index, modality, concept) {
      const { direct, throughGroup } = ways(index, modality, concept);
      return Math.max(0, ...direct, ...throughGroup);
    },
    throughEmotion(index, modality, concept) {
      return Math.max(0, ...ways(index, modality, concept).throughGroup);
    },
  };
}

function itemsOf({ video, audio, groups }: AssociationItems): string[] {
  return [
    ...video.map((item) => `video ${item}`),
    ...audio.map((item) => `audio ${item}`),
    ...groups.map((group) => `group ${group}`),
  ];
}

function pairKey(x: string, y: string): string {
  return x < y ? `${x}\u0000${y}` : `${y}\u0000${x}`;
}

function bump(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
