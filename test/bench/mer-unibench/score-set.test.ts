// A whole set: metrics, intervals, notes and switches, on small sets whose scores are derived by hand.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { defaultBootstrapOptions } from "../../../src/bench/bootstrap.ts";
import { answerFormOf, labelString, parseLabels } from "../../../src/bench/mer-unibench/answers.ts";
import { inLabelSpace, labelSpaces } from "../../../src/bench/mer-unibench/class-recall.ts";
import { benchmarkSets, meanOfSets, pairedScores } from "../../../src/bench/mer-unibench/compare.ts";
import { lexiconJudge } from "../../../src/bench/mer-unibench/polarity-judge.ts";
import { publishedRecall, publishedRows } from "../../../src/bench/mer-unibench/published.ts";
import { publishedRules, type ScoringRules } from "../../../src/bench/mer-unibench/rules.ts";
import { defaultMetric, type SetMetric, scoreSet } from "../../../src/bench/mer-unibench/score-set.ts";
import type { GroundTruth, RawLabels } from "../../../src/data/ground-truth.ts";
import { openLexicon } from "../../../src/emotion/open-lexicon/open-lexicon.ts";
import { labelResolver } from "../../../src/emotion/resolver.ts";
import { lexiconFromTables } from "../../../src/emotion/wheel.ts";
import { publishedLexicon } from "../../support/lexicon.ts";

const tolerance = 1e-12;

/** Two wheels; "joy" is on the first only. */
const ring = (groups: Record<string, string>) => ({ level1: groups, level2: groups });
const small = lexiconFromTables("small", {
  forms: { happy: ["happy"], glad: ["happy"], sad: ["sad"], mad: ["mad"], joy: ["joy"] },
  synonyms: { happy: ["happy"], sad: ["sad"], mad: ["mad"], joy: ["joy"] },
  wheelMaps: {
    wheel1: ring({ happy: "happy", joy: "happy", sad: "sad", mad: "mad" }),
    wheel2: ring({ happy: "happy", sad: "low", mad: "low" }),
  },
});

function scored(
  truth: GroundTruth,
  texts: readonly RawLabels[],
  rules: Partial<ScoringRules> = {},
  metric?: SetMetric,
  polarities?: string[],
) {
  const all = { ...publishedRules, ...rules };
  const resolver = labelResolver(small, { neutralIsGroup: all.neutral === "group" });
  const input = {
    truth,
    metric: metric ?? defaultMetric(truth),
    texts,
    form: answerFormOf(texts),
    polarities: polarities ?? null,
  };
  return scoreSet(input, { resolver, rules: all, bootstrap: defaultBootstrapOptions });
}

const open = (...labels: RawLabels[]): GroundTruth => ({
  dataset: "open",
  kind: "open",
  source: "test",
  rows: new Map(labels.map((label, i) => [`s${i}`, label])),
});
const discrete = (dataset: string, ...labels: string[]): GroundTruth => ({
  dataset,
  kind: "discrete",
  source: "test",
  labels: labelSpaces[dataset] ?? [],
  rows: new Map(labels.map((label, i) => [`s${i}`, label])),
});
const sentiment = (...values: number[]): GroundTruth => ({
  dataset: "sentiment",
  kind: "sentiment",
  source: "test",
  rows: new Map(values.map((value, i) => [`s${i}`, value])),
});

function close(actual: number | null | undefined, expected: number): void {
  assert.ok(
    typeof actual === "number" && Math.abs(actual - expected) < tolerance,
    `expected ${expected}, got ${actual}`,
  );
}

const noteNames = ({ score }: ReturnType<typeof scored>) => score.notes.map(({ name }) => name);

describe("EW", () => {
  test("hand-derived: precision and recall are averaged before F1", () => {
    // wheel1: sample 0 P = 1/2, R = 1; sample 1 P = R = 1. p = 3/4, r = 1, f = 6/7. wheel2: the same groups merge:
    // sample 0 {happy, low} against {happy}: P = 1/2, R = 1; sample 1 {low} against {low}: 1, 1. f = 6/7.
    const { score } = scored(open("[happy]", "sad"), ["[glad, mad]", "[sad]"]);
    close(score.metrics.level1!.value, 6 / 7);
    assert.equal(score.metrics.level1!.count, 2);
    assert.equal(score.meanLabels, 1.5);
    close(score.wheels[0]!.scores.precision, 3 / 4);
    const { low, high } = score.metrics.level1!;
    assert.ok(low! < 6 / 7 && high! >= 6 / 7, `${low} ${high}`);
  });

  test("undefined wheels: as published, as in 2026, left out", () => {
    const truth = open("[joy]");
    const value = (undefinedWheel: ScoringRules["undefinedWheel"]) => {
      const result = scored(truth, ["[joy]"], { undefinedWheel });
      assert.ok(noteNames(result).includes("undefined-wheel"));
      return result.score.metrics.level1!.value;
    };
    assert.equal(value("undefined"), null);
    assert.equal(value("zero"), 0.5);
    assert.equal(value("skip"), 1);
  });

  test("neutral is not scored and said so, or is a group", () => {
    const truth = open("neutral", "sad");
    const published = scored(truth, ["neutral", "sad"]);
    assert.equal(published.score.metrics.level1!.count, 1);
    assert.deepEqual(noteNames(published), ["unknown-labels", "neutral-predicted", "unscored"]);
    const group = scored(truth, ["sad", "sad"], { neutral: "group" });
    assert.equal(group.score.metrics.level1!.count, 2);
    close(group.score.metrics.level1!.value, 0.5);
    assert.deepEqual(noteNames(group), []);
  });

  test("brackets, full-width signs, mixed alphabets, empty and endless answers are counted", () => {
    const texts = [
      "[[happy]]",
      "sad\uff0cmad",
      "s\u0430d",
      "",
      Array.from({ length: 1_000_000 }, () => "happy").join(","),
    ];
    const started = Date.now();
    const result = scored(open("happy", "sad", "sad", "mad", "happy"), texts, { undefinedWheel: "zero" });
    assert.ok(Date.now() - started < 20_000, "a million words take a moment");
    const counts = Object.fromEntries(result.score.notes.map(({ name, count }) => [name, count]));
    assert.deepEqual(counts, {
      "empty-answers": 1,
      "unknown-labels": 3,
      "mixed-alphabets": 1,
      "long-answers": 1,
      parser: 2,
    });
    // Only the endless answer is right; the parser's victims are wrong.
    close(result.score.wheels[0]!.scores.recall, 1 / 5);
    const lenient = scored(open("happy", "sad", "sad", "mad", "happy"), texts, { parser: "lenient" });
    close(lenient.score.wheels[0]!.scores.recall, 3 / 5);
  });

  test("responses with answer tags are taken apart, and one without is counted", () => {
    const result = scored(open("happy", "sad"), ["<think>sad</think><answer>Glad; \u9ad8\u5174</answer>", "sad"]);
    close(result.score.metrics.level1!.value, 1);
    assert.deepEqual(noteNames(result), ["reading", "unknown-labels", "untagged"]);
    assert.match(result.score.notes[0]!.text, /evaluator's rule: the first <answer> pair/);
    assert.equal(labelString("<ANSWER>[a];\nb</ANSWER>", "answer", "official"), "[a, b]");
    assert.equal(labelString("<answer>x</answer>", "labels", "official"), "<answer>x</answer>");
    assert.equal(labelString("[a, b]<|im_end|>", "labels", "official"), "[a, b]");
    assert.equal(labelString("x, y</think>\n\na; b</s>", "answer", "lenient"), "[a, b]");
    assert.equal(labelString("<think>x</think><answer>a", "answer", "lenient"), "[a]");
    assert.equal(labelString("<think>x</think><answer>a", "answer", "official"), "[<think>x</think><answer>a]");
    assert.deepEqual(parseLabels(" [a] and don't care. ", "lenient"), ["a", "don\u2019t care"]);
  });
});

describe("hit rate", () => {
  test("naming every class always hits; the guard score and the label count show it", () => {
    const truth = discrete("MER", "happy", "sad", "mad");
    const { score } = scored(truth, ["happy, sad, mad", "happy, sad, mad", "happy, sad, mad"]);
    assert.equal(score.metrics.hitRate!.value, 1);
    // wheel1: 1/3 each; wheel2: happy and low, 1/2 each.
    close(score.metrics.guarded!.value, (1 / 3 + 1 / 2) / 2);
    assert.equal(score.meanLabels, 3);
    assert.deepEqual(
      score.notes.map(({ name, count }) => [name, count]),
      [
        ["shared-groups", 1],
        ["no-penalty", 3],
      ],
    );
  });
});

test("a label that the published tables put among pleasant groups is pointed out, and the corrected ones do not", (t) => {
  const [published, corrected] = [publishedLexicon("affectgpt"), publishedLexicon("mer2026")];
  if (published === null || corrected === null) return t.skip("lexicon is not beside the repository");
  const torn = (lexicon: typeof published) => {
    const truth = discrete("MELD", "fear", "joy");
    const input = { truth, metric: "hit", texts: ["scared", "happy"], form: "labels", polarities: null } as const;
    const resolver = labelResolver(lexicon);
    const { score } = scoreSet(input, { resolver, rules: publishedRules, bootstrap: defaultBootstrapOptions });
    return score.notes.filter(({ name }) => name === "torn-labels").map(({ detail }) => detail!);
  };
  assert.match(torn(published)[0]!, /fear: scared, happy, joyful, genius, joyful/);
  assert.deepEqual(torn(corrected), []);
});

describe("WAR and UAR", () => {
  test("spellings are mapped, answers outside the space are wrong and counted", () => {
    const truth = discrete("DFEW", "Happiness", "happy", "fear", "sad");
    const texts = [
      "<answer>Happy</answer>",
      "<answer>joyful</answer>",
      "<answer>fearful</answer>",
      "<answer>angry</answer>",
    ];
    const { score } = scored(truth, texts);
    close(score.metrics.war!.value, 2 / 4);
    close(score.metrics.uar!.value, (1 / 2 + 1 + 0) / 3);
    close(score.metrics.outside!.value, 1 / 4);
    assert.deepEqual(score.confusion!.classes, ["fear", "happy", "sad"]);
    assert.deepEqual(score.confusion!.named, ["fear", "happy", "sad", "angry"]);
    assert.deepEqual(score.confusion!.counts, [
      [1, 0, 0, 0, 0],
      [0, 1, 0, 0, 1],
      [0, 0, 0, 1, 0],
    ]);
    const raw = scored(truth, texts, { singleLabel: "raw" });
    close(raw.score.metrics.war!.value, 0);
    // The script takes no tag away: it would find no class in the three that name one.
    const noteOf = (name: string, { score: { notes } }: ReturnType<typeof scored>) =>
      notes.find((note) => note.name === name);
    assert.deepEqual([noteOf("single-label", { score } as never)!.count, noteOf("single-label", raw)!.count], [3, 3]);
    assert.equal(noteOf("single-label", scored(truth, ["happy", "happy", "fear", "sad"])), undefined);
    assert.equal(inLabelSpace("Anxiety ", labelSpaces.MAFW!), "anxious");
    assert.equal(inLabelSpace("anxiety", labelSpaces.DFEW!), null);
    assert.equal(inLabelSpace("constructor", labelSpaces.DFEW!), null);
  });
});

describe("sentiment", () => {
  test("neutral counts as negative, zeros are dropped, inexact words are neutral; each can be changed", () => {
    const truth = sentiment(1, -1, 0, 2);
    const words = ["positive", "neutral", "positive", "Positive."];
    const value = (rules: Partial<ScoringRules>) => scored(truth, words, rules, "waf", words);
    const published = value({});
    // Scored: + + ; - neutral (negative, right); + "Positive." (negative, wrong). F(+) = 2/3, F(-) = 2/3.
    close(published.score.metrics.weightedF!.value, 2 / 3);
    assert.equal(published.score.metrics.weightedF!.count, 3);
    assert.deepEqual(noteNames(published), ["zero-sentiment", "neutral-polarity", "inexact-polarity"]);
    close(value({ parser: "lenient" }).score.metrics.weightedF!.value, 1);
    close(value({ neutralPolarity: "wrong" }).score.metrics.accuracy!.value, 1 / 3);
    close(value({ zeroSentiment: "positive" }).score.metrics.accuracy!.value, 3 / 4);
    close(value({ zeroSentiment: "negative" }).score.metrics.accuracy!.value, 2 / 4);
  });

  test("all zeros have no score, with the reason", () => {
    const result = scored(sentiment(0, 0), ["", ""], {}, "waf", ["positive", "negative"]);
    assert.equal(result.score.metrics.weightedF!.value, null);
    assert.ok(noteNames(result).includes("all-zero"));
  });

  test("the wheels' polarity is neutral where nothing is known", () => {
    const judge = lexiconJudge(openLexicon());
    const replies = judge.judge(["[happy, relieved]", "[furious]", "[]", "[table]", "[happy, sad]", "[surprised]"]);
    assert.deepEqual(replies, ["positive", "negative", "neutral", "neutral", "neutral", "neutral"]);
    assert.match(judge.name, /wheel polarity \(built-in\)/);
  });
});

describe("comparison", () => {
  const truth = open(...Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? "happy" : "sad")));
  const right = [...truth.rows.values()];
  const worse = right.map((label, i) => (i % 3 === 0 ? "mad" : label));
  const part = (texts: readonly RawLabels[]) => {
    const { score, draws } = scored(truth, texts as RawLabels[]);
    return { metric: score.metrics.level1!, draws };
  };

  test("the same system differs by nothing; a worse one significantly", () => {
    const same = pairedScores(part(right as RawLabels[]), part(right as RawLabels[]), 0.95);
    assert.deepEqual([same.value, same.low, same.high, same.pValue], [0, 0, 0, 1]);
    const difference = pairedScores(part(right as RawLabels[]), part(worse as RawLabels[]), 0.95);
    assert.ok(difference.value! > 0.1 && difference.low! > 0 && difference.pValue! < 0.01, JSON.stringify(difference));
    const mirrored = pairedScores(part(worse as RawLabels[]), part(right as RawLabels[]), 0.95);
    close(mirrored.value, -difference.value!);
    assert.equal(mirrored.pValue, difference.pValue);
  });

  test("a score without a value has no difference", () => {
    const none = { metric: { value: null, low: null, high: null, count: 0 }, draws: new Float64Array(1000) };
    assert.equal(pairedScores(none, part(right as RawLabels[]), 0.95).pValue, null);
  });

  test("the mean weighs every set alike, and is undefined with one of them", () => {
    const one = scored(open("happy"), ["happy"], { undefinedWheel: "zero" });
    const two = scored(open("happy", "happy", "happy"), ["sad", "sad", "sad"], { undefinedWheel: "zero" });
    close(meanOfSets([one, two], 0.95).metric.value, 0.5);
    const three = scored(open("joy"), ["joy"]);
    assert.equal(meanOfSets([one, three], 0.95).metric.value, null);
  });
});

test("published rows name known sets, and a full row averages to its mean as its note says", () => {
  for (const { sets, mean, note } of publishedRows) {
    const values = benchmarkSets.map((name) => sets[name]);
    if (values.some((value) => value === undefined) || mean === null) continue;
    const average = values.reduce((sum: number, value) => sum + value!, 0) / values.length;
    assert.ok(Math.abs(average - mean) < 0.01 || note !== undefined, `${average} ${mean}`);
  }
  for (const { sets } of publishedRecall) assert.deepEqual(Object.keys(sets), Object.keys(labelSpaces));
});
