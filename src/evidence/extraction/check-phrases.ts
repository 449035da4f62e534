// What a model (or a rule) gave as cues is checked against the text that it was taken from: a phrase of 2 to 6 words that
// stands there is kept, with its place; any other one is dropped, with the reason. So whatever a text says to the model,
// nothing but pieces of that text can come out.
import type { Cue, CueKind } from "../cue.ts";
import { findPhrase, type SourceWord, type Span, sourceWords } from "./source-words.ts";

export const dropReasons = [
  "not in the text",
  "negated in the text",
  "another language",
  "too short",
  "too long",
  "says nothing",
  "repeated",
  "too many",
] as const;
export type DropReason = (typeof dropReasons)[number];

export interface LocatedCue extends Cue, Span {}

/** A phrase that was taken from a known place. */
export interface LocatedPhrase extends Span {
  readonly text: string;
}

export interface DroppedPhrase {
  readonly kind: CueKind;
  /** Cut where it is very long. */
  readonly text: string;
  readonly reason: DropReason;
}

export interface CheckedPhrases {
  readonly cues: readonly LocatedCue[];
  readonly dropped: readonly DroppedPhrase[];
}

export const fewestWords = 2;
export const mostWords = 6;
/** A script without spaces: one word is one to three characters. */
const charactersPerWord = 3;
/** Of one kind; no account has more to say, and a list of thousands is no list of cues. */
const mostPerKind = 40;
/** Of one list; what comes after is not even looked for. */
const mostLookedAt = 400;
const longestShown = 120;

const kinds: readonly CueKind[] = ["video", "audio", "emotion"];

/**
 * Keeps the order of the lists; what two kinds claim belongs to the first.
 * @param phrases texts, which are looked for, or texts with the place that they were taken from, which alone is looked at
 */
export function checkPhrases(
  source: string,
  phrases: Readonly<Record<CueKind, readonly (string | LocatedPhrase)[]>>,
): CheckedPhrases {
  const words = sourceWords(source);
  const scripts = scriptsOf(source);
  const cues: LocatedCue[] = [];
  const dropped: DroppedPhrase[] = [];
  const seen = new Set<string>();
  for (const kind of kinds) {
    let numKept = 0;
    for (const [index, phrase] of phrases[kind].entries()) {
      const given = typeof phrase === "string" ? phrase : phrase.text;
      // A phrase of six words is never this long; the check of a longer one would only cost time.
      const text = given
        .slice(0, longestShown)
        .normalize("NFC")
        .replace(/[\p{C}\s]+/gu, " ")
        .trim();
      const parts = sourceWords(text);
      const isTooMany = numKept >= mostPerKind || index >= mostLookedAt;
      const result = isTooMany ? "too many" : placeOf(kind, text, parts, wordsFor(phrase, words), scripts);
      const key = parts
        .filter(({ isContent }) => isContent)
        .map(({ stem, isNegated }) => `${isNegated} ${stem}`)
        .sort()
        .join("/");
      if (typeof result === "string") dropped.push({ kind, text, reason: result });
      else if (seen.has(key)) dropped.push({ kind, text, reason: "repeated" });
      else {
        seen.add(key);
        numKept++;
        const { start, end } = typeof phrase === "string" ? result : phrase;
        cues.push({ kind, text, start, end });
      }
    }
  }
  return { cues, dropped };
}

/** The words among which a phrase must be found. */
function wordsFor(phrase: string | LocatedPhrase, words: readonly SourceWord[]): readonly SourceWord[] {
  if (typeof phrase === "string") return words;
  return words.filter(({ start, end }) => start >= phrase.start && end <= phrase.end);
}

function placeOf(
  kind: CueKind,
  text: string,
  parts: readonly SourceWord[],
  words: readonly SourceWord[],
  scripts: ReadonlySet<string>,
): Span | DropReason {
  const isSpaceless = scriptsOf(text).has("Han");
  if ([...scriptsOf(text)].some((script) => !scripts.has(script))) return "another language";
  if (parts.length < fewestWords) return "too short";
  if (parts.length > (isSpaceless ? mostWords * charactersPerWord : mostWords)) return "too long";
  if (!parts.some(({ isContent }) => isContent)) return "says nothing";
  const isWide = kind === "emotion";
  const span = findPhrase(parts, words, { isWide, ignoresNegation: false });
  if (span !== null) return span;
  return findPhrase(parts, words, { isWide, ignoresNegation: true }) === null
    ? "not in the text"
    : "negated in the text";
}

const scriptPatterns = {
  Latin: /\p{Script=Latin}/u,
  Han: /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u,
  Hangul: /\p{Script=Hangul}/u,
  Cyrillic: /\p{Script=Cyrillic}/u,
  Arabic: /\p{Script=Arabic}/u,
  Devanagari: /\p{Script=Devanagari}/u,
  Thai: /\p{Script=Thai}/u,
} as const;

/** The scripts that a text is written in. Example: "a frown" -> Latin */
export function scriptsOf(text: string): Set<string> {
  return new Set(Object.entries(scriptPatterns).flatMap(([name, pattern]) => (pattern.test(text) ? [name] : [])));
}
