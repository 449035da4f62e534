// Rows that two sets share are found by id, by file and by bytes.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type ContentRow, refuseOverlap, sharedContent } from "../../src/corpus/overlap.ts";

const folder = mkdtempSync(join(tmpdir(), "oppo-overlap-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

const row = (name: string, id: string | null, ...media: string[]): ContentRow => ({ id, name, media });

const a = file("a.mp4", "aaaa");
const b = file("b.mp4", "bbbb");
const copyOfA = file("copy.mp4", "aaaa");
const other = file("other.mp4", "cccc");
symlinkSync(b, join(folder, "link.mp4"));
const learnt = [row("first", "1", a), row("second", "2", b)];

test("the same id, the same file by any path, and the same bytes are found; equal sizes alone are nothing", async () => {
  const measured = [
    row("id", "1", other),
    row("file", "x", join(folder, "link.mp4")),
    row("bytes", "y", other, copyOfA),
    row("free", null, other),
    row("gone", "z", join(folder, "nowhere.mp4")),
  ];
  const shared = await sharedContent(learnt, measured);
  assert.deepEqual(
    shared.map(({ first, second, what }) => [second.name, first.name, what]),
    [
      ["id", "first", "the same id"],
      ["file", "second", "the same file"],
      ["bytes", "first", "the same bytes"],
    ],
  );
});

test("an overlap is refused with the rows, and none is not", async () => {
  const train = { file: "train.jsonl", rows: learnt };
  await refuseOverlap(train, { file: "dev.jsonl", rows: [row("free", "9", other)] });
  await assert.rejects(
    refuseOverlap(train, { file: "dev.jsonl", rows: [row("free", "9", other), row("third", "3", copyOfA)] }),
    (error: Error & { code: string }) => {
      assert.equal(error.code, "ERR_OVERLAP");
      assert.match(
        error.message,
        /^dev\.jsonl: expected rows that train\.jsonl does not have, got 1 of 2: third is first: the same bytes\./,
      );
      return true;
    },
  );
});
