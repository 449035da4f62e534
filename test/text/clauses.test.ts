// Clause cutting: where it cuts, where it must not, and which tokens a clause owns.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createRandom } from "../../src/random.ts";
import { splitClauses } from "../../src/text/clauses.ts";
import { parseResponse } from "../../src/text/response.ts";
import { sharedPath } from "../support/shared.ts";

/** Clause texts of a bare reasoning, cut into one-character tokens. */
function clauseTexts(text: string): string[] {
  return splitClauses([...text], { start: 0, end: text.length }).map((clause) => clause.text);
}

test("cuts at western, CJK and full-width marks and at line breaks; empty pieces go", () => {
  assert.deepEqual(clauseTexts("a frown, wide eyes. tense; still: yes! why? end\nnew"), [
    "a frown",
    "wide eyes",
    "tense",
    "still",
    "yes",
    "why",
    "end",
    "new",
  ]);
  const cjk =
    "\u76B1\u7709\uFF0C\u58F0\u97F3\u5927\u3002\u54ED\u3001\u7B11\uFF1B\u6012\uFF1A\u662F\uFF01\u5417\uFF1F\u5B8C";
  assert.deepEqual(clauseTexts(cjk), [
    "\u76B1\u7709",
    "\u58F0\u97F3\u5927",
    "\u54ED",
    "\u7B11",
    "\u6012",
    "\u662F",
    "\u5417",
    "\u5B8C",
  ]);
  assert.deepEqual(clauseTexts(' , .. ;\n " . - '), []);
});

test("numbers and abbreviations stay whole", () => {
  assert.deepEqual(clauseTexts("about 3.5 seconds, 1,000 times at 9:30. done in 2."), [
    "about 3.5 seconds",
    "1,000 times at 9:30",
    "done in 2",
  ]);
  assert.deepEqual(clauseTexts("small signs, e.g. a frown, i.e. anger. Dr. Lee vs. Mr. Ray.loud"), [
    "small signs",
    "e.g. a frown",
    "i.e. anger",
    "Dr. Lee vs. Mr. Ray",
    "loud",
  ]);
  // A single letter that ends a sentence is not an abbreviation, and a dotted one may end the text.
  assert.deepEqual(clauseTexts("so says person A. The rest of the U.S."), ["so says person A", "The rest of the U.S"]);
});

test("agrees with the reference clause splitter on its cases", (t) => {
  const file = sharedPath("golden/mer/oppo_dev_public.json");
  if (file === null) return t.skip("golden/mer is not beside the repository");
  const golden = JSON.parse(readFileSync(file, "utf8")) as { clause_split: { input: string; clauses: string[] }[] };
  assert.ok(golden.clause_split.length >= 6);
  for (const { input, clauses } of golden.clause_split) assert.deepEqual(clauseTexts(input), clauses, input);
});

test("tokens: first non-space character decides; punctuation and tags belong to no clause", () => {
  const pieces = ["<think>", "the", " video", " shows", " a", " frown", ",", " wide", " eyes", ".", "</think>", "x"];
  const text = pieces.join("");
  const think = parseResponse(text).think;
  assert.ok(think);
  const clauses = splitClauses(pieces, think.chars);
  assert.deepEqual(
    clauses.map((clause) => [clause.text, clause.tokens, text.slice(clause.chars.start, clause.chars.end)]),
    [
      ["the video shows a frown", { start: 1, end: 6 }, "the video shows a frown"],
      ["wide eyes", { start: 7, end: 9 }, "wide eyes"],
    ],
  );
});

test("tokens that straddle a border go with their first non-space character", () => {
  // "brow," starts in clause 1; ". wide" starts outside every clause; "e! so" starts in clause 2.
  const pieces = ["a ", "brow,", "tens", "e! so", ". wide", " eyes"];
  const clauses = splitClauses(pieces, { start: 0, end: pieces.join("").length });
  assert.deepEqual(
    clauses.map((clause) => [clause.text, clause.tokens.start, clause.tokens.end]),
    [
      ["a brow", 0, 2],
      ["tense", 2, 4],
      ["so", 4, 4],
      ["wide eyes", 5, 6],
    ],
  );
});

test("empty pieces go with the token that completes the character, white space only inside", () => {
  const pieces = ["<think>", " ", "", "", "\u{1F600}", " ", "grin", " ", ",", " ", "", "\u76B1", "</think>"];
  const clauses = splitClauses(pieces, { start: 7, end: pieces.join("").length - 8 });
  assert.deepEqual(
    clauses.map((clause) => [clause.text, clause.tokens]),
    [
      ["\u{1F600} grin", { start: 2, end: 7 }],
      ["\u76B1", { start: 10, end: 12 }],
    ],
  );
});

test("minWords drops short clauses and counts CJK characters as words", () => {
  const text = "yes, a frown, \u76B1\u7709";
  const clauses = splitClauses([text], { start: 0, end: text.length }, { minWords: 2 });
  assert.deepEqual(
    clauses.map((clause) => clause.text),
    ["a frown", "\u76B1\u7709"],
  );
});

test("property: spans are ordered, disjoint, inside the think field, and text does not depend on tokenisation", () => {
  const random = createRandom(7);
  const alphabet = [..."ab 3.,;:!?\n\u3002\u76B1e.g"];
  for (let round = 0; round < 300; round++) {
    const chars = Array.from({ length: 40 }, () => alphabet[Math.floor(random.next() * alphabet.length)]!);
    const pieces: string[] = [];
    for (const char of chars) {
      if (pieces.length > 0 && random.next() < 0.5) pieces[pieces.length - 1] += char;
      else pieces.push(char);
      if (random.next() < 0.1) pieces.push("");
    }
    const text = pieces.join("");
    const think = { start: 5, end: 35 };
    const clauses = splitClauses(pieces, think);
    assert.deepEqual(
      clauses.map((clause) => clause.chars),
      splitClauses([...text], think).map((clause) => clause.chars),
    );
    let lastChar = think.start;
    let lastToken = 0;
    for (const clause of clauses) {
      assert.ok(
        clause.chars.start >= lastChar && clause.chars.end > clause.chars.start && clause.chars.end <= think.end,
      );
      assert.ok(clause.tokens.start >= lastToken && clause.tokens.end >= clause.tokens.start);
      assert.equal(clause.text, text.slice(clause.chars.start, clause.chars.end));
      assert.equal(clause.text, clause.text.trim());
      lastChar = clause.chars.end;
      lastToken = clause.tokens.end;
    }
    // With one token per character, a clause owns exactly its characters.
    for (const clause of splitClauses([...text], think)) assert.deepEqual(clause.tokens, clause.chars);
  }
});
