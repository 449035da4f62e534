// The question that a model was trained with: kept beside it, checked when it is read, and put as it says.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { theatreKind } from "../../src/corpus/theatre-kind.ts";
import {
  plainWording,
  readWording,
  saveWording,
  userTurn,
  type Wording,
  wordingFile,
  wordingNote,
  wordingOf,
} from "../../src/corpus/wording.ts";

const folder = mkdtempSync(join(tmpdir(), "oppo-wording-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const own: Wording = { question: "Why?", system: "Be brief.", spoken: "Said: {subtitle} | {question}" };

test("a wording is read back as it was saved, an adapter's before its model's", () => {
  const [model, adapter] = [join(folder, "model"), join(folder, "adapter")];
  for (const directory of [model, adapter]) mkdirSync(directory);
  assert.deepEqual(wordingOf([adapter, model]), { wording: plainWording, file: null });
  writeFileSync(join(model, "chat_template.jinja"), theatreKind.chatTemplate);
  assert.equal(wordingOf([adapter, model]).wording.question, theatreKind.question);
  saveWording(model, own);
  assert.deepEqual(wordingOf([adapter, model]), { wording: own, file: join(model, wordingFile) });
  const other = { ...own, question: "How?", spoken: null };
  saveWording(adapter, other);
  assert.deepEqual(wordingOf([adapter, model]).wording, other);
});

test("a file that is no wording is refused by name", () => {
  const write = (content: unknown) =>
    writeFileSync(join(folder, wordingFile), typeof content === "string" ? content : JSON.stringify(content));
  const whole = { version: 1, ...own };
  write(whole);
  assert.deepEqual(readWording(folder), own);
  const bad: [unknown, RegExp][] = [
    ["not json", /expected JSON/],
    [{ ...whole, version: 2 }, /version/],
    [{ ...whole, question: "" }, /question/],
    [{ ...whole, question: "x".repeat(30_000) }, /question/],
    [{ ...whole, spoken: "{question}" }, /spoken: expected \{subtitle\} and \{question\}, once each/],
    [{ ...whole, more: 1 }, /more/],
  ];
  for (const [content, message] of bad) {
    write(content);
    assert.throws(
      () => readWording(folder),
      (error: Error & { code: string }) => error.code === "ERR_PROMPT_FILE" && message.test(error.message),
    );
  }
});

test("a line is put where the wording says, whatever it holds", () => {
  assert.equal(userTurn(own, "get out", "why?"), "Said: get out | why?");
  assert.equal(userTurn(own, "", "why?"), "why?");
  assert.equal(userTurn({ spoken: null }, "get out", "why?"), "why?");
  assert.equal(userTurn(own, "{question} $& $1", "why?"), "Said: {question} $& $1 | why?");
  assert.equal(userTurn(plainWording, "hello", "why?"), 'The person says: "hello". why?');
  for (const line of ["", "stop lying to me"]) {
    assert.equal(userTurn(theatreKind, line, "why?"), theatreKind.userTurn(line, "why?"));
  }
});

test("the log says which question is asked, and whether it is another one than was learnt", () => {
  const known = { wording: own, file: "m/oppo_prompt.json" };
  assert.equal(wordingNote(known, null), "question: Why? (m/oppo_prompt.json: what it was trained with)");
  assert.equal(wordingNote(known, "How?"), 'question: How? (--question; the model was trained with "Why?")');
  assert.equal(wordingNote(known, "Why?"), "question: Why? (--question)");
  assert.equal(wordingNote({ ...known, file: null }, null), "question: Why?");
});
