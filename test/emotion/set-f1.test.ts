// The EW set-level F1 of one sample (Eq. 27).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseLabelString } from "../../src/emotion/labels.ts";
import { setF1, setScore } from "../../src/emotion/set-f1.ts";
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
  assert.equal(setF1(["Furious "], ["angry"], single), 1);
  assert.equal(setF1(["furious", "angry", "blue-ish"], ["angry"], single), 1);
  assert.equal(setF1(["gloomy"], ["angry"], single), 0);
  close(setF1(["angry", "sad"], ["furious"], single), 2 / 3, float64Tolerance);
  close(setF1(["angry"], ["furious", "gloomy"], single), 2 / 3, float64Tolerance);
  close(setF1(["angry", "sad", "calm", "happy"], ["furious"], single), 0.4, float64Tolerance);
  assert.equal(setF1([], ["angry"], single), 0);
  assert.equal(setF1(["angry"], [], single), 0);
});

test("a wheel on which gold does not resolve counts 0, or is skipped on request", () => {
  const lexicon = lexiconFromTables("toy", {
    forms: { mad: ["mad"], odd: ["odd"] },
    synonyms: { mad: ["mad"], odd: ["odd"] },
    wheelMaps: {
      first: { level1: { mad: "anger", odd: "other" }, level2: { mad: "rage" } },
      second: { level1: { odd: "other" }, level2: { mad: "rage" } },
    },
  });
  assert.equal(setF1(["mad"], ["mad"], lexicon), 0.5);
  assert.equal(setF1(["mad"], ["mad"], lexicon, { unresolvedGold: "skip" }), 1);
  assert.equal(setF1(["mad"], ["mad"], lexicon, { level: "level2" }), 1);
  assert.equal(setF1(["mad"], ["nothing"], lexicon, { unresolvedGold: "skip" }), 0);
});

test("property: order and duplicates of labels do not matter, swapping both sides keeps F1", () => {
  const random = createRandom(2);
  const words = ["angry", "furious", "sad", "gloomy", "calm", "happy", "unheard"];
  const draw = () => words.filter(() => random.next() < 0.4);
  for (let round = 0; round < 200; round++) {
    const predicted = draw();
    const gold = draw();
    const score = setF1(predicted, gold, single);
    assert.ok(score >= 0 && score <= 1);
    const mixed = permutation(predicted.length, random).map((i) => predicted[i]!);
    assert.equal(setF1([...mixed, ...predicted], gold, single), score);
    close(setF1(gold, predicted, single), score, float64Tolerance);
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

test("golden: groups per wheel and level and the per-sample score equal the official scorers'", (t) => {
  const file = sharedPath("golden/mer/ew_pairs_public.json");
  const lexicons = { affectgpt: publishedLexicon("affectgpt"), mer2026: publishedLexicon("mer2026") };
  if (file === null || lexicons.affectgpt === null || lexicons.mer2026 === null) {
    return t.skip("golden/mer or lexicon is not beside the repository");
  }
  const pairs = JSON.parse(readFileSync(file, "utf8")) as GoldenPair[];
  let numGroupSets = 0;
  let numMoved = 0;
  for (const pair of pairs) {
    const gold = parseLabelString(pair.gt);
    const predicted = parseLabelString(pair.pred);
    for (const name of ["affectgpt", "mer2026"] as const) {
      const lexicon = lexicons[name]!;
      close(setF1(predicted, gold, lexicon), pair[name].sample_ew_zero_safe, goldenTolerance, `${pair.id} ${name}`);
      const swapped = lexicons[name === "affectgpt" ? "mer2026" : "affectgpt"]!;
      if (Math.abs(setF1(predicted, gold, swapped) - pair[name].sample_ew_zero_safe) > goldenTolerance) numMoved++;
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
  assert.ok(rewards.length >= 16);
  for (const { extracted_answer, gt, accuracy_reward } of rewards) {
    // That code splits at commas only and keeps brackets.
    close(setF1(extracted_answer.split(","), gt, lexicon), accuracy_reward, goldenTolerance, extracted_answer);
  }
});
