// Which changes of code change a digest.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { codeDigest } from "../../src/run/code-digest.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

test("a digest hangs on a module and all that it imports, not on comments or on others", (t) => {
  const root = temporaryFolder(t);
  const write = (name: string, text: string) => {
    mkdirSync(join(root, "deep"), { recursive: true });
    writeFileSync(join(root, name), text);
  };
  write("entry.js", 'import { a } from "./deep/a.js";\nconst late = () => import("./late.js");\n');
  write("deep/a.js", '// first\nimport "../entry.js";\nexport const a = 1;\n');
  write("late.js", "export const late = 1;\n");
  write("other.js", "export const other = 1;\n");
  const first = codeDigest(join(root, "entry.js"));
  assert.match(first, /^[0-9a-f]{16}$/);
  write("other.js", "export const other = 2;\n");
  write("deep/a.js", '/** Said better. */\nimport "../entry.js";\nexport const a = 1;\n');
  assert.equal(codeDigest(join(root, "entry.js")), first);
  write("late.js", "export const late = 2;\n");
  const second = codeDigest(join(root, "entry.js"));
  assert.notEqual(second, first, "a module that is loaded late counts");
  write("deep/a.js", 'import "../entry.js";\nexport const a = 2;\n');
  assert.notEqual(codeDigest(join(root, "entry.js")), second);
});
