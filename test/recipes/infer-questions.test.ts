// What infer is asked about: files as they are, samples with their names, lines and sounds.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { questionsOf } from "../../src/recipes/infer/questions.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

test("samples of a file are questions with their lines and sound files; bad rows are told", async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, "corpus.jsonl");
  const rows = [
    { id: "a", media: "clips/a.mp4", subtitle: "get out" },
    { id: "b", media: "b.mp4", audio: "b.wav" },
    { id: "c", media: "../c.mp4" },
  ];
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const told: string[] = [];
  const log = (line: string) => void told.push(line);
  assert.deepEqual(await questionsOf(["x.mp4", file], false, log), [
    { clips: ["x.mp4"] },
    { id: "a", subtitle: "get out", clips: [join(folder, "clips/a.mp4")] },
    { id: "b", subtitle: "", clips: [join(folder, "b.mp4")], audio: join(folder, "b.wav") },
  ]);
  assert.equal(told.length, 1);
  assert.match(told[0]!, /corpus\.jsonl:3: left out: media: must be a relative path/);
  assert.deepEqual(await questionsOf(["x.mp4", "y.png"], true, log), [{ clips: ["x.mp4", "y.png"] }]);
  await assert.rejects(questionsOf(["x.mp4", file], true, log), /Samples are asked one by one/);
});
