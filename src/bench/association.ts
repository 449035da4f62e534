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
  of(clip: number, modality: "video" | "audio", concept: number): number;
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
  // Both items are in the clip, so each count has one to leave out.
  const lift = (x: string, y: string): number => {
    const together = pairs.get(pairKey(x, y))! - 1;
    const expected = numOthers > 0 ? ((single.get(x)! - 1) * (single.get(y)! - 1)) / numOthers : 0;
    return (together + priorCount) / (expected + priorCount);
  };
  return {
    of(index, modality, concept) {
      const clip = clips[index]!;
      const other = modality === "video" ? "audio" : "video";
      const cue = `${modality} ${concept}`;
      const evidence = clip[other].map((item) => `${other} ${item}`);
      const direct = evidence.map((item) => lift(cue, item));
      const throughGroup = clip.groups.map((group) => {
        const name = `group ${group}`;
        return Math.min(lift(cue, name), Math.max(0, ...evidence.map((item) => lift(item, name))));
      });
      return Math.max(0, ...direct, ...throughGroup);
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
