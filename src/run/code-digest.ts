// Which code a result was made by: a digest of a module and of everything that it imports, so that a result is made anew when what
// it hangs on changes and not when anything else does.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";

const imports = /(?:\bfrom|\bimport)\s*\(?\s*"(\.{1,2}\/[^"]+)"/g;

/** Sixteen hex digits over the code of `entry`, a JavaScript file, and of all its relative imports; comments do not count. */
export function codeDigest(entry: string): string {
  const code = new Map<string, string>();
  const visit = (file: string): void => {
    if (code.has(file)) return;
    const text = withoutComments(readFileSync(file, "utf8"));
    code.set(file, text);
    for (const [, specifier] of text.matchAll(imports)) visit(resolve(dirname(file), specifier!));
  };
  visit(resolve(entry));
  const hash = createHash("sha256");
  // In the order of the contents: where a file lies is no part of what it does.
  for (const text of [...code.values()].sort()) hash.update(text).update("\0");
  return hash.digest("hex").slice(0, 16);
}

/** Lines that are comments alone: others may be text. */
function withoutComments(text: string): string {
  return text
    .split("\n")
    .filter((line) => !/^\s*(\/\/|\/\*|\*)/.test(line))
    .join("\n");
}
