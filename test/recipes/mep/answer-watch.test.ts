// Answers that nobody can read end a run: fifty in a row, or more than half of the first hundred.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Query } from "../../../src/bench/respondent.ts";
import { AnswerWatch, defaultMostInRow } from "../../../src/recipes/mep/answer-watch.ts";

const reasoningPrompt = "why?";
const query = (prompt: string) => ({ prompt }) as Query;
const good = "<think>a frown.</think><answer>no</answer>";

function askedUntilStopped(answers: Iterable<string>, prompt = "a frown?", style: "tagged" | "free" = "tagged") {
  const watch = new AnswerWatch({ style, reasoningPrompt, mostInRow: defaultMostInRow });
  let numSeen = 0;
  try {
    for (const text of answers) {
      numSeen++;
      watch.look(query(prompt), text);
    }
  } catch (error) {
    return { numSeen, error: error as Error & { code: string } };
  }
  return { numSeen, error: null };
}

const repeated = (count: number, text: (i: number) => string) => Array.from({ length: count }, (_, i) => text(i));

test("fifty in a row", () => {
  const { numSeen, error } = askedUntilStopped(repeated(200, (i) => `As I see it ${i}`));
  assert.equal(numSeen, 50);
  assert.equal(error?.code, "ERR_MEP_UNREADABLE");
  assert.match(
    error!.message,
    /got 50 of 50 answers that are none \(50 other\), such as "As I see it 0", "As I see it 1"/,
  );
  assert.match(error!.message, /--answer-style free .*--max-unreadable 0 .*kept/);
  // Late ones stop it too, and one readable answer begins the count anew.
  assert.equal(askedUntilStopped([...repeated(300, () => good), ...repeated(99, () => "")]).numSeen, 350);
  assert.equal(askedUntilStopped(repeated(400, (i) => (i % 50 === 10 ? good : i < 101 ? good : "x"))).error, null);
});

test("more than half of the first hundred", () => {
  const share = (bad: number) => askedUntilStopped(repeated(300, (i) => ((i * 37) % 100 < bad ? "maybe" : good)));
  assert.deepEqual([share(51).numSeen, share(51).error?.code], [100, "ERR_MEP_UNREADABLE"]);
  assert.equal(share(50).error, null);
});

test("reasonings are watched by themselves, and free answers need no tags", () => {
  const refusals = repeated(60, () => "I'm sorry, I can't help with that.");
  assert.match(askedUntilStopped(refusals, reasoningPrompt).error!.message, /expected a reasoning .*50 refusal/);
  assert.equal(
    askedUntilStopped(
      repeated(60, () => "no"),
      "a frown?",
      "free",
    ).error,
    null,
  );
  assert.equal(askedUntilStopped(repeated(60, () => "no")).error?.code, "ERR_MEP_UNREADABLE", "tagged: control");
  const watch = new AnswerWatch({ style: "tagged", reasoningPrompt, mostInRow: defaultMostInRow });
  for (let i = 0; i < 49; i++) {
    watch.look(query("a frown?"), "");
    watch.look(query(reasoningPrompt), "a frown");
  }
  assert.throws(() => watch.look(query("a frown?"), ""), { code: "ERR_MEP_UNREADABLE" });
});

test("where nothing is to end the run, nothing does", () => {
  const watch = new AnswerWatch({ style: "tagged", reasoningPrompt, mostInRow: 0 });
  for (let i = 0; i < 500; i++) watch.look(query("a frown?"), "");
});
