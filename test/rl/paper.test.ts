// docs/paper.md is the map from the paper to the code: it must name files that exist and every equation that the code cites.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { repositoryRoot } from "../support/repository.ts";

const fewestFilesExpected = 15;
const fewestEquationsExpected = 10;

const page = readFileSync(join(repositoryRoot, "docs/paper.md"), "utf8");

/** "Eq. 7", "Eq. 2 to 4", "Eq. 7, 8", "Eq. 9 and 10" -> numbers. */
function citedEquations(text: string): number[] {
  return [...text.matchAll(/\bEq\. (\d+)(?:( to |, | and )(\d+))?/g)].flatMap(([, first, join, last]) => {
    const from = Number(first);
    if (last === undefined) return [from];
    const to = Number(last);
    return join === " to " ? Array.from({ length: to - from + 1 }, (_, i) => from + i) : [from, to];
  });
}

test("citations are read in every form", () => {
  assert.deepEqual(citedEquations("(Eq. 2 to 4), Eq. 7, 8; Eq. 9 and 10, Eq. 27."), [2, 3, 4, 7, 8, 9, 10, 27]);
});

test("every equation that the code cites has a row", () => {
  const rows = new Set(
    page.split("\n").flatMap((line) => (line.startsWith("| Eq.") ? citedEquations(line.split("|")[1]!) : [])),
  );
  const sources = readdirSync(join(repositoryRoot, "src"), { recursive: true, encoding: "utf8" }).filter(
    (name) => name.endsWith(".ts") && !name.includes("r1-omni"),
  );
  const cited = new Set(
    sources.flatMap((name) => citedEquations(readFileSync(join(repositoryRoot, "src", name), "utf8"))),
  );
  assert.ok(cited.size >= fewestEquationsExpected, `only ${cited.size} equations are cited`);
  assert.deepEqual(
    [...cited].filter((equation) => !rows.has(equation)),
    [],
  );
});

test("every file that the page names exists", () => {
  const named = [...page.matchAll(/`((?:src|test)\/[^`\s]+)`/g)].map((match) => match[1]!);
  assert.ok(named.length >= fewestFilesExpected, `only ${named.length} files are named`);
  assert.deepEqual(
    named.filter((path) => !existsSync(join(repositoryRoot, path))),
    [],
  );
});
