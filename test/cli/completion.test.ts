// Completion: each shell gets a script, and the script's questions are answered from the commands that there are.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { shells } from "../../src/cli/base/completion.ts";
import { repositoryRoot } from "../support/repository.ts";

const main = join(repositoryRoot, "build/js/src/cli/main.js");

function oppo(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: "utf8" });
  return { status, stdout, stderr };
}

/** What may follow, without the descriptions and the closing mark. */
function completed(...words: string[]): string[] {
  const { stdout } = oppo("complete", "--", ...words);
  const lines = stdout.trimEnd().split("\n");
  return lines.slice(0, -1).map((line) => line.split("\t")[0]!);
}

test("a script for each shell, which bash takes", () => {
  for (const shell of shells) {
    const { status, stdout } = oppo("completion", shell);
    assert.equal(status, 0, shell);
    assert.match(stdout, /oppo complete --/, shell);
  }
  const script = oppo("completion", "bash").stdout;
  const { status, stderr } = spawnSync("bash", ["-n"], { input: script, encoding: "utf8" });
  assert.equal(status, 0, stderr);
  assert.match(oppo("completion", "tcsh").stderr, /bash, zsh, fish.*\[ERR_USAGE\]/);
});

test("commands, options and choices are completed; internal commands are not offered", () => {
  const first = completed("");
  assert.ok(
    ["demo", "train", "mep", "completion"].every((name) => first.includes(name)),
    String(first),
  );
  assert.ok(!first.includes("demo-task") && !first.includes("complete"), String(first));
  assert.deepEqual(completed("mep", "").slice(0, 3), ["build", "run", "compare"]);
  assert.ok(completed("train", "--mo").includes("--model"));
  assert.deepEqual(completed("mep", "run", "--answer-style", ""), ["tagged", "free"]);
});
