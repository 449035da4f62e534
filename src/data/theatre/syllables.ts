// From a line of text to what the mouth does when: syllables with an onset consonant and a vowel, laid out in time at the
// speaker's pace. Loosely phonetic on purpose: the voice babbles in the rhythm and the vowels of its line.
import type { Random } from "../../random.ts";

export type Onset = "none" | "hiss" | "burst" | "hum";

export interface Syllable {
  readonly onset: Onset;
  /** First three resonances of the vowel, in Hz, for an average speaker. */
  readonly formants: readonly [number, number, number];
  /** True for the last syllable of a word: a short gap follows. */
  readonly endsWord: boolean;
}

/** A syllable in time. */
export interface TimedSyllable extends Syllable {
  readonly startSeconds: number;
  readonly seconds: number;
  /** Loudness relative to the line's stressed syllables. */
  readonly stress: number;
}

const vowelFormants: Readonly<Record<string, readonly [number, number, number]>> = {
  a: [740, 1380, 2500],
  e: [530, 1840, 2550],
  i: [330, 2200, 2950],
  o: [520, 920, 2450],
  u: [350, 980, 2350],
};

const onsetLetters: readonly (readonly [Onset, string])[] = [
  ["hiss", "sfhzvxcj"],
  ["burst", "tkpdbgq"],
  ["hum", "mnlrwy"],
];

/** Example: "stop it" gives hiss-o (ends a word), i (ends a word). */
export function syllablesOf(line: string): readonly Syllable[] {
  return line.split(" ").flatMap((word) => {
    const groups = [...word.matchAll(/([^aeiouy]*)([aeiouy]+)/g)];
    // A final silent e is no syllable of its own.
    const spoken = groups.length > 1 && /[^aeiouy]e$/.test(word) ? groups.slice(0, -1) : groups;
    return spoken.map(([, consonants, vowels], i) => ({
      onset: onsetOf(consonants!),
      formants: vowelFormants[vowels![0] === "y" ? "i" : vowels![0]!]!,
      endsWord: i === spoken.length - 1,
    }));
  });
}

function onsetOf(consonants: string): Onset {
  return onsetLetters.find(([, letters]) => letters.includes(consonants[0] ?? "-"))?.[0] ?? "none";
}

export interface Timing {
  /** Mean length of a syllable. */
  readonly syllableSeconds: number;
  readonly startSeconds: number;
  readonly endSeconds: number;
}

/** Lays the line out, and again from its start after a breath, until the time is over. */
export function layOut(line: readonly Syllable[], timing: Timing, random: Random): readonly TimedSyllable[] {
  const timed: TimedSyllable[] = [];
  let at = timing.startSeconds;
  for (let i = 0; at + 0.6 * timing.syllableSeconds < timing.endSeconds; i = (i + 1) % line.length) {
    const syllable = line[i]!;
    const seconds = Math.min(timing.syllableSeconds * (0.85 + 0.3 * random.next()), timing.endSeconds - at);
    timed.push({ ...syllable, startSeconds: at, seconds, stress: i % 2 === 0 ? 1 : 0.78 });
    at += seconds + (syllable.endsWord ? 0.16 * timing.syllableSeconds : 0);
    if (i === line.length - 1) at += 0.45 * timing.syllableSeconds;
  }
  return timed;
}
