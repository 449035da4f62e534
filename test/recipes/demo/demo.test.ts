// The demo from clips to the report, as small as it gets: every stage runs, every file is there, and what is there is not
// done again. Its numbers mean nothing at this size.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { demoPaths } from "../../../src/recipes/demo/paths.ts";
import { allExamples } from "../../support/help-examples.ts";
import { repositoryRoot } from "../../support/repository.ts";
import { readText } from "../../support/source-tree.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const main = join(repositoryRoot, "build/js/src/cli/main.js");
const clips = "{warmup: 4, warmupDev: 2, sft: 4, rl: 4, dev: 2, devConflict: 2, congruent: 3, conflict: 2}";
const small = [
  ...[`clips=${clips}`, "shards=1", "numStories=1", "rlSteps=1"],
  ...["warmup.steps=2", "warmup.clipsPerStep=2", "sft.steps=2", "sft.clipsPerStep=2", "sft.warmupSteps=0"],
].flatMap((setting) => ["--set", setting]);

/** Paths of the demo's folder that help texts and documents name, below that folder. */
async function namedPaths(): Promise<string[]> {
  const help = (await allExamples()).map(({ line }) => line).join("\n");
  const named = [...`${help}\n${readText("README.md")}`.matchAll(/\bruns\/demo\/([\w./*-]+)/g)].map(
    (match) => match[1]!,
  );
  return [...new Set(named)].filter((path) => !/\*/.test(path));
}

const digest = (model: string) =>
  createHash("sha256")
    .update(readFileSync(join(model, "model.safetensors")))
    .digest("hex");

test("the demo runs through, and again from what is there", async (t) => {
  const root = join(temporaryFolder(t), "demo");
  const demo = (arms: string) => {
    const args = [main, "demo", "--run", root, "--arms", arms, "--json", ...small];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout);
  };
  const first = demo("oppo,honest-labels");
  const paths = demoPaths(root);
  assert.deepEqual([first.report, first.results], [paths.report, paths.results]);
  assert.deepEqual(
    first.arms.map(({ name }: { name: string }) => name),
    ["sft", "oppo", "honest-labels"],
  );
  for (const { metrics } of first.arms) {
    assert.equal(metrics.recall.count, 3, "a recall of every congruent clip");
    assert.equal(metrics.emotionF1Conflict.count, 2);
    for (const name of ["heldOutMaskVideo", "heldOutMaskAudio", "saysUnseenVideo", "falselyUnseenAudio"]) {
      assert.equal(metrics[name].count, 3, name);
    }
  }
  assert.deepEqual(JSON.parse(readFileSync(paths.results, "utf8")).arms, first.arms);
  assert.match(readFileSync(paths.report, "utf8"), /<video [^>]*data:video\/mp4;base64,/);

  // two cold starts, told apart by what their blanks are labelled with, and the control begins with its own
  const startOf = (arm: string) => readFileSync(join(paths.arm(arm, 0), "config.yaml"), "utf8");
  assert.ok(existsSync(join(paths.otherStart("honest").sft, "config.json")));
  assert.notEqual(digest(paths.sft), digest(paths.otherStart("honest").sft));
  assert.match(startOf("honest-labels"), /preset reward-only/);
  const page = readFileSync(paths.report, "utf8");
  assert.match(page, /88% are labelled with what was taken away\. That is by design/);
  assert.match(page, /Right labels are the other remedy/);
  assert.match(page, /Seen in plain grey/);

  const named = await namedPaths();
  assert.ok(named.length >= 5, String(named));
  assert.deepEqual(
    named.filter((path) => !existsSync(join(root, path))),
    [],
    "help texts and the README name files that the demo does not make",
  );
  const [row] = readFileSync(join(root, "corpus/rl/rl.jsonl"), "utf8").split("\n");
  assert.equal(JSON.parse(row!).id, "rl-00000", "the sample of oppo serve reward's help");

  const policy = join(paths.arm("oppo", 0), "model/model.safetensors");
  const trainedAt = statSync(policy).mtimeMs;
  rmSync(paths.measured("oppo", 0));
  rmSync(paths.report);
  const second = demo("oppo,honest-labels");
  assert.equal(statSync(policy).mtimeMs, trainedAt, "a trained arm is not trained again");
  assert.ok(existsSync(paths.report));
  assert.deepEqual(second.arms, first.arms, "the same numbers from the same models");
});
