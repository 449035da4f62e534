// The repository's own files and what they import, for the tests of the house rules.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { repositoryRoot } from "./repository.ts";

/** Paths from the repository's root. */
export interface Edge {
  readonly from: string;
  readonly to: string;
}

/** Path -> text of the files below a folder, both from the repository's root. */
export function readTree(folder: string, name: RegExp): Map<string, string> {
  const paths = readdirSync(join(repositoryRoot, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => name.test(path))
    .map((path) => join(folder, path))
    .sort();
  return new Map(paths.map((path) => [path, readText(path)]));
}

export function readText(path: string): string {
  return readFileSync(join(repositoryRoot, path), "utf8");
}

/** Every relative import of a source text, type-only and dynamic ones too. */
export function importsOf(path: string, text: string): Edge[] {
  const specifiers = [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]+)"/g)].map((match) => match[1]!);
  return specifiers.map((specifier) => ({ from: path, to: join(dirname(path), specifier) }));
}
