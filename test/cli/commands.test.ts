// The commands end to end on a very small theatre: build, train (stopped and gone on), MEP-Bench, and what bad input is
// told. Everything is seen from the outside, as a person and a shell see it.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { readStepLog } from "../../src/run/metrics.ts";
import { repositoryRoot } from "../support/repository.ts";
import { sharedPath } from "../support/shared.ts";
import { type SmallTheatre, smallTheatre } from "../support/small-theatre.ts";

const main = join(repositoryRoot, "build/js/src/cli/main.js");

let theatre: SmallTheatre;
let model: string;
/** `oppo train` with few, small steps. */
let train: string[];

before(async () => {
  theatre = await smallTheatre(4);
  model = theatre.freshModel(1);
  const small = ["promptsPerStep=2", "groupSize=2", "maxNewTokens=6", "checkpointEvery=100"];
  train = ["train", "--model", model, "--data", theatre.samplesFile, ...small.flatMap((item) => ["--set", item])];
});
after(() => theatre[Symbol.dispose]());

function oppo(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: "utf8",
    cwd: theatre.root,
  });
  return { status, stdout, stderr };
}

/** The one sentence on standard error, with its code. */
function failure(...args: string[]): string {
  const { status, stdout, stderr } = oppo(...args);
  assert.deepEqual([status, stdout], [1, ""], stderr);
  const last = stderr.trimEnd().split("\n").at(-1)!;
  assert.match(last, /^oppo: .* \[[\w/-]+\]$/);
  return last.replaceAll(`${theatre.root}/`, "");
}

/** Starts a command and presses Ctrl-C once the condition holds. */
async function stopWhen(args: readonly string[], isReached: (stderr: string) => boolean) {
  const child = spawn(process.execPath, [main, ...args], { cwd: theatre.root, stdio: ["ignore", "ignore", "pipe"] });
  const closed = once(child, "close");
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  while (child.exitCode === null && !isReached(stderr)) await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill("SIGINT");
  const [code] = await closed;
  return { code, stderr };
}

describe("oppo theatre build", () => {
  test("renders in two processes, says how far cues are apart, and has nothing to do the second time", () => {
    const plan = join(theatre.root, "plan.yaml");
    writeFileSync(
      plan,
      "splits: { a: { kind: train, numClips: 2 }, b: { kind: conflict, numClips: 1 } }\nformat: { size: 56, preset: ultrafast }\n",
    );
    const first = oppo("theatre", "build", "--out", "built", "--config", plan, "--workers", "2");
    assert.equal(first.status, 0, first.stderr);
    assert.match(first.stdout, /tells the corpus' cues apart:\n[\s\S]*above 0\.5 with a wrong concept: 0\.0% of/);
    assert.equal(readFileSync(join(theatre.root, "built/a.jsonl"), "utf8").split("\n").length, 3);
    const second = oppo("theatre", "build", "--out", "built", "--config", plan, "--json");
    const { numClips, numRendered, files, confusion } = JSON.parse(second.stdout);
    assert.deepEqual([numClips, numRendered, files], [3, 0, ["a.jsonl", "b.jsonl"]]);
    assert.equal(confusion.separable, true);
  });
});

describe("oppo train", () => {
  test("stops at Ctrl-C with a model and a checkpoint, and the same command goes on to the end", async () => {
    const args = [...train, "--run", "stopped", "--set", "steps=400"];
    const metrics = join(theatre.root, "stopped/metrics.jsonl");
    const { code, stderr } = await stopWhen(args, () => existsSync(metrics) && readStepLog(metrics).length >= 2);
    assert.equal(code, 130, stderr);
    assert.match(stderr, /oppo: Interrupted\. What was finished is kept; the same command goes on from it\./);
    const done = readStepLog(metrics).length;
    assert.ok(done >= 2 && done < 400, `${done} steps`);
    const [name] = readdirSync(join(theatre.root, "stopped/checkpoints")).filter((entry) => entry.startsWith("step-"));
    assert.equal(Number(name!.slice("step-".length)), done, "the checkpoint is of the last step");
    assert.ok(existsSync(join(theatre.root, "stopped/model/config.json")), "the model so far can be looked at");

    const other = oppo(...args, "--set", "groupSize=3");
    assert.match(other.stderr, /expected the configuration that this run began with, got other values of groupSize\./);
    const shorter = oppo(...train, "--run", "stopped", "--set", "steps=1");
    assert.match(shorter.stderr, new RegExp(`expected at least the ${done} steps that this run has done, got steps 1`));
    const { stderr: onward } = await stopWhen(args, (said) => said.includes("going on after"));
    assert.match(onward, new RegExp(`going on after step ${done} of 400`));
  });

  test("trains, resumes to nothing, repeats from its config.yaml; its model can be measured", () => {
    const first = oppo(
      ...train,
      "--run",
      "whole",
      "--preset",
      "reward-only",
      "--seed",
      "5",
      "--set",
      "steps=2",
      "--json",
    );
    assert.equal(first.status, 0, first.stderr);
    const result = JSON.parse(first.stdout);
    assert.deepEqual([result.model, result.numSamples, result.numSkippedClips], ["whole/model", 4, 0]);
    assert.equal(result.metrics.step, 1);
    const repeated = oppo("train", "--config", "whole/config.yaml", "--run", "repeated", "--json");
    assert.equal(repeated.status, 0, repeated.stderr);
    assert.equal(JSON.parse(repeated.stdout).metrics.loss, result.metrics.loss);
    const config = readFileSync(join(theatre.root, "whole/config.yaml"), "utf8");
    assert.equal(readFileSync(join(theatre.root, "repeated/config.yaml"), "utf8"), config);

    const built = oppo("mep", "build", "--data", theatre.samplesFile, "--samples", "2", "--out", "set", "--json");
    assert.equal(built.status, 0, built.stderr);
    assert.equal(JSON.parse(built.stdout).counts.samples, 2);
    const ask = ["mep", "run", "set", "--model", "whole/model", "--max-new-tokens", "6"];
    const measured = oppo(...ask, "--out", "measured", "--json");
    assert.equal(measured.status, 0, measured.stderr);
    const { report, set } = JSON.parse(measured.stdout);
    assert.equal(set.hash, JSON.parse(built.stdout).hash);
    assert.equal(report.recall.count, 2);
    const whole = JSON.parse(readFileSync(join(theatre.root, "measured/results.json"), "utf8"));
    assert.deepEqual(whole.report, report);
    assert.ok(existsSync(join(theatre.root, "measured/report.html")));
    assert.match(failure(...ask, "--out", "measured", "--drop-masked"), /other values of masked.*\[ERR_RUN_DIFFERS\]$/);
    const ruled = oppo(...ask, "--out", "ruled", "--decompose", "offline", "--max-skipped", "1000", "--json");
    assert.equal(ruled.status, 0, ruled.stderr);
    assert.match(JSON.parse(ruled.stdout).settings.statements, /^offline rules, no model/);
    assert.match(failure("mep", "compare", "measured", "ruled"), /by clauses and of .*\[ERR_MEP_COMPARE\]$/);
    const nowhere = oppo(...ask, "--out", "z", "--decompose", "nowhere");
    assert.equal(nowhere.status, 2);
    assert.match(nowhere.stderr, /expected offline, or URL#MODEL .*\[ERR_USAGE\]\n$/);
    const compared = oppo("mep", "compare", "measured", "measured", "--html", "compared.html");
    assert.equal(compared.status, 0, compared.stderr);
    assert.match(compared.stdout, /Recall +\d\.\d\d +\d\.\d\d +0\.00 +1\.000/);
    assert.match(failure("mep", "compare", "measured", "nowhere"), /nowhere\/results.json.*\[ERR_MEP_RESULTS\]$/);
    assert.match(failure("mep", "run", "corpus", "--model", "x", "--out", "y"), /no mep.json.*\[ERR_MEP_SET\]$/);
  });

  test("with a language model's embedder: cues kept on disk, and a warning where delta does not fit it", () => {
    const embedder = `qwen3:${sharedPath("golden/qwen-omni/qwen3_embed")}`;
    const args = [...train, "--set", "steps=1", "--cache", "vectors", "--embedder", embedder];
    const first = oppo(...args, "--run", "asked");
    assert.equal(first.status, 0, first.stderr);
    assert.match(first.stderr, /\nembedder: clauses with the instruction "Given a clause of /);
    assert.match(first.stderr, /\nwarning: delta 0\.5 is not calibrated for this embedder \(qwen3-embedding-64-/);
    assert.equal(readdirSync(join(theatre.root, "vectors")).length, 1);
    const calibrated = oppo("embed", "calibrate", "--embedder", embedder, "--out", "delta.json");
    assert.equal(calibrated.status, 0, calibrated.stderr);
    const known = [...args, "--set", "calibration=delta.json", "--set"];
    const far = oppo(...known, "reward.similarityThreshold=0.97", "--run", "far");
    assert.match(far.stderr, /\nwarning: delta 0\.97 is far from what was calibrated for qwen3-embedding-64-/);
    const near = oppo(
      ...known,
      `reward.similarityThreshold=${JSON.parse(readFileSync(join(theatre.root, "delta.json"), "utf8")).delta}`,
      "--run",
      "near",
    );
    assert.equal(near.status, 0, near.stderr);
    assert.ok(!near.stderr.includes("warning: delta"), near.stderr);
    assert.equal(readdirSync(join(theatre.root, "vectors")).length, 1, "no cue was embedded twice");
    assert.ok(!oppo(...train, "--set", "steps=1", "--run", "own").stderr.includes("warning: delta"));
  });

  test("counts a few bad clips and rows, and stops at many, in one sentence", () => {
    const rows = readFileSync(theatre.samplesFile, "utf8").trimEnd().split("\n");
    const [row] = rows.map((line) => JSON.parse(line));
    const folder = join(theatre.corpus, "clips");
    writeFileSync(join(folder, "empty.mp4"), "");
    writeFileSync(join(folder, "noise.mp4"), "x".repeat(5000));
    const bad = ["missing", "empty", "noise"].map((id) => JSON.stringify({ ...row, id, media: `clips/${id}.mp4` }));
    const file = join(theatre.corpus, "bad.jsonl");
    writeFileSync(file, `${[...rows, ...bad, "not json"].join("\n")}\n`);
    const onBad = [...train, "--data", file, "--set", "steps=1"];
    assert.match(
      failure(...onBad, "--run", "bad"),
      /^oppo: corpus: expected at most 0 of 7 clips to be unreadable, got 1; the last is missing: .*no such file.* \[ERR_TOO_MANY_SKIPPED\]$/,
    );
    const { status, stderr } = oppo(...onBad, "--run", "bad", "--set", "maxSkippedFraction=0.5");
    assert.equal(status, 0, stderr);
    assert.match(stderr, /bad\.jsonl: rows skipped: 1\n {2}line 8: not JSON/);
    assert.match(stderr, /bad\.jsonl: clips skipped: 3\n {2}missing: .*\n {2}empty: .*an empty file.*\n {2}noise: /);
    const skipped = readFileSync(join(theatre.root, "bad/skipped.jsonl"), "utf8").trimEnd().split("\n");
    assert.deepEqual(
      skipped.map((line) => JSON.parse(line).id),
      ["missing", "empty", "noise"],
    );
  });

  test("says what is wrong with a model, a file, a setting or a choice, and leaves no run behind", () => {
    const given = [...train, "--run", "never"];
    assert.match(failure(...given, "--model", "nowhere"), /nowhere: expected a model folder with a config\.json/);
    writeFileSync(join(theatre.root, "empty.jsonl"), "");
    assert.match(failure(...given, "--data", "empty.jsonl"), /empty\.jsonl: expected at least one sample, got none/);
    writeFileSync(join(theatre.root, "run.yaml"), "steps: 3\nlearningrate: 1\n");
    assert.match(
      failure(...given, "--config", "run.yaml"),
      /run\.yaml:2: .* Did you mean "learningRate"\? \[ERR_CONFIG\]/,
    );
    assert.match(
      failure(...given, "--embedder", "qwen"),
      /expected auto, cues, theatre, builtin:BANK\.json, qwen3:DIR or endpoint:URL#MODEL, got "qwen"/,
    );
    assert.equal(existsSync(join(theatre.root, "never")), false);
    const wrong = oppo(...given, "--seed", "x");
    assert.equal(wrong.status, 2);
    assert.match(wrong.stderr, /^oppo: --seed x: expected number, got "x" \(string\)\. \[ERR_USAGE\]/);
  });
});

describe("oppo report and oppo presets", () => {
  test("a folder that is no demo, or an unfinished one, is said to be one", () => {
    assert.match(failure("report", "nowhere"), /nowhere: expected the folder of a demo run .* \[ERR_NOT_A_DEMO\]/);
    const unfinished = join(theatre.root, "unfinished");
    rmSync(unfinished, { recursive: true, force: true });
    mkdirSync(unfinished);
    writeFileSync(join(unfinished, "config.yaml"), "arms: [oppo]\nseeds: 2\n");
    assert.match(failure("report", unfinished), /got none of sft, oppo, oppo \(seed 1\)\. Run "oppo demo --run/);
    writeFileSync(join(unfinished, "config.yaml"), "preset: oppo\n");
    assert.match(failure("report", unfinished), /got one with other settings .* \[ERR_NOT_A_DEMO\]/);
  });

  test("presets are listed with what they change, for people and for programs", () => {
    assert.match(
      oppo("presets").stdout,
      /\noppo-paper: OPPO, literal\n(?: {2}.*\n)* {2}perception\.reduction: "sum" \(default "mean"\)/,
    );
    const { presets: listed } = JSON.parse(oppo("presets", "--json").stdout);
    assert.equal(listed[0].differences[0].path, "reward.terms");
  });
});
