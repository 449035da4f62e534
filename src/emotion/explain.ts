// Why a label scores as it does: its path from the written form through base words and wheel words to a group per wheel,
// with every candidate that was there too and lost.
import { normaliseLabels } from "./labels.ts";
import { type EmotionLexicon, labelCandidates, type WheelLevel } from "./wheel.ts";

export interface CandidatePlace {
  readonly word: string;
  readonly group: string;
}

export interface WheelPath {
  readonly wheel: string;
  readonly level: WheelLevel;
  /** The alphabetically first candidate that is on the wheel; null when none is. */
  readonly chosen: CandidatePlace | null;
  /** Candidates that are on the wheel as well, later in the alphabet. */
  readonly lost: readonly CandidatePlace[];
  /** Candidates that are not on this wheel. */
  readonly absent: readonly string[];
}

export interface LabelPath {
  readonly label: string;
  /** Base words with the wheel words that each of them means. */
  readonly bases: readonly { readonly base: string; readonly wheelWords: readonly string[] }[];
  readonly candidates: readonly string[];
  readonly wheels: readonly WheelPath[];
}

export function explainLabel(lexicon: EmotionLexicon, text: string): LabelPath {
  const label = normaliseLabels([text])[0]!;
  const { bases, wheelWords } = labelCandidates(lexicon, label);
  const wheels = lexicon.wheels.flatMap((wheel) =>
    (["level1", "level2"] as const).map((level): WheelPath => {
      const groups = wheel.levels[level];
      const places = wheelWords.filter((word) => groups.has(word)).map((word) => ({ word, group: groups.get(word)! }));
      const absent = wheelWords.filter((word) => !groups.has(word));
      return { wheel: wheel.name, level, chosen: places[0] ?? null, lost: places.slice(1), absent };
    }),
  );
  const meanings = bases.map((base) => ({
    base,
    wheelWords: [...(lexicon.synonyms === null ? [base] : (lexicon.synonyms.get(base) ?? []))].sort(),
  }));
  return { label, bases: meanings, candidates: wheelWords, wheels };
}
