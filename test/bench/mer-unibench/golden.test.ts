// Every scorer against the official ones' outputs, with both lexicons. Each test has its control: what must not agree.
import assert from "node:assert/strict";
import { test } from "node:test";
import { confusionOf, namedClass, recallStatistic, recallTable } from "../../../src/bench/mer-unibench/class-recall.ts";
import { hitStatistic, hitTable, wheelHits } from "../../../src/bench/mer-unibench/hit-rate.ts";
import { publishedRules, type ScoringRules } from "../../../src/bench/mer-unibench/rules.ts";
import {
  lenientPolarity,
  officialPolarity,
  sentimentStatistic,
  sentimentTable,
} from "../../../src/bench/mer-unibench/sentiment.ts";
import { type SumTable, scoresOf } from "../../../src/bench/mer-unibench/sum-table.ts";
import {
  levelScore,
  precisionRecall,
  wheelF1Statistic,
  wheelF1Table,
  wheelMetrics,
} from "../../../src/bench/mer-unibench/wheel-f1.ts";
import { cleanReply, parseLabelString, strip } from "../../../src/emotion/labels.ts";
import { labelResolver } from "../../../src/emotion/resolver.ts";
import { answerLabels, evaluatorAnswer } from "../../../src/text/answer.ts";
import { agrees, goldenAbsent, type LexiconName, lexiconNames, merGolden } from "../../support/mer-golden.ts";

type Raw = string | string[] | null;
type Score = { f1: number | null; precision: number | null; recall: number | null };
interface Scorer {
  readonly metrics: Record<string, Score & { scored_samples?: number; skipped?: boolean }>;
  readonly ew_level1: Score;
  readonly ew_level2: Score;
  readonly mean_of_levels: number | null;
}
type Scored = Record<LexiconName, Scorer>;

/** The published code divides by zero, the 2026 code does not. */
const undefinedWheel: Record<LexiconName, ScoringRules["undefinedWheel"]> = { affectgpt: "undefined", mer2026: "zero" };

/** A table's sums, by way of a statistic that is the sums themselves. */
function sumsOf(table: SumTable): Float64Array {
  const names = Array.from({ length: table.numColumns }, (_, i) => String(i));
  return scoresOf(table, { names, compute: (sums, scores) => scores.set(sums) });
}

interface Item {
  readonly gt: Raw;
  readonly pred: Raw;
}

function compareScorer(
  name: LexiconName,
  items: readonly Item[],
  expected: Scorer,
  lexicons: Parameters<typeof labelResolver>[0],
  where: string,
) {
  const rule = undefinedWheel[name];
  const resolver = labelResolver(lexicons);
  const parse = (key: "gt" | "pred") => items.map((item) => parseLabelString(item[key]));
  const table = wheelF1Table(resolver, parse("gt"), parse("pred"));
  const sums = sumsOf(table);
  const problems: string[] = [];
  let numCompared = 0;
  const compare = (what: string, actual: number, wanted: number | null | undefined) => {
    if (wanted === undefined) return;
    numCompared++;
    if (!agrees(actual, wanted)) problems.push(`${where} ${name} ${what}: expected ${wanted}, got ${actual}`);
  };
  resolver.metrics.forEach((metric, index) => {
    const wanted = expected.metrics[metric.name]!;
    const score = precisionRecall(sums, index, rule);
    if (wanted.scored_samples !== undefined) compare(`${metric.name} n`, score.numScored, wanted.scored_samples);
    if (wanted.skipped === true) {
      compare(`${metric.name} skipped`, score.numScored, 0);
      return;
    }
    for (const key of ["precision", "recall", "f1"] as const) compare(`${metric.name} ${key}`, score[key], wanted[key]);
  });
  for (const level of ["level1", "level2"] as const) {
    const score = levelScore(sums, wheelMetrics(resolver, level), rule);
    for (const key of ["f1", "precision", "recall"] as const)
      compare(`${level} ${key}`, score[key], expected[`ew_${level}`][key]);
  }
  compare("mean", scoresOf(table, wheelF1Statistic(resolver, rule))[2]!, expected.mean_of_levels);
  return { problems, numCompared };
}

for (const file of ["ew_sets", "ew_pairs"]) {
  test(`golden ${file}: EW set-level F1, twelve metrics, two levels, their mean`, (t) => {
    const found = merGolden<(Scored & { name?: string; id?: string; items?: Item[] } & Item)[]>(file);
    if (found === null) return t.skip(goldenAbsent);
    let numCompared = 0;
    let numMoved = 0;
    const problems: string[] = [];
    for (const set of found.golden) {
      for (const name of lexiconNames) {
        const items = set.items ?? [set];
        const where = set.name ?? set.id!;
        const result = compareScorer(name, items, set[name], found.lexicons[name], where);
        problems.push(...result.problems);
        numCompared += result.numCompared;
        const other = found.lexicons[name === "affectgpt" ? "mer2026" : "affectgpt"];
        numMoved += compareScorer(name, items, set[name], other, where).problems.length;
      }
    }
    assert.deepEqual(problems.slice(0, 5), []);
    assert.ok(numCompared > (file === "ew_sets" ? 800 : 15_000), `${numCompared} numbers`);
    assert.ok(numMoved > 0, "control: the other lexicon must disagree somewhere");
    t.diagnostic(`${file}: ${numCompared} numbers agree; ${numMoved} would not with the other lexicon`);
  });
}

interface HitSpace {
  readonly items: { id: string; gt: string; pred: Raw; affectgpt: WheelHit[]; mer2026_lexicon: WheelHit[] }[];
  readonly dataset: Record<string, { per_wheel: Record<string, number>[]; hitrate: number; mscore: number }>;
}
interface WheelHit {
  readonly hit: number | null;
}

test("golden hit: rate and guard score per wheel and sample", (t) => {
  const found = merGolden<Record<string, HitSpace>>("hit");
  if (found === null) return t.skip(goldenAbsent);
  let numCompared = 0;
  let numControl = 0;
  for (const [space, { items, dataset }] of Object.entries(found.golden)) {
    for (const name of lexiconNames) {
      const key = name === "affectgpt" ? "affectgpt" : "mer2026_lexicon";
      const resolver = labelResolver(found.lexicons[name]);
      const predicted = items.map(({ pred }) => parseLabelString(pred));
      const table = hitTable(
        resolver,
        items.map(({ gt }) => gt),
        predicted,
      );
      const sums = sumsOf(table);
      const wanted = dataset[key]!;
      wanted.per_wheel.forEach((wheel, w) => {
        const actual = wheelHits(sums, w, "undefined");
        assert.ok(agrees(actual.hitRate, wheel.hitrate!), `${space} wheel ${w} hit rate`);
        assert.ok(agrees(actual.guarded, wheel.mscore!), `${space} wheel ${w} guard score`);
        assert.equal(actual.numScored, wheel.scored_samples);
      });
      const [hitRate, guarded] = scoresOf(table, hitStatistic(5, "undefined"));
      assert.ok(agrees(hitRate!, wanted.hitrate) && agrees(guarded!, wanted.mscore), `${space} ${name}`);
      if (!agrees(guarded!, wanted.hitrate)) numControl++;
      items.forEach((item, i) => {
        const single = sumsOf(hitTable(resolver, [item.gt], [predicted[i]!]));
        item[key].forEach(({ hit }, w) => {
          assert.ok(agrees(wheelHits(single, w, "undefined").hitRate, hit), `${item.id} wheel ${w}`);
          numCompared++;
        });
      });
    }
  }
  assert.ok(numCompared >= 3000, `${numCompared} hits`);
  assert.equal(numControl, 6, "control: the guard score is another number");
});

test("golden waf: weighted F and accuracy of the sign", (t) => {
  type Waf = {
    name: string;
    items: { gt: number; pred: string }[];
    fscore?: number;
    accuracy: number;
    scored_samples: number;
    error?: string;
  };
  const found = merGolden<Waf[]>("waf");
  if (found === null) return t.skip(goldenAbsent);
  for (const { name, items, ...wanted } of found.golden) {
    const score = (rules: ScoringRules) =>
      scoresOf(
        sentimentTable(
          items.map(({ gt }) => gt),
          items.map(({ pred }) => officialPolarity(pred)),
          rules,
        ),
        sentimentStatistic,
      );
    const [weightedF, accuracy] = score(publishedRules);
    assert.ok(agrees(weightedF!, wanted.fscore ?? null), `${name}: ${weightedF}`);
    if (wanted.fscore !== undefined) assert.ok(agrees(accuracy!, wanted.accuracy), name);
    const [otherRule] = score({ ...publishedRules, zeroSentiment: "positive" });
    assert.ok(!agrees(otherRule!, wanted.fscore ?? null), `${name}: control: counting zeros must change it`);
  }
});

test("golden waruar: accuracy and mean recall, with the released script's comparison", (t) => {
  type Recall = { name: string; gt: string[]; pred: string[]; war: number; uar: number; accuracy: number };
  const found = merGolden<Recall[]>("waruar");
  if (found === null) return t.skip(goldenAbsent);
  for (const { name, gt, pred, ...wanted } of found.golden) {
    const labels = [...new Set(gt)];
    const score = (answers: readonly string[]) => {
      const named = answers.map((text) => namedClass(text, labels, "raw"));
      const numCounted = confusionOf(gt, named)
        .counts.flat()
        .reduce((sum, count) => sum + count, 0);
      assert.equal(numCounted, gt.length);
      return scoresOf(recallTable(gt, named), recallStatistic);
    };
    const [war, uar] = score(pred);
    assert.ok(agrees(100 * war!, wanted.war) && agrees(100 * uar!, wanted.uar), name);
    const shifted = [...pred.slice(1), pred[0]!];
    assert.ok(!agrees(100 * score(shifted)[0]!, wanted.war), `${name}: control: other answers score differently`);
  }
});

test("golden parse: clean-up of replies", (t) => {
  const found = merGolden<{ llm_reply_cleanup: { input: string; output: string }[] }>("parse");
  if (found === null) return t.skip(goldenAbsent);
  assert.ok(found.golden.llm_reply_cleanup.length >= 14);
  let numChanged = 0;
  for (const { input, output } of found.golden.llm_reply_cleanup) {
    assert.equal(cleanReply(input), output, JSON.stringify(input));
    if (input !== output) numChanged++;
  }
  assert.ok(numChanged > 5, "control: most replies change");
});

test("golden oppo_dev: labels of answers and polarity words", (t) => {
  const found = merGolden<{
    answer_tokens: { input: string; tokens: string[] }[];
    sentiment_parse: { input: string; output: string }[];
    rewards: { completion: string; writer_parse: { valid_format: boolean }; extracted_answer: string }[];
  }>("oppo_dev");
  if (found === null) return t.skip(goldenAbsent);
  const { answer_tokens, sentiment_parse, rewards } = found.golden;
  for (const { input, tokens } of answer_tokens) assert.deepEqual(answerLabels(input), tokens, JSON.stringify(input));
  for (const { input, output } of sentiment_parse) assert.equal(lenientPolarity(input), output, JSON.stringify(input));
  for (const { completion, extracted_answer } of rewards)
    assert.equal(strip(evaluatorAnswer(completion).text), extracted_answer);
  assert.ok(
    sentiment_parse.some(({ input, output }) => officialPolarity(input) !== output),
    "control: official is strict",
  );
});
