// `oppo score questions` from files to the report.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { readQuestions } from "../../../src/data/scoring/question-file.ts";
import { scoreQuestions } from "../../../src/recipes/score/questions/questions.ts";
import { questionsText } from "../../../src/recipes/score/questions/text.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

type Row = Readonly<Record<string, unknown>>;
const lines = (rows: readonly Row[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join("");
const choices = ["he smiles", "he frowns"];
const questions: readonly Row[] = [
  { id: "1", media: "x.mp4", answer: "yes", pair: "p", task: "perception" },
  { id: "2", media: "x.mp4", answer: "No", pair: "p", task: "perception" },
  { id: 3, media: "y.mp4", answer: "(b)", choices, task: "reasoning" },
  { id: "4", media: "z.mp4", answer: "he smiles", choices, task: "reasoning" },
];
const good = [
  { id: "1", text: "Yes" },
  { id: "2", text: "no" },
  { id: "3", text: "B" },
  { id: "4", text: "he smiles" },
];

function files(t: TestContext, given: readonly Row[], ...answers: readonly (readonly Row[])[]) {
  const folder = temporaryFolder(t);
  const write = (name: string, rows: readonly Row[]) => {
    writeFileSync(join(folder, name), lines(rows));
    return join(folder, name);
  };
  return {
    questions: write("questions.jsonl", given),
    systems: answers.map((rows, i) => ({ name: `s${i}`, path: write(`s${i}.jsonl`, rows) })),
    missing: "refuse" as const,
    columns: {},
    bootstrap: { seed: 1, numResamples: 200, confidence: 0.95 },
  };
}

test("two systems: per task, over all, and their difference", (t) => {
  const poor = good.map(({ id }) => ({ id, text: "yes" }));
  const report = scoreQuestions(files(t, questions, good, [...poor, { id: "9", text: "yes" }]));
  const [first, second] = report.systems;
  assert.deepEqual(
    first!.tasks.map(({ name, numQuestions, metrics }) => [name, numQuestions, metrics.accuracy!.value]),
    [
      ["perception", 2, 1],
      ["reasoning", 2, 1],
    ],
  );
  assert.equal(second!.all.metrics.accuracy!.value, 0.25);
  assert.equal(second!.all.metrics.pairRight!.value, 0);
  assert.equal(second!.all.metrics.unreadable!.value, 0.5);
  assert.equal(report.comparisons[0]!.differences.accuracy!.value, 0.75);
  const text = questionsText(report);
  assert.match(text, /s0 +perception +100\.0 \[/);
  assert.match(text, /s0 - s1, accuracy: 75\.0 \[/);
  assert.match(text, /s1: 1 answers to questions that the file does not have/);
});

test("choices may stand in a CSV cell, and a task that no row names has one name", (t) => {
  const file = join(temporaryFolder(t), "q.csv");
  writeFileSync(file, 'id,answer,choices\n1,B,"[""he smiles"", ""he frowns""]"\n2,no,\n');
  const [first, second] = readQuestions(file);
  assert.deepEqual([first!.answer, first!.choices, first!.task], [1, choices, "questions"]);
  assert.deepEqual([second!.answer, second!.choices, second!.media], [1, null, null]);
});

test("a missing answer is refused, or wrong and said", (t) => {
  const request = files(t, questions, good.slice(1));
  assert.throws(() => scoreQuestions(request), { code: "ERR_SCORE_MISSING" });
  const report = scoreQuestions({ ...request, missing: "empty" });
  assert.equal(report.systems[0]!.all.metrics.accuracy!.value, 0.75);
  assert.match(report.notes[0]!, /1 questions without an answer/);
});

test("questions that cannot be scored are refused with their line", (t) => {
  const bad: readonly (readonly [Row, string])[] = [
    [{ answer: "yes" }, "ERR_SCORE_FILE"],
    [{ id: "5", answer: "maybe" }, "ERR_SCORE_FILE"],
    [{ id: "5", answer: "C", choices }, "ERR_SCORE_FILE"],
    [{ id: "5", answer: "A", choices: ["one"] }, "ERR_SCORE_FILE"],
    [{ id: "5", answer: "A", choices: ["one", "one"] }, "ERR_SCORE_FILE"],
    [{ id: "5", answer: "A", choices: "one" }, "ERR_SCORE_FILE"],
    [{ id: "5", answer: "yes", media: ["a"] }, "ERR_SCORE_FILE"],
    [{ id: "1", answer: "yes" }, "ERR_SCORE_NAMES"],
    [{ id: "5", answer: "yes", pair: "lone" }, "ERR_SCORE_FILE"],
    [{ id: "5", answer: "yes", pair: "p" }, "ERR_SCORE_FILE"],
  ];
  for (const [row, code] of bad) {
    assert.throws(() => scoreQuestions(files(t, [...questions, row], good)), { code }, JSON.stringify(row));
  }
});
