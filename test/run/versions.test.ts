// The record of what ran, also where no git is installed.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { packageRoot, readGitCommit, readVersions } from "../../src/run/versions.ts";

const folder = mkdtempSync(join(tmpdir(), "oppo-run-"));
after(() => rmSync(folder, { recursive: true }));

describe("versions", () => {
  it("reads a commit from a branch, a packed ref, a detached head and a worktree, and none without git", () => {
    const commit = "0123456789abcdef0123456789abcdef01234567";
    const make = (name: string, files: Record<string, string>): string => {
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(join(folder, name, path, ".."), { recursive: true });
        writeFileSync(join(folder, name, path), text);
      }
      return join(folder, name);
    };
    assert.equal(
      readGitCommit(make("a", { ".git/HEAD": "ref: refs/heads/main\n", ".git/refs/heads/main": `${commit}\n` })),
      commit,
    );
    assert.equal(
      readGitCommit(
        make("b", { ".git/HEAD": "ref: refs/heads/main\n", ".git/packed-refs": `# pack\n${commit} refs/heads/main\n` }),
      ),
      commit,
    );
    assert.equal(readGitCommit(make("c", { ".git/HEAD": `${commit}\n` })), commit);
    make("d", { ".git": "gitdir: ../a/.git/worktrees/d\n" });
    make("a/.git/worktrees/d", { HEAD: "ref: refs/heads/main\n", commondir: "../..\n" });
    assert.equal(readGitCommit(join(folder, "d")), commit);
    assert.equal(readGitCommit(make("e", { "package.json": "{}" })), null);
  });

  it("describes this package", () => {
    const versions = readVersions("1.13.1");
    assert.match(versions.oppo, /^\d+\.\d+\.\d+$/);
    assert.equal(versions.libtorch, "1.13.1");
    assert.equal(versions.gitCommit, readGitCommit(packageRoot()));
    assert.ok(versions.numProcessors >= 1 && versions.memoryBytes > 0);
  });
});
