// Words, runs, negation and stems as the built-in embedder sees them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { contentRuns, phraseFeatures, stem } from "../../src/evidence/phrase-features.ts";

test("carriers and function words go, punctuation and conjunctions break runs", () => {
  assert.deepEqual(contentRuns("the video shows a frown"), [["frown"]]);
  assert.deepEqual(contentRuns("This suggests the person is Sad."), [["sad"]]);
  assert.deepEqual(contentRuns("wet lips, a cold jaw and warm tears"), [
    ["wet", "lip"],
    ["cold", "jaw"],
    ["warm", "tear"],
  ]);
  assert.deepEqual(contentRuns("half-shut lids"), [["half", "shut", "lid"]]);
  assert.deepEqual(contentRuns("the person is, and it was; so"), []);
  assert.deepEqual(contentRuns(""), []);
  assert.deepEqual(contentRuns("\u76B1\u7709 sad"), [["\u76B1", "\u7709", "sad"]]);
});

test("negated words are words of their own, for three words or to the end of the clause", () => {
  assert.deepEqual(contentRuns("no smile"), [["no-smil"]]);
  assert.deepEqual(contentRuns("she isn't loud, warm"), [["no-loud"], ["warm"]]);
  assert.deepEqual(contentRuns("without cold wet deep warm"), [["no-cold", "no-wet", "no-deep", "warm"]]);
});

test("features are distinct words and unordered neighbours, within runs only", () => {
  assert.deepEqual(phraseFeatures([["rais", "brow"]]), ["rais", "brow", "brow+rais"]);
  assert.deepEqual(
    phraseFeatures(contentRuns("eyebrows raised")).sort(),
    phraseFeatures(contentRuns("raised brow")).sort(),
  );
  assert.deepEqual(phraseFeatures([["a", "b"], ["c"]]), ["a", "b", "c", "a+b"]);
  assert.deepEqual(phraseFeatures([["loud", "loud"]]), ["loud"]);
});

test("forms of one word share a stem, other words do not", () => {
  const families = [
    ["frown", "frowns", "frowned", "frowning"],
    ["smile", "smiles", "smiled", "smiling"],
    ["drop", "drops", "dropped", "dropping"],
    ["press", "pressed", "pressing"],
    ["cry", "cries", "cried", "crying"],
    ["worry", "worried", "worries"],
    ["loud", "loudly"],
    ["happy", "happily"],
    ["tear", "tears"],
    ["brow", "eyebrows", "eyebrow"],
  ];
  for (const family of families) assert.equal(new Set(family.map(stem)).size, 1, family.map(stem).join(" "));
  const stems = families.map((family) => stem(family[0]!));
  assert.equal(new Set(stems).size, families.length);
  for (const word of ["us", "red", "sing", "furious", "speed", "only"])
    assert.ok(word.startsWith(stem(word).slice(0, 2)), word);
  assert.equal(stem("furious"), "furious");
  assert.equal(stem("speed"), "speed");
});
