// Format, lint and import cycles, as `npm run lint` sees them; warnings count.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { repositoryRoot } from "./support/repository.ts";

const fewestFilesChecked = 200;

test("biome has nothing to say", (t) => {
  const biome = join(repositoryRoot, "node_modules/.bin/biome");
  if (!existsSync(biome)) return t.skip("biome is not installed");
  if (!existsSync(join(repositoryRoot, ".git"))) return t.skip("biome reads .gitignore, which needs a git checkout");
  const args = ["check", ".", "--error-on-warnings", "--colors=off"];
  const { status, stdout, stderr } = spawnSync(biome, args, { cwd: repositoryRoot, encoding: "utf8" });
  assert.equal(status, 0, `npm run lint: ${stderr}`);
  const numChecked = Number(/Checked (\d+) files/.exec(stdout + stderr)?.[1]);
  assert.ok(numChecked > fewestFilesChecked, `only ${numChecked} files were checked`);
});
