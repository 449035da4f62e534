// The documents name what exists: files, npm scripts, commands and dependencies.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { commands } from "../src/cli/commands/index.ts";
import { repositoryRoot } from "./support/repository.ts";
import { readText, readTree } from "./support/source-tree.ts";

/** docs/log.md speaks of the past, and of files that are gone. */
const documents = new Map([
  ["README.md", readText("README.md")],
  ["native/README.md", readText("native/README.md")],
  ...[...readTree("docs", /\.md$/)].filter(([path]) => path !== "docs/log.md"),
]);
const manifest = JSON.parse(readText("package.json"));
const fewestFilesNamed = 60;

/** Paths of this repository that a text names in backticks; NAME stands for one that is not written yet. */
function namedPaths(text: string): string[] {
  return [...text.matchAll(/`((?:src|test|docs|native|scripts|bench)\/[\w./-]+)`/g)]
    .map((match) => match[1]!)
    .filter((path) => !/\bNAME\b/.test(path));
}

/** First cells of a table's rows under a heading, without their versions. */
function tableNames(text: string, heading: string): string[] {
  const section = text.split(/^## /m).find((part) => part.startsWith(heading)) ?? "";
  return [...section.matchAll(/^\| (\S+) [^|]*\|/gm)]
    .map((row) => row[1]!)
    .filter((name) => name !== "package" && !name.startsWith("---"));
}

describe("documents", () => {
  test("every file that they name exists", () => {
    const named = [...documents].flatMap(([file, text]) => namedPaths(text).map((path) => ({ file, path })));
    assert.ok(named.length > fewestFilesNamed, `only ${named.length} files are named`);
    assert.deepEqual(
      named.filter(({ path }) => !existsSync(join(repositoryRoot, path))),
      [],
    );
  });

  test("placeholders and other words are no files", () => {
    const text =
      "`src/rl/step.ts`, `src/data/NAME.ts`, `docs/errors.md`, src/none.ts, `npm run gen`, `native/README.md`";
    assert.deepEqual(namedPaths(text), ["src/rl/step.ts", "docs/errors.md", "native/README.md"]);
  });

  test("every npm script that they name exists", () => {
    const text = [...documents.values()].join("\n");
    const named = [...text.matchAll(/npm run ([\w:]+)/g)].map((match) => match[1]!);
    assert.ok(named.includes("demo"));
    assert.deepEqual(
      named.filter((name) => !(name in manifest.scripts)),
      [],
    );
  });

  test("docs/dependencies.md has a row for every dependency, and for nothing else", () => {
    const text = documents.get("docs/dependencies.md")!;
    assert.deepEqual(tableNames(text, "From npm, at run time").sort(), Object.keys(manifest.dependencies).sort());
    assert.deepEqual(
      tableNames(text, "From npm, for development").sort(),
      Object.keys(manifest.devDependencies).sort(),
    );
    assert.deepEqual(tableNames("## A\n| package | why |\n| --- | --- |\n| x 1 | y |\n## B\n| z 2 | y |", "A"), ["x"]);
  });

  test("the README's table of commands has every command of the help", () => {
    const text = documents.get("README.md")!;
    const shown = commands.filter(({ isInternal }) => isInternal !== true).map(({ name }) => name);
    assert.deepEqual(
      shown.filter((name) => !text.includes(`\`npx oppo ${name}`)),
      [],
    );
    const named = [...text.matchAll(/npx oppo ([a-z0-9-]+)/g)].map((match) => match[1]!);
    assert.deepEqual(
      named.filter((name) => !commands.some((command) => command.name === name)),
      [],
    );
  });
});
