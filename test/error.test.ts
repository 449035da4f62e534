// docs/errors.md lists every error code of the sources, once, with when it comes and what to do about it.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { OppoError } from "../src/error.ts";
import { repositoryRoot } from "./support/repository.ts";

const fewestCodesExpected = 50;

/** Code -> its other cells. */
function documented(text: string): [code: string, when: string, advice: string][] {
  return [...text.matchAll(/^\| `(ERR_\w+)` \|(.*)\|(.*)\|$/gm)].map((row) => [
    row[1]!,
    row[2]!.trim(),
    row[3]!.trim(),
  ]);
}

/** What a source throws; what it compares with may be Node's. */
function codesOf(source: string): string[] {
  return [...source.matchAll(/(?<!=== )"(ERR_\w+)"/g)].map((match) => match[1]!);
}

const sources = readdirSync(join(repositoryRoot, "src"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => readFileSync(join(repositoryRoot, "src", name), "utf8"));
const rows = documented(readFileSync(join(repositoryRoot, "docs/errors.md"), "utf8"));

test("every code of the sources has its row, and no other code has one", () => {
  const thrown = [...new Set(sources.flatMap(codesOf))].sort();
  assert.ok(thrown.length > fewestCodesExpected, `only ${thrown.length} codes were found`);
  const listed = rows.map(([code]) => code);
  const without = (codes: readonly string[], others: readonly string[]) =>
    codes.filter((code) => !others.includes(code));
  assert.deepEqual(without(thrown, listed), [], "codes that docs/errors.md lacks");
  assert.deepEqual(without(listed, thrown), [], "codes that only docs/errors.md has");
  assert.equal(new Set(listed).size, listed.length, "a code has two rows");
  for (const [code, when, advice] of rows) assert.ok(when !== "" && advice !== "", `${code} has an empty cell`);
});

test("a code in another style is a type error, and what is no row is not taken for one", () => {
  // @ts-expect-error: codes are ERR_ and upper-case words
  assert.equal(new OppoError("media-empty", "m").code, "media-empty");
  assert.deepEqual(documented("| code | when | what to do |\n| `ERR_A` | here |"), []);
  assert.deepEqual(documented("| `ERR_A` | b | c |"), [["ERR_A", "b", "c"]]);
  assert.deepEqual(codesOf('check(x, "ERR_A"); // ERR_B\nif (code === "ERR_C")'), ["ERR_A"]);
});

test("an error has its class's name, its code and its cause", () => {
  class SpecialError extends OppoError {}
  const cause = new Error("below");
  const error = new SpecialError("ERR_TEST", "a: expected b, got c. Do d.", { cause });
  assert.deepEqual([error.name, error.code, error.cause], ["SpecialError", "ERR_TEST", cause]);
  assert.ok(error instanceof OppoError && error instanceof Error);
});
