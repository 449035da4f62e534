// Which cues of an annotated corpus an observer can learn: concepts that enough clips have and enough have not. What is rarer is
// left out, counted: nobody says that it can be read, so it is pressed as if there were no observer.
import type { CueBank } from "../../bench/cue-bank.ts";
import { cueConceptsOf } from "../../bench/cue-concepts.ts";
import { readableAbove } from "../../bench/support/calibration.ts";
import type { Sample } from "../../data/sample.ts";
import { OppoError } from "../../error.ts";
import type { Embedder } from "../../evidence/cue.ts";

export interface VocabularyLimits {
  /** Fewest clips with a cue, and fewest without. */
  readonly minClips: number;
  /** Most cues per modality. */
  readonly cues: number;
}

export interface LearnableCues {
  readonly bank: CueBank;
  /** Per cue of the bank, the probability from which an observer reads it: `floorOf` its frequency. */
  readonly floors: Float64Array;
  /** What was left out and why, a line per modality. */
  readonly notes: readonly string[];
}

/**
 * An observer that sees nothing says how frequent a cue is, near enough. So it reads one from a quarter of the way between that and
 * certainty on, which is one half for a cue of every third clip, as most of the theatre's are; never below one half.
 */
export function floorOf(frequency: number): number {
  return Math.max(readableAbove, frequency + (1 - frequency) / 4);
}

/** @throws OppoError ERR_OBSERVER_CUES where no cue of a modality that has some can be learnt */
export async function learnableCues(
  samples: readonly Sample[],
  embedder: Embedder,
  { minClips, cues: most }: VocabularyLimits,
): Promise<LearnableCues> {
  const { bank, counts } = await cueConceptsOf(samples, embedder);
  const kept: number[] = [];
  const notes: string[] = [];
  for (const modality of ["video", "audio"] as const) {
    const own = bank.cues.flatMap(({ kind }, c) => (kind === modality ? [c] : []));
    if (own.length === 0) continue;
    const isRare = (c: number) => counts[c]! < minClips;
    const isCommon = (c: number) => !isRare(c) && samples.length - counts[c]! < minClips;
    const rare = own.filter(isRare);
    const common = own.filter(isCommon);
    const fit = own.filter((c) => !isRare(c) && !isCommon(c));
    // Concepts come in order of frequency.
    const chosen = fit.slice(0, most);
    const sum = (some: readonly number[]) => some.reduce((total, c) => total + counts[c]!, 0);
    const left = [
      ...(rare.length === 0 ? [] : [`${rare.length} that fewer than ${minClips} clips have`]),
      ...(common.length === 0 ? [] : [`${common.length} that fewer than ${minClips} clips lack`]),
      ...(fit.length === chosen.length ? [] : [`${fit.length - chosen.length} beyond the ${most} most frequent`]),
    ];
    if (chosen.length === 0) throw tooSparse(modality, samples.length, left);
    const share = Math.round((100 * sum(chosen)) / sum(own));
    notes.push(
      `observer, ${modality}: learns ${chosen.length} of ${own.length} cues, ${share}% of the annotations${left.length === 0 ? "" : `; left out, and read by nobody: ${left.join(", ")}`}`,
    );
    kept.push(...chosen);
  }
  kept.sort((a, b) => a - b);
  const { dimension } = embedder;
  const vectors = new Float32Array(kept.length * dimension);
  for (const [row, c] of kept.entries()) {
    vectors.set(bank.vectors.subarray(c * dimension, (c + 1) * dimension), row * dimension);
  }
  return {
    bank: { cues: kept.map((c) => bank.cues[c]!), vectors, embedder },
    floors: Float64Array.from(kept, (c) => floorOf(counts[c]! / samples.length)),
    notes,
  };
}

function tooSparse(modality: string, numClips: number, left: readonly string[]): OppoError {
  return new OppoError(
    "ERR_OBSERVER_CUES",
    `observer: expected ${modality} cues that recur over ${numClips} clips, got ${left.join(" and ")}. Give it more clips (observer.clips), lower observer.minClips, annotate in fewer words, or choose perception.support reference or mask.`,
  );
}
