// The cache on disk: what is found again, after a kill, a damaged line, another version.
import assert from "node:assert/strict";
import { appendFileSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { contentHash } from "../../src/endpoint/canonical.ts";
import { ReplyCache } from "../../src/endpoint/reply-cache.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const keyOf = (text: string) => contentHash(text);
const first = "replies-000001.jsonl";

function filled(t: TestContext): string {
  const folder = join(temporaryFolder(t), "cache");
  const cache = new ReplyCache(folder);
  for (const text of ["a", "b"]) cache.put(keyOf(text), { text: `${text} \u00e4 "quoted"\n` });
  cache.close();
  return folder;
}

test("what is put is found at once and by the next one; reading alone starts no segment", (t) => {
  const folder = filled(t);
  const cache = new ReplyCache(folder);
  assert.deepEqual([cache.get(keyOf("a")), cache.get(keyOf("x"))], [{ text: 'a \u00e4 "quoted"\n' }, undefined]);
  assert.deepEqual(readdirSync(folder), [first]);
  cache.put(keyOf("a"), 7);
  assert.equal(cache.get(keyOf("a")), 7);
  const other = new ReplyCache(folder);
  other.put(keyOf("c"), "beside");
  assert.deepEqual(readdirSync(folder), [first, "replies-000002.jsonl", "replies-000003.jsonl"]);
  assert.equal(statSync(join(folder, first)).mode & 0o077, 0);
  for (const one of [cache, other]) one.close();
  const later = new ReplyCache(folder);
  assert.deepEqual([later.get(keyOf("a")), later.get(keyOf("c")), later.size], [7, "beside", 3]);
});

test("lines of any length are found, whatever their place in the pieces that are read", (t) => {
  const folder = temporaryFolder(t);
  const cache = new ReplyCache(folder);
  const texts = Array.from({ length: 60 }, (_, i) => String(i).repeat(1 + ((i * 7919) % 40_000)));
  for (const text of texts) cache.put(keyOf(text), text);
  cache.close();
  const later = new ReplyCache(folder);
  assert.deepEqual([later.size, later.numDamaged], [60, 0]);
  for (const text of texts) assert.equal(later.get(keyOf(text)), text);
});

test("a last line that was cut off is gone, the others are there", (t) => {
  const folder = filled(t);
  const whole = readFileSync(join(folder, first));
  const starts = [0, whole.indexOf("\n") + 1, whole.lastIndexOf("\n", whole.length - 2) + 1];
  for (let length = whole.length - 1; length >= 0; length -= 7) {
    writeFileSync(join(folder, first), whole.subarray(0, length));
    const cache = new ReplyCache(folder);
    const numWhole = whole.subarray(0, length).filter((byte) => byte === 10).length;
    assert.deepEqual([cache.size, cache.numDamaged], [Math.max(0, numWhole - 1), 0], `cut at ${length} of ${starts}`);
  }
});

test("damaged lines are counted and asked again", (t) => {
  const folder = filled(t);
  const path = join(folder, first);
  writeFileSync(path, readFileSync(path, "utf8").replace('"text":"b', '"text":b'));
  appendFileSync(path, `not a line\n{"key":"${keyOf("d")}","value":1\n`);
  const cache = new ReplyCache(folder);
  assert.equal(cache.numDamaged, 2);
  assert.deepEqual([cache.get(keyOf("b")), cache.numDamaged], [undefined, 3]);
  assert.notEqual(cache.get(keyOf("a")), undefined);
});

test("another version and another file are named and refused, and left as they are", (t) => {
  for (const [line, message] of [
    ['{"format":"oppo endpoint cache","version":2}', /version 1, got version 2\. Choose another folder/],
    ['{"id":"sample"}', /version 1, got another file/],
  ] as const) {
    const folder = filled(t);
    const path = join(folder, "replies-000007.jsonl");
    writeFileSync(path, `${line}\n`);
    assert.throws(() => new ReplyCache(folder), { code: "ERR_ENDPOINT_CACHE", message });
    assert.equal(readFileSync(path, "utf8"), `${line}\n`);
  }
});

test("the key of a question is its content: the order of fields and fields left out make no difference", () => {
  assert.equal(contentHash({ a: 1, b: { c: 2, d: undefined } }), contentHash({ b: { c: 2 }, a: 1 }));
  assert.notEqual(contentHash({ a: [1, 2] }), contentHash({ a: [2, 1] }));
  assert.match(contentHash(null), /^[0-9a-f]{64}$/);
});
