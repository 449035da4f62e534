// Texts from arguments and files, refused where they are none; vectors in both file forms; the printed matrix.
import assert from "node:assert/strict";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { matrixText, plainText, two, vectorsText } from "../../../src/recipes/embed/embed-text.ts";
import {
  compareTexts,
  type EmbeddedTexts,
  embedTexts,
  maxCompared,
  requireVectorFile,
  writeVectors,
} from "../../../src/recipes/embed/embed-texts.ts";
import { gatherTexts } from "../../../src/recipes/embed/texts.ts";
import { openSafetensors, scope } from "../../../src/tensor/index.ts";
import { quietRun } from "../../support/quiet-run.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { wordEmbedder } from "../../support/word-embedder.ts";

const embedder = wordEmbedder(["loud", "voice", "smile"]);

describe("texts", () => {
  test("arguments, then lines or a JSON array", (t) => {
    const folder = temporaryFolder(t);
    const lines = join(folder, "a.txt");
    writeFileSync(lines, "\ufeffone\r\n\n  \ntwo words\nthree");
    assert.deepEqual(gatherTexts(["zero"], lines), ["zero", "one", "two words", "three"]);
    const array = join(folder, "a.json");
    writeFileSync(array, '["one\\ntwo", "three"]');
    assert.deepEqual(gatherTexts([], array), ["one\ntwo", "three"]);
  });

  test("what is no list of texts is refused", (t) => {
    const folder = temporaryFolder(t);
    const cases: readonly (readonly [name: string, content: string | Uint8Array, text: RegExp])[] = [
      ["empty.txt", "\n\n", /expected at least one text/],
      ["bytes.txt", Uint8Array.of(0x61, 0xff), /expected UTF-8 text/],
      ["half.json", '["a"', /expected a JSON array of strings, got .*JSON/],
      ["object.json", '{"a": 1}', /got object/],
      ["numbers.json", '["a", 1]', /got other items/],
      ["blank.json", '["a", " "]', /text 2: .* got a blank one/],
      ["long.txt", "x".repeat(1_000_001), /text 1: .* got one of 1000001 characters/],
    ];
    for (const [name, content, text] of cases) {
      writeFileSync(join(folder, name), content);
      assert.throws(() => gatherTexts([], join(folder, name)), { code: "ERR_TEXTS", message: text }, name);
    }
    const huge = join(folder, "huge.txt");
    writeFileSync(huge, "");
    truncateSync(huge, 300 * 2 ** 20);
    assert.throws(() => gatherTexts([], huge), { code: "ERR_TEXTS", message: /at most 268435456 bytes/ });
    assert.throws(() => gatherTexts([""], null), { code: "ERR_TEXTS" });
    assert.throws(() => gatherTexts([], join(folder, "nowhere")), { code: "ENOENT" });
  });
});

describe("vectors", () => {
  test("in any number of turns they are the same, and both files hold them", async (t) => {
    const texts = Array.from({ length: 1100 }, (_, i) =>
      i % 3 === 0 ? "a loud voice" : i % 3 === 1 ? "smile" : "loud",
    );
    const embedded = await embedTexts({ embedder, textsPerTurn: 512 }, texts, { asQueries: false, ...quietRun() });
    assert.deepEqual(embedded.vectors, embedder.embed(texts));
    const folder = temporaryFolder(t);
    const npy = join(folder, "x.npy");
    await writeVectors(npy, embedded);
    assert.ok(readFileSync(npy).subarray(-embedded.vectors.byteLength).equals(Buffer.from(embedded.vectors.buffer)));
    const file = join(folder, "x.safetensors");
    await writeVectors(file, embedded);
    scope(() => {
      using stored = openSafetensors(file);
      assert.deepEqual(stored.metadata, { embedder: "words" });
      assert.deepEqual(stored.entries.get("embeddings")?.shape, [1100, 3]);
      assert.deepEqual(stored.tensor("embeddings").toFloat32Array(), embedded.vectors);
    });
    assert.throws(() => requireVectorFile("x.txt"), { code: "ERR_TEXTS", message: /\.npy or \.safetensors/ });
    requireVectorFile(npy);
  });

  test("queries are asked for in their role", async () => {
    const roles: unknown[] = [];
    const noting = {
      ...embedder,
      embed: (texts: readonly string[], role?: string) => {
        roles.push(role);
        return embedder.embed(texts);
      },
    };
    for (const asQueries of [true, false])
      await embedTexts({ embedder: noting, textsPerTurn: 1 }, ["smile"], { asQueries, ...quietRun() });
    assert.deepEqual(roles, ["clause", "cue"]);
  });

  const small: EmbeddedTexts = {
    embedder: "words",
    dimension: 3,
    texts: ["a loud voice", "loud", "smile\u001b[31m"],
    vectors: embedder.embed(["a loud voice", "loud", "smile"]) as Float32Array,
  };

  test("the matrix by hand", () => {
    const cosines = compareTexts(small);
    const half = Math.SQRT1_2;
    const want = [1, half, 0, half, 1, 0, 0, 0, 1];
    for (const [i, cosine] of cosines.flat().entries()) assert.ok(Math.abs(cosine - want[i]!) < 1e-6, String(i));
    assert.equal(
      matrixText(small, cosines),
      [
        "          1     2     3",
        "    1  1.00  0.71  0.00  a loud voice",
        "    2  0.71  1.00  0.00  loud",
        "    3  0.00  0.00  1.00  smile [31m",
      ].join("\n"),
    );
    assert.match(vectorsText(small), /^3 x 3, words\n\[ 0\.7071, {2}0\.7071, {2}0\.0000\] {2}a loud voice\n/);
    assert.equal(two(-0.001), "0.00");
    assert.equal(plainText(`x${"y".repeat(100)}`).length, 70);
    const many = { ...small, texts: Array.from({ length: maxCompared + 1 }, () => "a") };
    assert.throws(() => compareTexts(many), { code: "ERR_TEXTS", message: /at most 2000 texts, got 2001/ });
  });
});
