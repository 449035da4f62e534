// Where a plain conclusion begins: "She seems angry", "he does not look happy", "the man is very sad". Read backwards from the
// feeling, over what links it to somebody, to that somebody.
import { heads, linkWords, persons, seemings } from "./cue-lexicon.ts";
import { isNegation, type SourceWord } from "./source-words.ts";

const lower = (word: SourceWord) => word.text.toLowerCase();
const isLink = (word: SourceWord) => {
  const text = lower(word);
  return seemings.has(text) || text in linkWords || isNegation(word) || (text.length > 4 && text.endsWith("ly"));
};

/**
 * The first word of the conclusion that ends with the feeling at `at`, or null where nothing says who feels it. Of a verb
 * that only links ("is"), the person must stand before it; what seems, looks, appears or sounds may be anybody, but no voice
 * and no face: those are observed.
 * @param from no earlier word is taken
 */
export function conclusionStart(words: readonly SourceWord[], at: number, from: number): number | null {
  let start = at;
  while (start > from && isLink(words[start - 1]!)) start--;
  const link = words.slice(start, at).map(lower);
  const isSeeming = link.some((text) => seemings.has(text));
  const subject = start > from ? words[start - 1]! : null;
  if (subject !== null && persons.has(lower(subject))) {
    return isSeeming || link.some((text) => linkWords[text] === "verb") ? start - 1 : null;
  }
  const isObserved = subject !== null && (heads.video.has(subject.stem) || heads.audio.has(subject.stem));
  return isSeeming && !isObserved ? start : null;
}
