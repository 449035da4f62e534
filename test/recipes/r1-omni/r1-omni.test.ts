// The four rows on the theatre from clips to the page, as small as it gets, and again from what is there. Numbers mean nothing here.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runPaths } from "../../../src/recipes/r1-omni/paths.ts";
import { repositoryRoot } from "../../support/repository.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const main = join(repositoryRoot, "build/js/src/cli/main.js");
const small = [
  "play.clips={warmup: 12, base: 6, cold: 4, labels: 8, test: 6}",
  ...["play.warmupSteps=2", "play.baseSteps=2", "play.coldEpochs=1", "play.labelEpochs=1", "play.rlvrSteps=1"],
  ...["play.promptsPerStep=2", "maxNewTokens=12"],
].flatMap((setting) => ["--set", setting]);

test("four rows are trained, asked and shown, and what is there is not done again", (t) => {
  const root = join(temporaryFolder(t), "table");
  const call = (...more: string[]) => {
    const args = [main, "r1-omni", "--theatre", "--run", root, "--json", ...small, ...more];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout);
  };
  const first = call("--seeds", "1");
  const paths = runPaths(root);
  assert.deepEqual([first.report, first.resultsFile], [paths.report, paths.results]);
  assert.deepEqual(
    first.sets.map(({ title, isOutside }: { title: string; isOutside: boolean }) => [title, isOutside]),
    [
      ["own troupe", false],
      ["second troupe", true],
    ],
  );
  for (const { rows, numClips } of first.sets) {
    assert.equal(numClips, 6);
    for (const { report } of rows) for (const name of ["war", "uar", "outside"]) assert.ok(report[name].value >= 0);
  }
  const rows = readFileSync(join(paths.training("rlvr-0"), "rollouts.jsonl"), "utf8")
    .trim()
    .split("\n");
  const { rollouts } = JSON.parse(rows[0]!);
  assert.equal(rollouts.length, 8);
  assert.deepEqual(Object.keys(rollouts[0].rewards).sort(), ["label", "tags"]);
  const page = readFileSync(paths.report, "utf8");
  for (const part of ["RLVR (R1-Omni)", "Confusions", "data:video/mp4;base64,"]) assert.ok(page.includes(part), part);
  assert.equal(page.match(/<video /g)!.length, 8, "four clips of each set play");
  assert.doesNotMatch(page, / src="(?!data:)/, "the page stands alone");

  const trained = join(paths.training("rlvr-0"), "metrics.jsonl");
  const before = statSync(trained).mtimeMs;
  rmSync(paths.answers("rlvr", 0, "own troupe"));
  const again = call("--seeds", "2");
  assert.equal(statSync(trained).mtimeMs, before, "a training that is done is not touched");
  assert.ok(existsSync(paths.answers("rlvr", 0, "own troupe")), "what is missing is made");
  assert.deepEqual(again.sets[0].rows[0], first.sets[0].rows[0], "the base is the same");
  assert.equal(again.sets[0].rows[3].numSeeds, 2);

  rmSync(paths.report);
  const report = () => spawnSync(process.execPath, [main, "report", root, "--json"], { encoding: "utf8" });
  assert.deepEqual(JSON.parse(report().stdout).sets, again.sets, "oppo report makes the same of the answers");
  assert.ok(existsSync(paths.report));
  rmSync(paths.answers("rlvr", 1, "own troupe"));
  const unfinished = report();
  assert.match(unfinished.stdout + unfinished.stderr, /not all of RLVR/);
});

test("without a model or the theatre it says what it needs", (t) => {
  const args = [main, "r1-omni", "--run", join(temporaryFolder(t), "none")];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  assert.equal(status, 1);
  assert.match(stderr, /expected --model .* or --theatre, got no model.*ERR_R1_OMNI_DATA/s);
});
