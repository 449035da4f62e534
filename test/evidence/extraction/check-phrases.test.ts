// Phrases against their source: what is found, what is dropped and why.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CueKind } from "../../../src/evidence/cue.ts";
import {
  checkPhrases,
  type DropReason,
  type LocatedPhrase,
  scriptsOf,
} from "../../../src/evidence/extraction/check-phrases.ts";
import { sourceWords } from "../../../src/evidence/extraction/source-words.ts";

const source =
  "The man's eyebrows are tightly furrowed and his lips tremble. There is no smile on his face, and he doesn't look away. " +
  "He was speaking slowly, in a low, trembling voice. This suggests sadness. His clenched fists show that he is angry.";

const check = (phrases: Partial<Record<CueKind, readonly (string | LocatedPhrase)[]>>, text = source) =>
  checkPhrases(text, { video: [], audio: [], emotion: [], ...phrases });

/** What of the source a phrase was found in, or why it was dropped. */
function verdict(kind: CueKind, phrase: string, text = source): string {
  const { cues, dropped } = check({ [kind]: [phrase] }, text);
  return cues[0] === undefined ? dropped[0]!.reason : text.slice(cues[0].start, cues[0].end);
}

describe("phrases against their source", () => {
  const found: readonly [CueKind, string, string][] = [
    ["video", "lips tremble", "lips tremble"],
    ["video", "furrowed eyebrows", "eyebrows are tightly furrowed"],
    ["video", "a furrowed brow", "eyebrows are tightly furrowed"],
    ["video", "trembling lips", "lips tremble"],
    ["video", "no smile", "no smile"],
    ["audio", "trembling low voice", "low, trembling voice"],
    ["audio", "Speaks slowly", "speaking slowly"],
    ["emotion", "trembling voice suggests sadness", "trembling voice. This suggests sadness"],
    ["emotion", "clenched fists show anger", "clenched fists show that he is angry"],
  ];
  for (const [kind, phrase, part] of found) {
    test(`found: ${phrase}`, () => assert.equal(verdict(kind, phrase), part));
  }

  const dropped: readonly [CueKind, string, DropReason][] = [
    ["video", "a bright smile", "not in the text"],
    ["video", "a smile face", "negated in the text"],
    ["video", "looks away now", "not in the text"],
    ["video", "furrowed lips", "not in the text"],
    ["audio", "trembling lips voice", "not in the text"],
    ["audio", "a low growl", "not in the text"],
    ["audio", "trembling voice suggests sadness", "not in the text"],
    ["emotion", "lips suggest anger", "not in the text"],
    ["video", "fists", "too short"],
    ["video", "tightly furrowed eyebrows and his lips tremble", "too long"],
    ["video", "the person is there", "says nothing"],
    ["video", "\u7709\u5934\u7d27\u9501", "another language"],
    [
      "video",
      "\u043d\u0430\u0445\u043c\u0443\u0440\u0435\u043d\u043d\u044b\u0435 \u0431\u0440\u043e\u0432\u0438",
      "another language",
    ],
    ["video", "", "too short"],
  ];
  for (const [kind, phrase, reason] of dropped) {
    test(`dropped, ${reason}: ${phrase}`, () => assert.equal(verdict(kind, phrase), reason));
  }

  test("a phrase's own words go before related ones; a place that is known is looked at alone", () => {
    const text = "What happened? He smiles. It shows that the person is happy. Nothing is angry, and not sad.";
    assert.equal(verdict("emotion", "the person is happy", text), "the person is happy");
    const related = verdict("emotion", "is happy", "What happened? He smiles.");
    assert.equal(related, "happened", "control: related words count where no other is");
    const [start, end] = [text.indexOf("person is happy"), text.indexOf(" Nothing")];
    const located = (phrase: string) => check({ emotion: [{ text: phrase, start, end }] }, text);
    assert.deepEqual(located("person is happy").cues, [{ kind: "emotion", text: "person is happy", start, end }]);
    assert.equal(located("is angry").dropped[0]!.reason, "not in the text");
  });

  test("a Chinese account and its phrases", () => {
    const text = "\u7537\u4eba\u7709\u5934\u7d27\u9501\uff0c\u8bed\u901f\u5f88\u5feb\u3002";
    assert.equal(verdict("video", "\u7709\u5934\u7d27\u9501", text), "\u7709\u5934\u7d27\u9501");
    assert.equal(verdict("audio", "\u8bed\u901f\u5f88\u6162", text), "not in the text");
    assert.equal(verdict("audio", "fast speech", text), "another language");
    assert.deepEqual([...scriptsOf("a \u7537")], ["Latin", "Han"]);
  });

  test("the same observation counts once, for the first kind; lists of thousands are bounded", () => {
    const { cues, dropped } = check({ video: ["lips tremble", "the trembling lips"], emotion: ["lips tremble"] });
    assert.deepEqual(
      cues.map(({ kind, text }) => [kind, text]),
      [["video", "lips tremble"]],
    );
    assert.deepEqual(
      dropped.map(({ reason }) => reason),
      ["repeated", "repeated"],
    );
    const words = Array.from({ length: 60 }, (_, i) => `w${String.fromCharCode(97 + (i % 26))}${i}x`);
    const pairs = words.map((word) => `${word} nod`);
    const many = check({ video: [...pairs, ...Array(5000).fill("x".repeat(10_000))] }, `${pairs.join(". ")}.`);
    assert.equal(many.cues.length, 40);
    assert.equal(many.dropped.filter(({ reason }) => reason === "too many").length, 5020);
    assert.ok(many.dropped.every(({ text }) => text.length <= 120));
  });
});

describe("words of a text", () => {
  test("negation reaches three content words, and not over a comma", () => {
    const negated = (text: string) =>
      sourceWords(text).flatMap(({ text: word, isNegated }) => (isNegated ? [word] : []));
    assert.deepEqual(negated("no bright happy loud smile"), ["bright", "happy", "loud"]);
    assert.deepEqual(negated("no smile, wide eyes"), ["smile"]);
    assert.deepEqual(negated("he doesn\u2019t nod. He nods"), ["nod"]);
  });

  test("places are those of the text", () => {
    const text = "Man's eyes, wide!";
    assert.deepEqual(
      sourceWords(text).map(({ start, end }) => text.slice(start, end)),
      ["Man's", "eyes", "wide"],
    );
  });
});
