// The EW set-level F1 of one sample (Eq. 27).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseLabelString } from "../../src/emotion/labels.ts";
import { openLexicon } from "../../src/emotion/open-lexicon/open-lexicon.ts";
import { exactWords, groupsOf, setF1, setScore } from "../../src/emotion/score.ts";
import { lexiconFromTables, resolveGroups, singleWheelLexicon } from "../../src/emotion/wheel.ts";
import { createRandom, permutation } from "../../src/random.ts";
import { publishedLexicon } from "../support/lexicon.ts";
import { sharedPath } from "../support/shared.ts";

const goldenTolerance = 1e-9;
const float64Tolerance = 1e-12;
const single = singleWheelLexicon("small", {
  angry: ["angry", "furious"],
  sad: ["sad", "gloomy"],
  calm: ["calm"],
  happy: ["happy"],
});

const small = setF1(single);

function close(actual: number, expected: number, tolerance: number, message = ""): void {
  assert.ok(Math.abs(actual - expected) < tolerance, `${message} expected ${expected}, got ${actual}`);
}

test("setScore: hand-derived values", () => {
  const score = setScore(new Set(["a", "b", "c"]), new Set(["b", "c", "d", "e"]));
  close(score.precision, 2 / 3, float64Tolerance);
  close(score.recall, 1 / 2, float64Tolerance);
  close(score.f1, 4 / 7, float64Tolerance); // 2 shared of 3 + 4 in total
  assert.deepEqual(setScore(new Set(), new Set(["a"])), { precision: 0, recall: 0, f1: 0 });
  assert.deepEqual(setScore(new Set(["a"]), new Set()), { precision: 0, recall: 0, f1: 0 });
});

test("synonyms and case count as the same answer, unknown words cost nothing, wrong groups do", () => {
  assert.equal(small(["Furious "], ["angry"]), 1);
  assert.equal(small(["furious", "angry", "blue-ish"], ["angry"]), 1);
  assert.equal(small(["gloomy"], ["angry"]), 0);
  close(small(["angry", "sad"], ["furious"]), 2 / 3, float64Tolerance);
  close(small(["angry"], ["furious", "gloomy"]), 2 / 3, float64Tolerance);
  close(small(["angry", "sad", "calm", "happy"], ["furious"]), 0.4, float64Tolerance);
  assert.equal(small([], ["angry"]), 0);
  assert.equal(small(["angry"], []), 0);
});

test("a wheel on which gold does not resolve counts 0", () => {
  const lexicon = lexiconFromTables("toy", {
    forms: { mad: ["mad"], odd: ["odd"] },
    synonyms: { mad: ["mad"], odd: ["odd"] },
    wheelMaps: {
      first: { level1: { mad: "anger", odd: "other" }, level2: { mad: "rage" } },
      second: { level1: { odd: "other" }, level2: { mad: "rage" } },
    },
  });
  assert.equal(setF1(lexicon)(["mad"], ["mad"]), 0.5);
  assert.equal(setF1(lexicon)(["odd"], ["odd"]), 1);
  assert.equal(setF1(lexicon)(["mad"], ["nothing"]), 0);
});

test("exact words and a closed vocabulary", () => {
  close(exactWords.score(["Happy", "calm"], ["happy"]), 2 / 3, float64Tolerance);
  assert.equal(exactWords.score(["joyful"], ["happy"]), 0);
  const { name, note, score } = groupsOf("mine", { glad: ["Joyful", "happy"], low: ["sad"] });
  assert.equal(score(["joyful"], ["happy"]), 1);
  assert.equal(score(["joyful"], ["sad"]), 0);
  assert.match(name, /^mine [0-9a-f]{12}$/);
  assert.match(note, /2 groups of mine/);
  assert.notEqual(groupsOf("mine", { glad: ["joyful"], low: ["sad"] }).name, name, "other words are another score");
});

test("property: order and duplicates of labels do not matter, swapping both sides keeps F1", () => {
  const random = createRandom(2);
  const words = ["angry", "furious", "sad", "gloomy", "calm", "happy", "unheard"];
  const draw = () => words.filter(() => random.next() < 0.4);
  for (let round = 0; round < 200; round++) {
    const predicted = draw();
    const gold = draw();
    const score = small(predicted, gold);
    assert.ok(score >= 0 && score <= 1);
    const mixed = permutation(predicted.length, random).map((i) => predicted[i]!);
    assert.equal(small([...mixed, ...predicted], gold), score);
    close(small(gold, predicted), score, float64Tolerance);
  }
});

interface GoldenMetric {
  readonly gt: string[];
  readonly pred: string[];
  readonly f1: number | null;
  readonly skipped: boolean;
}
interface GoldenScorer {
  readonly metrics: Record<string, GoldenMetric>;
  readonly sample_ew_zero_safe: number;
}
interface GoldenPair {
  readonly id: string;
  readonly gt: string | string[] | null;
  readonly pred: string | string[] | null;
  readonly affectgpt: GoldenScorer;
  readonly mer2026: GoldenScorer;
}

test("what is remembered of labels changes nothing: the mean over wheels of the F1 of their inner groups", () => {
  const lexicon = openLexicon();
  const score = setF1(lexicon);
  const words = [...lexicon.forms!.keys(), "nonsense", "Angry ", "neutral"];
  const random = createRandom(3);
  const draw = () => Array.from({ length: random.int(4) }, () => words[random.int(words.length)]!);
  let numBetween = 0;
  for (let i = 0; i < 500; i++) {
    const gold = draw();
    const predicted = [...draw(), ...gold.slice(0, random.int(2))];
    const normal = (labels: readonly string[]) => labels.map((label) => label.trim().toLowerCase());
    const perWheel = lexicon.wheels.map((wheel) => {
      const groups = (labels: readonly string[]) => resolveGroups(lexicon, wheel, normal(labels));
      return setScore(groups(predicted), groups(gold)).f1;
    });
    const expected = perWheel.reduce((sum, f1) => sum + f1, 0) / perWheel.length;
    assert.equal(score(predicted, gold), expected);
    if (expected > 0 && expected < 1) numBetween++;
  }
  assert.ok(numBetween > 50, `${numBetween} of 500 lie in between`);
});

test("golden: groups per wheel and level and the per-sample score equal the official scorers'", (t) => {
  const file = sharedPath("golden/mer/ew_pairs_public.json");
  const lexicons = { affectgpt: publishedLexicon("affectgpt"), mer2026: publishedLexicon("mer2026") };
  if (file === null || lexicons.affectgpt === null || lexicons.mer2026 === null) {
    return t.skip("golden/mer or lexicon is not beside the repository");
  }
  const scorers = { affectgpt: setF1(lexicons.affectgpt), mer2026: setF1(lexicons.mer2026) };
  const pairs = JSON.parse(readFileSync(file, "utf8")) as GoldenPair[];
  let numGroupSets = 0;
  let numMoved = 0;
  for (const pair of pairs) {
    const gold = parseLabelString(pair.gt);
    const predicted = parseLabelString(pair.pred);
    for (const name of ["affectgpt", "mer2026"] as const) {
      const lexicon = lexicons[name]!;
      close(scorers[name](predicted, gold), pair[name].sample_ew_zero_safe, goldenTolerance, `${pair.id} ${name}`);
      const swapped = scorers[name === "affectgpt" ? "mer2026" : "affectgpt"];
      if (Math.abs(swapped(predicted, gold) - pair[name].sample_ew_zero_safe) > goldenTolerance) numMoved++;
      for (const wheel of lexicon.wheels) {
        for (const level of ["level1", "level2"] as const) {
          const expected = pair[name].metrics[`case3_${wheel.name}_${level}`]!;
          const groupsOf = (labels: readonly string[]) =>
            [
              ...resolveGroups(
                lexicon,
                wheel,
                labels.map((label) => label.trim().toLowerCase()),
                level,
              ),
            ].sort();
          assert.deepEqual(
            [groupsOf(gold), groupsOf(predicted)],
            [expected.gt, expected.pred],
            `${pair.id} ${wheel.name}`,
          );
          numGroupSets++;
        }
      }
    }
  }
  assert.ok(numGroupSets >= 5000, `compared ${numGroupSets}`);
  assert.ok(numMoved > 0, "control: the other lexicon must disagree somewhere");
});

test("golden: the public reward code's accuracy, where its label splitting agrees with ours", (t) => {
  const file = sharedPath("golden/mer/oppo_dev_public.json");
  const lexicon = publishedLexicon("affectgpt");
  if (file === null || lexicon === null) return t.skip("golden/mer or lexicon is not beside the repository");
  const { rewards } = JSON.parse(readFileSync(file, "utf8")) as {
    rewards: { extracted_answer: string; gt: string[]; accuracy_reward: number }[];
  };
  const score = setF1(lexicon);
  assert.ok(rewards.length >= 16);
  for (const { extracted_answer, gt, accuracy_reward } of rewards) {
    // That code splits at commas only and keeps brackets.
    close(score(extracted_answer.split(","), gt), accuracy_reward, goldenTolerance, extracted_answer);
  }
});
