// The questions of an observer, on the theatre and by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { cueQuestions, rightAnswers } from "../../../src/bench/support/cue-question.ts";
import { theatreKind } from "../../../src/corpus/theatre-kind.ts";

test("a theatre's questions are its attributes, and every cue is in one", async () => {
  const bank = await theatreKind.bank(theatreKind.embedder());
  const questions = cueQuestions(bank, "video", theatreKind.attributeOf);
  assert.deepEqual(
    questions.map(({ cues }) => cues.length),
    [3, 3, 4, 3],
  );
  const asked = [...questions, ...cueQuestions(bank, "audio", theatreKind.attributeOf)].flatMap(({ cues }) => cues);
  assert.deepEqual(
    asked.sort((a, b) => a - b),
    [...bank.cues.keys()],
  );
});

test("without attributes every cue is a question of its own", async () => {
  const bank = await theatreKind.bank(theatreKind.embedder());
  assert.deepEqual(cueQuestions(bank, "video").slice(0, 2), [{ cues: [0] }, { cues: [1] }]);
});

test("answers: none, the one that is there, and unknown where two are", () => {
  const questions = [{ cues: [0, 1, 2] }, { cues: [3] }, { cues: [4, 5] }];
  assert.deepEqual([...rightAnswers(questions, [1, 4, 5])], [2, 0, -1]);
  assert.deepEqual([...rightAnswers(questions, [0, 3])], [1, 1, 0]);
});
