// Reading and writing samples: bad rows are counted with their line, media stay inside the folder, writing is atomic.
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { DatasetError, loadSamples, mediaPath, readSamples, writeSamples } from "../../src/data/jsonl.ts";
import { parseFieldMap } from "../../src/data/row-fields.ts";
import type { Sample } from "../../src/data/sample.ts";

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "oppo-jsonl-"));
});
after(() => rm(folder, { recursive: true, force: true }));

const sample: Sample = {
  id: "train-00001",
  media: "clips/train-00001.mp4",
  subtitle: "stop lying to me",
  labels: ["angry"],
  reasoning: "the video shows a furrowed brow.",
  cues: [{ kind: "video", text: "a furrowed brow" }],
  meta: { seed: 3 },
};

test("what is written is read back, and no partial file is left", async () => {
  const file = join(folder, "rows.jsonl");
  const second = { ...sample, id: "train-00002", audio: "sound/train-00002.wav", meta: { seed: 4 } };
  await writeSamples(file, [sample, second]);
  const { samples, skipped } = await loadSamples(file);
  assert.deepEqual(samples, [sample, second]);
  assert.deepEqual(skipped, []);
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.includes("partial")),
    [],
  );
});

test("bad rows are skipped with line number and reason", async () => {
  const file = join(folder, "bad.jsonl");
  const rows = [
    JSON.stringify(sample),
    "{oops",
    "",
    JSON.stringify({ ...sample, id: "b", media: "../secret.mp4" }),
    JSON.stringify({ ...sample, id: "c", cues: [{ kind: "smell", text: "x" }] }),
    JSON.stringify(sample),
    JSON.stringify({ id: "d", media: "d.mp4" }),
    JSON.stringify({ id: "e", media: "e.mp4", audio: "/etc/passwd" }),
  ];
  await writeFile(file, rows.join("\n"));
  const { samples, skipped } = await loadSamples(file);
  assert.deepEqual(
    samples.map(({ id }) => id),
    ["train-00001", "d"],
  );
  assert.deepEqual(samples[1], { id: "d", media: "d.mp4", subtitle: "", labels: [], reasoning: "", cues: [] });
  assert.deepEqual(
    skipped.map(({ line }) => line),
    [2, 4, 5, 6, 8],
  );
  assert.match(skipped[0]!.reason, /not JSON/);
  assert.match(skipped[1]!.reason, /^media: must be a relative path/);
  assert.match(skipped[2]!.reason, /^cues.0.kind: /);
  assert.equal(skipped[3]!.reason, 'repeated id "train-00001"');
});

test("too many bad rows end the reading with file and line", async () => {
  const file = join(folder, "worse.jsonl");
  await writeFile(file, `${JSON.stringify(sample)}\n{\n{\n{\n`);
  await assert.rejects(loadSamples(file, { maxSkippedRows: 2 }), (error) => {
    assert.ok(error instanceof DatasetError);
    assert.equal(error.code, "ERR_DATASET_TOO_MANY_BAD_ROWS");
    assert.equal(error.line, 4);
    assert.match(error.message, /worse\.jsonl:4: expected at most 2 bad rows, got 3/);
    return true;
  });
  assert.equal((await loadSamples(file, { maxSkippedRows: 3 })).skipped.length, 3);
});

const keysOfOthers = [
  { name: "a", video_path: "a.mp4", openset: "[happy, 'sad']", reason: "She smiles.", transcript: null },
  { video_id: 7, videos: ["b.mp4"], emotion: "angry" },
];

test("the usual names of other files are known, also lists of one, numbers and label strings", async () => {
  const file = join(folder, "others.jsonl");
  await writeFile(file, keysOfOthers.map((row) => JSON.stringify(row)).join("\n"));
  const { samples, skipped } = await loadSamples(file);
  assert.deepEqual(skipped, []);
  const empty = { subtitle: "", reasoning: "", cues: [] };
  assert.deepEqual(samples, [
    { ...empty, id: "a", media: "a.mp4", labels: ["happy", "sad"], reasoning: "She smiles." },
    { ...empty, id: "7", media: "b.mp4", labels: ["angry"] },
  ]);
});

test("any other key is named in a field map; a key of ours goes before its other names", async () => {
  const file = join(folder, "mapped.jsonl");
  const row = { utt: "u1", clip: "c.mp4", id: "other", media: "m.mp4", name: "n" };
  await writeFile(file, JSON.stringify(row));
  const first = async (fields: string) => (await loadSamples(file, { fields: parseFieldMap(fields) })).samples[0]!;
  assert.deepEqual([(await first("")).id, (await first("")).media], ["other", "m.mp4"]);
  const mapped = await first(" id=utt, media = clip");
  assert.deepEqual([mapped.id, mapped.media], ["u1", "c.mp4"]);
  const { skipped } = await loadSamples(file, { fields: { id: "nobody" } });
  assert.equal(skipped[0]!.reason, 'expected "nobody" for id, got the keys utt, clip, id, media, name');
  for (const bad of ["id", "id=", "=x", "colour=x"]) {
    assert.throws(() => parseFieldMap(bad), { code: "ERR_FIELDS", message: /one of id, media, / }, bad);
  }
});

test("rows that are all wrong alike are told once, with the keys that were found and wanted", async () => {
  const file = join(folder, "alike.jsonl");
  const rows = Array.from({ length: 20 }, (_, i) => JSON.stringify({ utterance_no: i, clip: `${i}.mp4` }));
  await writeFile(file, rows.join("\n"));
  await assert.rejects(loadSamples(file), (error: Error) => {
    assert.match(
      error.message,
      /alike\.jsonl:11: all 11 rows so far are wrong in one way: expected "id" \(or name, .*\) and "media" \(or video, /,
    );
    assert.match(
      error.message,
      /got the keys utterance_no, clip\. Say which key holds what: --fields id=KEY,media=KEY/,
    );
    return true;
  });
  await writeFile(file, [JSON.stringify(sample), ...rows].join("\n"));
  await assert.rejects(loadSamples(file), { message: /expected at most 10 bad rows, got 11; the last one: / });
});

test("what is no object is said to be none, a text without end is told by its length", async () => {
  const file = join(folder, "odd.jsonl");
  await writeFile(file, `${"x".repeat(3_000_000)}\n${JSON.stringify(sample)}\n[1]\nnull\n`);
  const { samples, skipped } = await loadSamples(file);
  assert.deepEqual(
    skipped.map(({ line, reason }) => `${line}: ${reason}`),
    ["1: line of 3000000 characters", "3: expected an object, got a list", "4: expected an object, got null"],
  );
  assert.equal(samples.length, 1);
});

test("a missing file is one clear error", async () => {
  await assert.rejects(loadSamples(join(folder, "none.jsonl")), (error) => {
    assert.ok(error instanceof DatasetError);
    assert.equal(error.code, "ERR_DATASET_UNREADABLE");
    assert.match(error.message, /none\.jsonl: expected a readable JSONL file, got "ENOENT/);
    return true;
  });
});

test("reading can stop early", async () => {
  const file = join(folder, "long.jsonl");
  await writeSamples(
    file,
    Array.from({ length: 50 }, (_, i) => ({ ...sample, id: `s${i}` })),
  );
  for await (const row of readSamples(file)) {
    assert.equal(row.id, "s0");
    break;
  }
});

test("media paths never leave the folder", () => {
  assert.equal(mediaPath("/data", { id: "a", media: "clips/a.mp4" }), "/data/clips/a.mp4");
  for (const media of ["../a.mp4", "/etc/passwd", "clips/../../a.mp4", "a\\..\\b", ".", "a\0b"]) {
    assert.throws(() => mediaPath("/data", { id: "a", media }), { code: "ERR_DATASET_MEDIA_OUTSIDE" });
  }
});

test("a failed write keeps the old file", async () => {
  const file = join(folder, "kept.jsonl");
  await writeSamples(file, [sample]);
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  await assert.rejects(writeSamples(file, [{ ...sample, meta: cyclic }]), TypeError);
  assert.equal(JSON.parse(await readFile(file, "utf8")).id, sample.id);
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.includes("partial")),
    [],
  );
});

test("rows end at line feeds only: separators inside a text stay, bytes that are no UTF-8 are a bad row", async () => {
  const file = join(folder, "separators.jsonl");
  const subtitle = "Well,\u2028hello.\u2029Bye\u0085now";
  const rows = ["a", "b", "c"].map((id) => JSON.stringify({ ...sample, id, subtitle }));
  assert.ok(rows[0]!.includes("\u2028"), "JSON.stringify leaves it as it is");
  const bad = Buffer.from(JSON.stringify({ ...sample, id: "d", subtitle: "caf\u00e9" }), "latin1");
  const text = Buffer.from(`\uFEFF${rows[0]}\r\n\n${rows[1]}\n`);
  await writeFile(file, Buffer.concat([text, bad, Buffer.from(`\n${rows[2]}`)]));
  const { samples, skipped } = await loadSamples(file);
  assert.deepEqual(
    samples.map(({ id, subtitle: said }) => [id, said]),
    ["a", "b", "c"].map((id) => [id, subtitle]),
  );
  assert.deepEqual(
    skipped.map(({ line, reason }) => [line, reason]),
    [[4, "not UTF-8"]],
  );
  // Longer than what is read at once.
  const long = JSON.stringify({ ...sample, reasoning: "\u2028\u00e9".repeat(100_000) });
  await writeFile(file, `${long}\n${rows[0]}\n`);
  assert.equal((await loadSamples(file)).samples[0]!.reasoning.length, 200_000);
});
