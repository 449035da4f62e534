// The words of a source text with their places, and where in the text a phrase can be found. A phrase is found when its
// content words stand close together in one sentence, in any order and inflection, negated where they are negated there.
import { conjunctions, ignoredWords, negationReach, negations, stem } from "../phrase-features.ts";

export interface SourceWord {
  readonly text: string;
  readonly stem: string;
  /** Half-open, in UTF-16 units of the source. */
  readonly start: number;
  readonly end: number;
  readonly sentence: number;
  /** Rises with every sentence and where another thing is spoken of: "... and his lips". */
  readonly part: number;
  /** In the reach of a "no" or "not". */
  readonly isNegated: boolean;
  /** Says something by itself: no article, no conjunction, no "the video shows". */
  readonly isContent: boolean;
}

export interface Span {
  readonly start: number;
  readonly end: number;
}

const wordPattern =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[\p{L}\p{N}][\p{L}\p{M}\p{N}]*(?:['\u2019\u002d]\p{L}+)*|[.!?;:\n\u3002\uff01\uff1f\uff1b]|[,\uff0c\u3001]/gu;
const sentenceEnd = /^[.!?;:\n\u3002\uff01\uff1f\uff1b]$/;
const determiners: ReadonlySet<string> = new Set(
  "a an the this that his her its their my our your he she they it".split(" "),
);
const comma = /^[,\uff0c\u3001]$/;

/** All words of a text, punctuation left out. */
export function sourceWords(text: string): SourceWord[] {
  const words: SourceWord[] = [];
  let sentence = 0;
  let part = 0;
  let negated = 0;
  let isAfterConjunction = false;
  for (const { 0: token, index } of text.matchAll(wordPattern)) {
    if (sentenceEnd.test(token) || comma.test(token)) {
      negated = 0;
      if (comma.test(token)) continue;
      sentence++;
      part++;
      continue;
    }
    const plain = plainForm(token);
    const isNegating = negates(plain);
    const base = plain.replace(/(?:n't|'(?:s|re|ve|ll|d|m))$/, "");
    const isContent = !isNegating && !ignoredWords.has(base) && !conjunctions.has(base);
    if (isAfterConjunction && determiners.has(base)) part++;
    isAfterConjunction = conjunctions.has(base);
    const place = { start: index, end: index + token.length, sentence, part };
    words.push({ text: token, stem: stem(base), ...place, isNegated: isContent && negated > 0, isContent });
    if (isNegating) negated = negationReach;
    else if (isContent) negated = Math.max(0, negated - 1);
  }
  return words;
}

/** "no", "not", "doesn't" */
export function isNegation({ text }: SourceWord): boolean {
  return negates(plainForm(text));
}

function plainForm(token: string): string {
  return token.toLowerCase().replaceAll("\u2019", "'");
}

function negates(plain: string): boolean {
  return negations.has(plain) || plain.endsWith("n't");
}

/** What other words may stand between, and how far apart sentences may lie. */
export interface FindRules {
  /** True: anywhere in two neighbouring sentences, as a conclusion stands beside what it is drawn from. */
  readonly isWide: boolean;
  /** True: "no smile" is found where "a smile" stands. */
  readonly ignoresNegation: boolean;
}

interface MatchRules extends FindRules {
  /** True: other words of one family do: "angry" for "anger". */
  readonly takesRelated: boolean;
}

/** Content words: two long sentences. An account without a full stop is no reason to look further. */
const widest = 60;
/** A phrase of so many content words may lack one of them in the source. */
const longPhrase = 5;

/**
 * The shortest part of the source that holds the phrase; null where there is none. Where its own words stand, no related ones
 * are looked for: "happy" is not found in "happened" then.
 */
export function findPhrase(
  phrase: readonly SourceWord[],
  source: readonly SourceWord[],
  rules: FindRules,
): Span | null {
  return (
    shortestPart(phrase, source, { ...rules, takesRelated: false }) ??
    shortestPart(phrase, source, { ...rules, takesRelated: true })
  );
}

function shortestPart(phrase: readonly SourceWord[], source: readonly SourceWord[], rules: MatchRules): Span | null {
  const wanted = phrase.filter(({ isContent }) => isContent);
  const content = source.filter(({ isContent }) => isContent);
  const numNeeded = wanted.length >= longPhrase ? wanted.length - 1 : wanted.length;
  if (wanted.length === 0) return null;
  const longest = rules.isWide ? widest : wanted.length + Math.max(1, Math.floor(wanted.length / 2));
  let best: { readonly span: Span; readonly length: number } | null = null;
  for (const [first, word] of content.entries()) {
    if (!wanted.some((one) => isSameWord(one, word, rules))) continue;
    const open = [...wanted];
    let numFound = 0;
    for (let last = first; last < content.length; last++) {
      const current = content[last]!;
      const isFar = rules.isWide ? current.sentence > word.sentence + 1 : current.part > word.part;
      if (isFar || last - first >= longest) break;
      const at = open.findIndex((one) => isSameWord(one, current, rules));
      if (at < 0) continue;
      open.splice(at, 1);
      numFound++;
      if (numFound < numNeeded) continue;
      // Of two places of one length the one in the phrase's order.
      const length = last - first + (isSameWord(wanted[0]!, word, rules) ? 0 : 0.5);
      if (best === null || length < best.length) best = { span: { start: word.start, end: current.end }, length };
      break;
    }
  }
  return best === null ? null : withSmallWords(best.span, phrase, source);
}

/** The span with the phrase's small words on its sides: "NO smile", "SUGGESTS THAT HE IS angry". */
function withSmallWords(span: Span, phrase: readonly SourceWord[], source: readonly SourceWord[]): Span {
  const small = new Set(phrase.flatMap(({ text, isContent }) => (isContent ? [] : [text.toLowerCase()])));
  let first = source.findIndex(({ start }) => start === span.start);
  let last = source.findIndex(({ end }) => end === span.end);
  const isSmall = (word: SourceWord | undefined, part: number) => {
    return word !== undefined && word.part === part && small.has(word.text.toLowerCase());
  };
  while (isSmall(source[first - 1], source[first]!.part)) first--;
  while (isSmall(source[last + 1], source[last]!.part)) last++;
  return { start: source[first]!.start, end: source[last]!.end };
}

function isSameWord(one: SourceWord, other: SourceWord, { ignoresNegation, takesRelated }: MatchRules): boolean {
  if (!ignoresNegation && one.isNegated !== other.isNegated) return false;
  return one.stem === other.stem || (takesRelated && areRelated(one.stem, other.stem));
}

/** What is left of a stem when a related word's part is taken away: angr-y, ang-er; anxi-ous, anxi-ety; happi-ness. */
const endings: ReadonlySet<string> = new Set(
  [
    "",
    "i",
    "er",
    "ri",
    "ness",
    "nes",
    "eti",
    "ou",
    "ous",
    "iou",
    "ious",
    "ion",
    "ation",
    "ment",
    "ful",
    "en",
    "al",
  ].concat(["iv", "abl", "ish", "or"]),
);
/** Further endings, where what is shared is long: confiden-t, confiden-ce. */
const shortEndings: ReadonlySet<string> = new Set(["t", "c", "ce", "nt", "nc"]);
const leastShared = 3;
const longShared = 6;

/** Whether two stems are forms of one word family. */
function areRelated(one: string, other: string): boolean {
  let shared = 0;
  while (shared < one.length && one[shared] === other[shared]) shared++;
  if (shared < leastShared) return false;
  const fits = (ending: string) => endings.has(ending) || (shared >= longShared && shortEndings.has(ending));
  return fits(one.slice(shared)) && fits(other.slice(shared));
}
