// Cuts a reasoning into clauses u_1..u_K (the units of Eq. 1) and finds the completion tokens of each.
// Cuts at , . ; : ! ? and their CJK and full-width forms and at line breaks, inside the think field only. Numbers (3.5,
// 1,000, 9:30) and abbreviations (e.g., U.S., Dr.) stay whole. Offsets come from the generated tokens' own pieces:
// re-tokenising the text could give other tokens than the ones the loss needs.
import type { Clause, Span } from "./clause.ts";

export interface ClauseOptions {
  /** Clauses with fewer words are dropped. A CJK character counts as a word. */
  readonly minWords?: number;
}

const hardSeparators = new Set([..."\n\r;!?\u3001\u3002\uFF01\uFF0C\uFF0E\uFF1A\uFF1B\uFF1F\uFF61\uFF64\u2026"]);
const softSeparators = new Set([",", ".", ":"]);
const abbreviations = new Set(["mr", "mrs", "ms", "dr", "prof", "vs", "approx"]);
const word = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[\p{L}\p{N}]+/gu;

/**
 * @param pieces text of every completion token; joined they are the completion. A token that only begins a multi-byte
 *   character has an empty piece and goes with the token that completes it.
 * @param think character span of the inside of the think field.
 * @returns clauses in order, with disjoint spans. `tokens` runs from the first to the last token whose first non-space
 *   character lies in the clause; it is empty (start = end) when every such token began before the clause.
 */
export function splitClauses(pieces: readonly string[], think: Span, options: ClauseOptions = {}): Clause[] {
  const text = pieces.join("");
  const anchors = tokenAnchors(pieces);
  const minWords = options.minWords ?? 1;
  const clauses: Clause[] = [];
  let from = think.start;
  let token = 0;
  for (let i = think.start; i <= think.end; i++) {
    if (i < think.end && !isSeparator(text, i, think)) continue;
    const chars = trimmed(text, from, i);
    from = i + 1;
    const clauseText = text.slice(chars.start, chars.end);
    if ((clauseText.match(word)?.length ?? 0) < Math.max(1, minWords)) continue;
    while (token < anchors.length && anchors[token]! < chars.start) token++;
    const start = token;
    while (token < anchors.length && anchors[token]! < chars.end) token++;
    clauses.push({ text: clauseText, chars, tokens: { start, end: trimTokenEnd(pieces, start, token) } });
  }
  return clauses;
}

/**
 * Character position of every token's first non-space character. A token without one (empty or white space) takes the
 * next token's, so the sequence never falls; past the last one it is Infinity.
 */
function tokenAnchors(pieces: readonly string[]): Float64Array {
  const anchors = new Float64Array(pieces.length);
  let end = 0;
  for (const piece of pieces) end += piece.length;
  let next = Number.POSITIVE_INFINITY;
  for (let i = pieces.length - 1; i >= 0; i--) {
    const piece = pieces[i]!;
    end -= piece.length;
    const offset = piece.search(/\S/u);
    if (offset >= 0) next = end + offset;
    anchors[i] = offset >= 0 || piece === "" ? next : -1;
  }
  // A white-space token belongs to no clause by itself: give it its left neighbour's anchor, so it is inside a clause
  // only when tokens of the clause surround it.
  for (let i = 0; i < anchors.length; i++) if (anchors[i]! < 0) anchors[i] = i > 0 ? anchors[i - 1]! : 0;
  return anchors;
}

function trimTokenEnd(pieces: readonly string[], start: number, end: number): number {
  let last = end;
  while (last > start && pieces[last - 1]!.trim() === "") last--;
  return last;
}

function trimmed(text: string, start: number, end: number): Span {
  let first = start;
  let last = end;
  while (first < last && text[first]!.trim() === "") first++;
  while (last > first && text[last - 1]!.trim() === "") last--;
  return { start: first, end: last };
}

function isSeparator(text: string, at: number, within: Span): boolean {
  const char = text[at]!;
  if (hardSeparators.has(char)) return true;
  if (!softSeparators.has(char)) return false;
  const before = at > within.start ? text[at - 1]! : "";
  const after = at + 1 < within.end ? text[at + 1]! : "";
  if (isDigit(before) && isDigit(after)) return false;
  return char !== "." || !endsAbbreviation(text, at, within);
}

/** Whether the full stop at `at` belongs to an abbreviation: a known title, or a dotted row of single letters. */
function endsAbbreviation(text: string, at: number, within: Span): boolean {
  let start = at;
  while (start > within.start && isLetter(text[start - 1]!)) start--;
  const letters = text.slice(start, at);
  if (letters === "" || text.slice(at + 1, within.end).trim() === "") return false;
  if (letters.length > 1) return abbreviations.has(letters.toLowerCase());
  const dottedBefore = start - 2 >= within.start && text[start - 1] === "." && isLetter(text[start - 2]!);
  const dottedAfter = at + 1 < within.end && isLetter(text[at + 1]!) && (at + 2 >= within.end || text[at + 2] === ".");
  return dottedBefore || dottedAfter;
}

function isDigit(char: string): boolean {
  return char >= "0" && char <= "9";
}

function isLetter(char: string): boolean {
  return /\p{L}/u.test(char);
}
