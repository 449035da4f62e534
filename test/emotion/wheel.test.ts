// Resolution of labels to wheel groups.
import assert from "node:assert/strict";
import { test } from "node:test";
import { lexiconFromTables, resolveGroups, resolveLabel, singleWheelLexicon } from "../../src/emotion/wheel.ts";
import { publishedLexicon } from "../support/lexicon.ts";

const single = singleWheelLexicon("small", { angry: ["angry", "furious"], sad: ["sad", "gloomy"] });

test("a single wheel maps words to groups, unknown words to nothing", () => {
  const wheel = single.wheels[0]!;
  assert.equal(resolveLabel(single, wheel, "furious"), "angry");
  assert.equal(resolveLabel(single, wheel, "furious", "level2"), "angry");
  assert.equal(resolveLabel(single, wheel, "cross"), null);
  assert.deepEqual([...resolveGroups(single, wheel, ["furious", "angry", "what", "sad"])], ["angry", "sad"]);
});

test("a word in two groups is an error", () => {
  assert.throws(() => singleWheelLexicon("bad", { angry: ["mad"], odd: ["mad"] }), {
    code: "ERR_EMOTION_AMBIGUOUS_WORD",
    message: /expected every word in one group, got "mad" in angry and odd/,
  });
});

test("forms lead to bases, bases to wheel words, and the alphabetically first one on the wheel wins", () => {
  const lexicon = lexiconFromTables("toy", {
    forms: { fears: ["fearful", "fearless"], shout: ["loud"], quiet: [] },
    synonyms: { fearful: ["scared"], fearless: ["brave", "zealous"], loud: ["boisterous"], scared: ["scared"] },
    wheelMaps: {
      first: { level1: { scared: "fear", zealous: "joy" }, level2: { scared: "panic" } },
      second: { level1: { scared: "fear", brave: "power" }, level2: {} },
    },
  });
  const [first, second] = lexicon.wheels;
  // Pool: brave, scared, zealous. The first wheel has no "brave", so "scared" wins there.
  assert.equal(resolveLabel(lexicon, first!, "fears"), "fear");
  assert.equal(resolveLabel(lexicon, second!, "fears"), "power");
  assert.equal(resolveLabel(lexicon, first!, "fears", "level2"), "panic");
  assert.equal(resolveLabel(lexicon, second!, "fears", "level2"), null);
  // A wheel word that is no form is out of vocabulary; a word on no wheel resolves nowhere.
  for (const label of ["scared", "shout", "quiet", ""]) assert.equal(resolveLabel(lexicon, first!, label), null, label);
});

test("the published tables resolve the known labels", (t) => {
  const affectgpt = publishedLexicon("affectgpt");
  const mer2026 = publishedLexicon("mer2026");
  if (affectgpt === null || mer2026 === null) return t.skip("lexicon is not beside the repository");
  const groups = (lexicon: typeof affectgpt, label: string) =>
    lexicon.wheels.map((wheel) => resolveLabel(lexicon, wheel, label) ?? "-").join(" ");
  assert.equal(groups(affectgpt, "happy"), "happy happy joyful joy powerful");
  assert.equal(groups(affectgpt, "anger"), "mad angry mad anger mad");
  assert.equal(groups(affectgpt, "surprise"), "surprised surprised powerful fear -");
  assert.equal(groups(affectgpt, "disgust"), "disgusted disgusted - disgust -");
  assert.equal(groups(affectgpt, "neutral"), "- - - - -");
  assert.equal(groups(affectgpt, "fear"), "scared happy joyful genius joyful");
  assert.equal(groups(mer2026, "fear"), "scared fearful scared fear scared");
});
