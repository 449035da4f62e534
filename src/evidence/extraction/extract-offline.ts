// Cues without a language model: phrases of the text itself that grow around the words of a small lexicon. It finds what is
// said plainly ("his brow is furrowed", "a trembling voice") and misses what is not; outputs say that it was used.
import type { CueKind } from "../cue.ts";
import { checkPhrases, fewestWords, type LocatedPhrase, mostWords, scriptsOf } from "./check-phrases.ts";
import { conclusionStart } from "./conclusion.ts";
import { adjectives, barriers, connectives, copulas, fillers, heads, intensifiers, intros } from "./cue-lexicon.ts";
import { type CueExtraction, nothing, textProblem } from "./extract-cues.ts";
import { isNegation, type SourceWord, sourceWords } from "./source-words.ts";

/** Words of one clause, and the text that they are in. */
interface Piece {
  readonly words: readonly SourceWord[];
  /** The modality that its sentence speaks of; null where it says none. */
  readonly modality: "video" | "audio" | null;
}

/** Half-open, in words of a piece. */
interface Range {
  readonly start: number;
  readonly end: number;
}

const mostModifiers = 3;
const possessives: ReadonlySet<string> = new Set(["his", "her", "their", "its", "my"]);

/** The same text gives the same cues. A text that is not in Latin script is a problem: the lexicon is English. */
export function extractOffline(text: string): CueExtraction {
  const problem = textProblem(text);
  if (problem !== null) return nothing(problem);
  if (!scriptsOf(text).has("Latin")) return nothing("text in another language");
  const phrases: Record<CueKind, LocatedPhrase[]> = { video: [], audio: [], emotion: [] };
  for (const piece of piecesOf(text)) {
    for (const { kind, range } of phrasesOf(piece)) {
      const [start, end] = [piece.words[range.start]!.start, piece.words[range.end - 1]!.end];
      phrases[kind].push({ text: text.slice(start, end), start, end });
    }
  }
  return { ...checkPhrases(text, phrases), problem: null, isCutOff: false };
}

/** The text cut at punctuation, with the modality that every sentence announces. */
function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let words: SourceWord[] = [];
  let modality: Piece["modality"] = null;
  let sentence = -1;
  const finish = (): void => {
    if (words.length > 0) pieces.push({ words, modality });
    words = [];
  };
  for (const word of sourceWords(text)) {
    const before = words.at(-1) ?? pieces.at(-1)?.words.at(-1);
    const gap = before === undefined ? "" : text.slice(before.end, word.start);
    if (/[^\s\-'"]/.test(gap)) finish();
    if (word.sentence !== sentence) modality = null;
    sentence = word.sentence;
    modality = intros.find(({ pattern }) => pattern.test(word.text))?.kind ?? modality;
    words.push(word);
  }
  finish();
  return pieces;
}

function phrasesOf({ words, modality }: Piece): { readonly kind: CueKind; readonly range: Range }[] {
  const found: { kind: CueKind; range: Range }[] = [];
  let free = 0;
  for (let at = 0; at < words.length; at++) {
    const kind = (["video", "audio"] as const).find((one) => heads[one].has(words[at]!.stem));
    if (at < free || kind === undefined) continue;
    // Of "speaking speed" the second word is what something is said of.
    if (at + 1 < words.length && heads[kind].has(words[at + 1]!.stem)) continue;
    const range = trimmed(words, around(words, at, free));
    if (range.end - range.start < fewestWords || isOnlyHeads(words, range) || isCutNegation(words, range)) continue;
    found.push({ kind, range });
    free = range.end;
  }
  if (found.length === 0 && modality !== null) {
    const range = trimmed(words, { start: afterBarrier(words), end: words.length });
    const length = range.end - range.start;
    const isFeeling = words.some((word) => heads.emotion.has(word.stem));
    if (length >= fewestWords && length <= mostWords && !isFeeling && !isOnlyHeads(words, range))
      found.push({ kind: modality, range });
  }
  return [...found, ...feelingsOf(words)];
}

/** A head with the words before it that describe it and, over a copula, those after it. */
function around(words: readonly SourceWord[], head: number, free: number): Range {
  let start = head;
  while (start > free && head - start < mostModifiers && !isStop(words[start - 1]!)) start--;
  // "shaking his head"
  const isOwned = start === head && head - 2 >= free && possessives.has(lower(words[head - 1]!));
  if (isOwned && !isStop(words[head - 2]!) && !copulas.has(lower(words[head + 1] ?? words[head]!))) start = head - 2;
  let end = head + 1;
  const isOpen = adjectives.has(lower(words[head]!)) || words.slice(start, end).some(isNegation);
  const isLinked = end < words.length && copulas.has(lower(words[end]!));
  if (isLinked) end++;
  const most = Math.min(words.length, start + mostWords, end + mostModifiers);
  // Without a link only a description that has not come yet is taken from behind: "voice trembling", "looks down"; and what
  // an adjective or a "no" belongs to: "no vocal EMPHASIS".
  if (isLinked || isOpen || start === head) while (end < most && !isStop(words[end]!)) end++;
  return { start, end };
}

function isStop(word: SourceWord): boolean {
  const text = lower(word);
  return barriers.has(text) || fillers.has(text) || copulas.has(text) || /['\u2019]s$/.test(text);
}

/** What comes after the last word that ends a phrase's growth: the list of "the video shows ...". */
function afterBarrier(words: readonly SourceWord[]): number {
  for (let at = words.length - 1; at >= 0; at--) if (barriers.has(lower(words[at]!))) return at + 1;
  return 0;
}

/** Without fillers and copulas at its ends. */
function trimmed(words: readonly SourceWord[], { start, end }: Range): Range {
  let [from, to] = [start, Math.min(end, start + mostWords)];
  const isLoose = (word: SourceWord) => fillers.has(lower(word)) || copulas.has(lower(word));
  while (from < to && isLoose(words[from]!)) from++;
  while (to > from && (isLoose(words[to - 1]!) || intensifiers.has(lower(words[to - 1]!)))) to--;
  return { start: from, end: to };
}

/** "eyes are not", "no marked vocal": a "no" without all that it denies says another thing, so the phrase is left out. */
function isCutNegation(words: readonly SourceWord[], { start, end }: Range): boolean {
  if (!words.slice(start, end).some(isNegation)) return false;
  const next = words[end];
  return isNegation(words[end - 1]!) || (next !== undefined && !isStop(next));
}

/** "facial expression", "tone of voice": names of what is looked at, without what was seen. */
function isOnlyHeads(words: readonly SourceWord[], { start, end }: Range): boolean {
  const known = new Set(["facial", "vocal", "speaking", "overall", "visual", "tone", "voice"]);
  return words.slice(start, end).every((word) => {
    if (word.isNegated) return false;
    return !word.isContent || heads.video.has(word.stem) || heads.audio.has(word.stem) || known.has(lower(word));
  });
}

/** From what ties to what is felt, "suggests that he is angry", or from whoever feels it, "she seems angry and sad". */
function feelingsOf(words: readonly SourceWord[]): { readonly kind: "emotion"; readonly range: Range }[] {
  const found: { kind: "emotion"; range: Range }[] = [];
  let free = 0;
  for (let at = 0; at < words.length; at++) {
    if (at < free || !heads.emotion.has(words[at]!.stem)) continue;
    const from = Math.max(free, at - mostWords + 1);
    let start = at;
    while (start > from && !connectives.has(words[start]!.stem)) start--;
    let end = at + 1;
    if (!connectives.has(words[start]!.stem)) {
      const conclusion = conclusionStart(words, at, from);
      start = conclusion ?? around(words, at, free).start;
      if (conclusion !== null) end = withOthers(words, start, end);
    }
    if (end - start >= fewestWords) found.push({ kind: "emotion", range: { start, end } });
    free = end;
  }
  return found;
}

/** "angry AND SAD" */
function withOthers(words: readonly SourceWord[], start: number, end: number): number {
  let last = end;
  while (last + 1 < words.length && last + 2 - start <= mostWords) {
    if (!["and", "or", "but"].includes(lower(words[last]!)) || !heads.emotion.has(words[last + 1]!.stem)) break;
    last += 2;
  }
  return last;
}

function lower(word: SourceWord): string {
  return word.text.toLowerCase();
}
