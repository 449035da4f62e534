// Text of tokens as they come: characters over several tokens, stop strings over several tokens, what is held back.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SequenceText } from "../../src/serve/model/sequence-text.ts";

/** Ids are indices of byte strings. */
function decoder(bytes: readonly (string | number[])[]) {
  return (ids: Int32Array) => {
    const all = Buffer.concat(Array.from(ids, (id) => Buffer.from(bytes[id] as string)));
    return [new TextDecoder().decode(all)];
  };
}

function shownBy(stream: SequenceText, ids: readonly number[]): string[] {
  return ids.map((id) => stream.push(id).text);
}

describe("SequenceText", () => {
  test("shows a character with the token that completes it", () => {
    const snow = [...Buffer.from("\u2603")];
    const stream = new SequenceText(decoder(["a", snow.slice(0, 2), snow.slice(2), "b"]), []);
    assert.deepEqual(shownBy(stream, [0, 1, 2, 3]), ["a", "", "\u2603", "b"]);
    assert.equal(stream.text, "a\u2603b");
    // Bytes that never become a character are shown in the end.
    stream.push(1);
    assert.equal(stream.text, "a\u2603b");
    assert.match(stream.finish(), /^\uFFFD+$/);
  });

  test("bytes that are no text do not hold back what follows for ever", () => {
    const stream = new SequenceText(decoder([[0xff]]), []);
    for (let i = 0; i < 20; i++) stream.push(0);
    assert.ok(stream.text.length >= 8);
  });

  test("holds back the beginning of a stop string, and shows it when it was none", () => {
    const stream = new SequenceText(decoder(["one", " EN", "D", "X"]), [" END"]);
    assert.deepEqual(shownBy(stream, [0, 1, 3]), ["one", "", " ENX"]);
    assert.deepEqual(stream.push(1), { text: "", isStopped: false });
    assert.deepEqual(stream.push(2), { text: "", isStopped: true });
    assert.equal(stream.finish(), "");
    assert.equal(stream.text, "one ENX");
  });

  test("the earliest of several stop strings counts, also in the middle of a token", () => {
    const stream = new SequenceText(decoder(["ab--cd##"]), ["##", "--"]);
    assert.deepEqual(stream.push(0), { text: "ab", isStopped: true });
    const other = new SequenceText(decoder(["abab", "c"]), ["abc"]);
    assert.deepEqual(shownBy(other, [0]), ["ab"]);
    assert.equal(other.push(1).isStopped, true);
    assert.equal(other.text, "ab");
  });
});
