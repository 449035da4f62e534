// A run that is watched, seen from the outside: evaluated on clips of its own, the best model beside the last, started from another run
// and gone on with for more steps; its page; and what a full disk or an overlapping dev set is told.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { readStepLog } from "../../src/run/metrics.ts";
import { oppoIn } from "../support/oppo-in.ts";
import { repositoryRoot } from "../support/repository.ts";
import { type SmallTheatre, smallTheatre } from "../support/small-theatre.ts";

const main = join(repositoryRoot, "build/js/src/cli/main.js");

let theatre: SmallTheatre;
/** The first four clips to train on, the others to evaluate on. */
let files: { readonly rl: string; readonly dev: string };
let train: string[];

before(async () => {
  theatre = await smallTheatre(6);
  const rows = readFileSync(theatre.samplesFile, "utf8").trimEnd().split("\n");
  files = { rl: join(theatre.corpus, "rl.jsonl"), dev: join(theatre.corpus, "dev.jsonl") };
  writeFileSync(files.rl, `${rows.slice(0, 4).join("\n")}\n`);
  writeFileSync(files.dev, `${rows.slice(4).join("\n")}\n`);
  // An untrained model is paid nothing, so only decay moves its weights.
  const small = [
    "promptsPerStep=2",
    "groupSize=2",
    "maxNewTokens=6",
    "checkpointEvery=2",
    "warmupSteps=0",
    "weightDecay=0.1",
  ];
  const settings = small.flatMap((item) => ["--set", item]);
  train = ["train", "--model", theatre.freshModel(1), "--data", files.rl, ...settings];
});
after(() => theatre[Symbol.dispose]());

const oppo = (...args: string[]) => oppoIn(theatre.root, ...args);

function passes(...args: string[]) {
  const result = oppo(...args);
  assert.equal(result.status, 0, result.stderr);
  return result;
}

/** The one sentence on standard error. */
function failure(...args: string[]): string {
  const { status, stdout, stderr } = oppo(...args);
  assert.deepEqual([status, stdout], [1, ""], stderr);
  return stderr.trimEnd().split("\n").at(-1)!.replaceAll(`${theatre.root}/`, "");
}

const at = (...path: string[]) => join(theatre.root, ...path);
const names = (folder: string) => readStepLog(at(folder, "evaluation.jsonl")).map(({ step }) => step);

describe("oppo train, watched", () => {
  test("is evaluated at the start, on the way and at the end, leaves model/ and best/, and both answer", () => {
    const evaluated = ["--eval-data", files.dev, "--eval-every", "2", "--eval-clips", "2"];
    const tried = [...train, ...evaluated, "--run", "watched", "--steps", "4", "--set", "tensorboard=true"];
    const { stderr, stdout } = passes(...tried, "--set", "keep=2", "--json");
    assert.match(stderr, /evaluated on 2 clips of .*dev\.jsonl at the start, every 2 steps and at the end/);
    assert.match(stderr, /after 4 steps: reward \d\.\d+ recall/);
    const { best, model } = JSON.parse(stdout);
    assert.equal(best.measure, "reward");
    assert.deepEqual(names("watched"), [-1, 1, 3]);
    assert.ok(existsSync(at("watched/tensorboard/events.out.tfevents.0000000000.oppo")));
    assert.ok(existsSync(at("watched/checkpoints/step-000002")) && existsSync(at("watched/checkpoints/step-000004")));
    for (const folder of [model, best.model]) {
      const sample = theatre.samples[0]!;
      const { stdout: text } = passes(
        "infer",
        "--model",
        folder,
        join(theatre.corpus, sample.media),
        "--max-new-tokens",
        "3",
        "--json",
      );
      assert.ok(JSON.parse(text));
    }
    // The same command has nothing left to do.
    passes(...tried, "--set", "keep=2");
    assert.deepEqual(names("watched"), [-1, 1, 3]);
  });

  test("goes on with more steps and says what that means for the learning rate; not with fewer than are done", () => {
    const evaluated = ["--eval-data", files.dev, "--eval-every", "2", "--eval-clips", "2", "--set", "tensorboard=true"];
    const more = passes(...train, ...evaluated, "--run", "watched", "--steps", "6", "--set", "keep=2");
    assert.match(
      more.stderr,
      /steps: 6, where the run began with 4\. .* at step 4 it is 0\.40 of learningRate, where it was 0\.\d\d the step before/,
    );
    assert.deepEqual(names("watched"), [-1, 1, 3, 5]);
    assert.equal(readStepLog(at("watched/metrics.jsonl")).length, 6);
    assert.match(
      failure(...train, ...evaluated, "--run", "watched", "--steps", "3"),
      /^oppo: watched: expected at least the 6 steps that this run has done, got steps 3\. .* \[ERR_RUN_DIFFERS\]/,
    );
    assert.match(failure(...train, "--run", "watched", "--steps", "6"), /other values of evalData/);
  });

  test("starts from another run with its settings, its best model, or a checkpoint made a model", () => {
    const next = passes("train", "--from", "watched", "--run", "next", "--steps", "1");
    assert.match(next.stderr, /from watched\/model into next/);
    const settings = readFileSync(at("next/config.yaml"), "utf8");
    for (const line of ["from: watched", "promptsPerStep: 2", "maxNewTokens: 6", "steps: 1", "evalEvery: 2"]) {
      assert.ok(settings.includes(`${line}\n`), line);
    }
    passes("train", "--from", "watched/best", "--run", "next-best", "--steps", "1");
    const given = ["train", "--from", "watched/checkpoints/step-000004", "--run", "next-4", "--steps", "1"];
    passes(...given);
    passes(...given);
    // What is made of the last checkpoint is the model that the run left.
    passes("train", "--from", "watched/checkpoints/step-000006", "--run", "next-6", "--steps", "1");
    const weights = (folder: string) => readFileSync(at(folder, "model.safetensors"));
    assert.ok(weights("next-6/start").equals(weights("watched/model")));
    assert.ok(!weights("next-4/start").equals(weights("watched/model")));
    passes("train", "--config", "next-4/config.yaml", "--run", "repeated");
    assert.deepEqual(
      readStepLog(at("repeated/metrics.jsonl")).map(({ loss }) => loss),
      readStepLog(at("next-4/metrics.jsonl")).map(({ loss }) => loss),
    );
    assert.match(
      failure("train", "--from", "watched", "--preset", "papo", "--run", "never"),
      /--preset papo: expected the preset of watched, which is oppo/,
    );
    for (const nowhere of ["nowhere", theatre.corpus, "watched/checkpoints/step-000099"]) {
      assert.match(failure("train", "--from", nowhere, "--run", "never"), /\[ERR_(FROM_RUN|CHECKPOINT_BROKEN)\]/);
    }
    assert.equal(existsSync(at("never")), false);
  });

  test("a dev set that overlaps, and settings of an evaluation that there is none of, are refused at once", () => {
    const given = [...train, "--run", "never"];
    assert.match(
      failure(...given, "--eval-data", files.rl),
      /^oppo: corpus\/rl\.jsonl: expected rows that corpus\/rl\.jsonl does not have, got 4 of 4: .* \[ERR_OVERLAP\]/,
    );
    const copy = at("copy");
    mkdirSync(copy);
    const [row] = readFileSync(files.rl, "utf8").split("\n");
    const renamed = { ...JSON.parse(row!), id: "another name", media: "same.mp4" };
    writeFileSync(join(copy, "same.mp4"), readFileSync(join(theatre.corpus, JSON.parse(row!).media)));
    writeFileSync(join(copy, "dev.jsonl"), `${JSON.stringify(renamed)}\n`);
    assert.match(failure(...given, "--eval-data", join(copy, "dev.jsonl")), /got 1 of 1: .* the same bytes/);
    for (const [flag, value] of [
      ["--eval-every", "3"],
      ["--best-by", "recall"],
    ] as const) {
      assert.match(oppo(...given, flag, value).stderr, /has no effect: nothing is evaluated \(--eval-data\)/);
    }
    assert.equal(existsSync(at("never")), false);
  });
});

describe("a full disk", () => {
  /** A script in a mount of its own, where a small disk lies at `disk`. */
  const inSmallDisk = (script: string) => {
    mkdirSync(at("disk"), { recursive: true });
    writeFileSync(at("script.sh"), `set -e\nmount -t tmpfs -o size=64m tmpfs disk\n${script}\n`);
    return spawnSync("unshare", ["--user", "--mount", "--map-root-user", "sh", "script.sh"], {
      encoding: "utf8",
      cwd: theatre.root,
    });
  };

  test("in the middle of a checkpoint ends in one sentence, and the run goes on from the one before", (t) => {
    if (inSmallDisk("true").status !== 0) {
      t.skip("needs unshare and the right to mount");
      return;
    }
    const command = [process.execPath, main, ...train, "--steps", "120", "--run"].map((word) => `'${word}'`).join(" ");
    // Somebody else fills the disk while the run is under way, up to what a few log lines need and no checkpoint.
    const { status, stderr } = inSmallDisk(`
${command} disk/run > full.out 2> full.err & run=$!
while kill -0 $run 2> /dev/null; do
  if [ -e disk/run/checkpoints/step-000006 ] || [ -e disk/others ]; then
    room=$(df --output=avail -B1 disk | tail -1)
    if [ "$room" -gt 400000 ]; then head -c $((room - 300000)) /dev/zero >> disk/others || true; fi
  fi
  sleep 0.01
done
wait $run && echo 0 > full.status || echo $? > full.status
ls disk/run/checkpoints > after
rm disk/others
${command} disk/run 2> again.err
cp -r disk/run done`);
    assert.equal(status, 0, stderr);
    const text = (name: string) => readFileSync(at(name), "utf8");
    assert.equal(text("full.status").trim(), "1", text("full.err"));
    const last = text("full.err").trimEnd().split("\n").at(-1)!;
    const sentence =
      /^oppo: disk\/run\/checkpoints\/step-\d+: the disk is full \(.* free\), so the checkpoint of step (\d+) could not be written\. Free some space and run the same command again; it goes on from what is finished\. \[ERR_DISK_FULL\]$/;
    assert.match(last, sentence);
    const before = Number(sentence.exec(last)![1]) - 2;
    assert.ok(before >= 6 && before < 118, last);
    assert.equal(text("after"), `latest\nstep-${String(before).padStart(6, "0")}\n`, "whole, and nothing beside it");
    assert.match(text("again.err"), new RegExp(`going on after step ${before} of 120`));
    // It is the run that had room from the start.
    passes(...train, "--run", "roomy", "--steps", "120");
    const losses = (folder: string) => readStepLog(at(folder, "metrics.jsonl")).map(({ loss }) => loss);
    assert.equal(losses("done").length, 120);
    assert.deepEqual(losses("done"), losses("roomy"));
    const warnings = (folder: string) => readStepLog(at(folder, "warnings.jsonl"));
    assert.deepEqual(warnings("done"), warnings("roomy"));
    const told = warnings("roomy").map(({ name }) => name);
    assert.ok(told.includes("reward/format/zero") && told.includes("truncated"), told.join());
  });
});

describe("oppo report", () => {
  test("makes a page of a training run, with its numbers, warnings and what was said", () => {
    writeFileSync(at("watched/warnings.jsonl"), '{"step":3,"name":"planted","line":"planted: <b>a remedy</b>"}\n');
    const { stdout } = passes("report", "watched");
    assert.match(stdout, /warning: planted[\s\S]*The report: watched\/report\.html/);
    const page = readFileSync(at("watched/report.html"), "utf8");
    for (const part of [
      "6 of 6 steps",
      "planted: &lt;b&gt;a remedy&lt;/b&gt;",
      "Acc@V",
      "promptsPerStep",
      "advantage",
    ]) {
      assert.ok(page.includes(part), part);
    }
    assert.doesNotMatch(page, /(src|href)="https?:/);
    const { kind, steps, evaluations } = JSON.parse(passes("report", "watched", "--json").stdout);
    assert.deepEqual([kind, steps, evaluations], ["train", 6, 4]);
  });

  test("tells other folders and files from runs", () => {
    writeFileSync(at("odd.json"), "{}");
    assert.match(
      failure("report", "odd.json"),
      /odd\.json: expected what oppo score --json prints.* \[ERR_SCORE_REPORT\]/,
    );
    writeFileSync(at("odd.json"), '{"schema":"oppo.score/1","systems":[{"name":"a","sets":[{"title":"b"}]}]}');
    assert.match(failure("report", "odd.json"), /got one with parts missing/);
    assert.match(failure("report", theatre.corpus), /\[ERR_NOT_A_DEMO\]/);
  });
});
