// The list of data sets: every entry can be found, says where it comes from, and keeps its hands inside the root.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { findFile, mediaFinder, nameProblem, openFolder } from "../../../src/data/folder.ts";
import { mediaPath } from "../../../src/data/jsonl.ts";
import { datasetNamed, datasets } from "../../../src/data/readers/datasets.ts";
import { datasetFolder, readAll } from "../../support/dataset-folder.ts";
import { mySet } from "../../support/my-set.ts";
import { repositoryRoot } from "../../support/repository.ts";

const readers = datasets;
const atLeast = 17;

test("every data set has its own name, splits that exist, and says what to download", () => {
  assert.ok(readers.length >= atLeast);
  assert.equal(new Set(readers.flatMap(({ name, title }) => [name, title])).size, 2 * readers.length);
  for (const reader of readers) {
    assert.match(reader.name, /^[a-z0-9-]+$/);
    assert.ok(reader.splits.length > 0 && reader.source.layout.length > 1 && reader.source.access.length > 20);
    const names = reader.splits.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    assert.ok(reader.scoredSplit === null || names.includes(reader.scoredSplit), reader.name);
    assert.equal(reader.kind === "discrete", reader.labels.length > 0, reader.name);
  }
});

test("names are found whatever their case and hyphens; another name is refused with the list", () => {
  for (const reader of readers) {
    for (const text of [reader.name, reader.title, reader.title.toUpperCase(), reader.name.replaceAll("-", "_")]) {
      assert.equal(datasetNamed(text), reader);
    }
  }
  assert.throws(() => datasetNamed("mer2022"), {
    code: "ERR_DATASET_UNKNOWN",
    message: /got "mer2022"\. Did you mean mer2023 or mer2024\? Choose one of .*mer2023, mer2024/,
  });
});

// The page has the text of a file that is compiled.
test("the reader that docs/datasets.md shows is a whole one", async (t) => {
  const page = readFileSync(join(repositoryRoot, "docs/datasets.md"), "utf8");
  const shown = page.match(/```ts\n\/\/ src\/data\/my-set\.ts\n(.*?)```/s)![1]!;
  const file = readFileSync(join(repositoryRoot, "test/support/my-set.ts"), "utf8");
  assert.equal(shown, file.replaceAll('"../../src/data/', '"./'));
  const root = datasetFolder(t, {
    "my-set/words.csv": "name,word\na,calm\nb,furious\n../c,tense\n",
    "my-set/clips/a.mp4": "",
  });
  const { samples, annotations, problems } = await readAll(mySet, root, "test");
  assert.deepEqual(annotations, [["a", "calm"]]);
  assert.equal(samples[0]!.media, "my-set/clips/a.mp4");
  assert.deepEqual(problems, [
    ["unknown-label", 3],
    ["unsafe-name", 4],
  ]);
});

test("in an empty folder every split of every set is absent", async (t) => {
  const root = datasetFolder(t, { "unrelated.txt": "" });
  for (const reader of readers) {
    for (const split of reader.splits) {
      await assert.rejects(readAll(reader, root, split.name), { code: "ERR_DATASET_ABSENT" }, reader.name);
    }
  }
});

test("a name that is no plain file name is told apart", () => {
  for (const name of ["sample_00000001", "test_dia0_utt1", "cD-4_1", "a b", "\u6837\u672c", "...", "00001"]) {
    assert.equal(nameProblem(name), null, name);
  }
  for (const name of ["", ".", "..", "../a", "a/b", "a\\b", "a\0b", "a\nb", "\ufffd", "x".repeat(201)]) {
    assert.notEqual(nameProblem(name), null, JSON.stringify(name));
  }
});

test("media are found by folder and extension, and never outside the root", (t) => {
  const root = datasetFolder(t, {
    "set/clips/a.mp4": "",
    "set/clips/b.AVI": "",
    "set/more/p1/c.mp4": "",
    "set/more/a.mp4": "",
  });
  const folder = openFolder(root, ["other", "set"]);
  const find = mediaFinder(folder, ["clips", "more", "more/*"], [".mp4", ".avi"]);
  assert.deepEqual(["a", "b", "c", "d"].map(find), [
    "set/clips/a.mp4",
    "set/clips/b.AVI",
    "set/more/p1/c.mp4",
    "set/clips/d.mp4",
  ]);
  assert.equal(mediaPath(root, { id: "a", media: find("a") }), join(root, "set/clips/a.mp4"));
  assert.throws(() => mediaPath(root, { id: "x", media: find("../../../x") }), { code: "ERR_DATASET_MEDIA_OUTSIDE" });
  // A folder is no label file.
  assert.throws(() => findFile(folder, ["clips"]), { code: "ERR_DATASET_ABSENT" });
});
