// `oppo train` with an observer of a corpus of nobody's kind, and with the reference in its place, from the outside.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { buildTheatreTokenizer } from "../../src/data/theatre/tokenizer.ts";
import { initTiny } from "../../src/models/qwen-omni/init.ts";
import { readStepLog } from "../../src/run/metrics.ts";
import { writePlainCorpus } from "../support/plain-corpus.ts";
import { repositoryRoot } from "../support/repository.ts";
import { verySmall } from "../support/very-small.ts";

const main = join(repositoryRoot, "build/js/src/cli/main.js");
let root: string;
let train: string[];

before(async () => {
  root = mkdtempSync(join(tmpdir(), "oppo-observer-"));
  initTiny(join(root, "fresh"), buildTheatreTokenizer(), 3, verySmall);
  await writePlainCorpus(root, "plain", 64);
  const settings = ["promptsPerStep=2", "groupSize=2", "maxNewTokens=6", "steps=2", "perception.rolloutShare=0.5"];
  train = ["train", "--model", "fresh", "--data", "plain.jsonl", ...settings.flatMap((one) => ["--set", one])];
});
after(() => rmSync(root, { recursive: true, force: true }));

function oppo(...args: string[]) {
  return spawnSync(process.execPath, [main, ...args], { encoding: "utf8", cwd: root });
}

const set = (...settings: string[]) => settings.flatMap((one) => ["--set", one]);

describe("perception.support on a corpus of nobody's kind", { timeout: 900_000 }, () => {
  test("observer: learnt before the first step, told, kept beside the run and taken from there", () => {
    const observing = set("perception.support=observer", "observer.minClips=6", "observer.clips=60");
    const first = oppo(...train, "--run", "observed", ...observing, "--json");
    assert.equal(first.status, 0, first.stderr);
    assert.match(first.stderr, /observer, video: learns 2 of \d cues, .*left out, and read by nobody: /);
    assert.match(
      first.stderr,
      /observer, audio: 2 cues; clips held out: \d+% of 24 answers right, [\d.]+ bits a question/,
    );
    const folder = join(root, "observed/observer");
    const files = readdirSync(folder).sort();
    assert.deepEqual(
      files.map((name) => name.replace(/-[0-9a-f]{16}/, "")),
      ["observer.json", "observer.safetensors"],
    );
    const report = JSON.parse(readFileSync(join(folder, files[0]!), "utf8")).report;
    assert.ok(report.audio.intact.accuracy > 0.8, JSON.stringify(report.audio.intact));
    const rows = readStepLog(join(root, "observed/metrics.jsonl"));
    assert.equal(rows.length, 2);
    const times = files.map((name) => statSync(join(folder, name)).mtimeMs);
    const longer = oppo(...train, "--run", "observed", ...observing, ...set("steps=3"));
    assert.equal(longer.status, 0, longer.stderr);
    assert.match(longer.stderr, /going on after step 2 of 3/);
    assert.deepEqual(
      files.map((name) => statSync(join(folder, name)).mtimeMs),
      times,
    );
  });

  test("what cannot be learnt is refused with the counts, a setting without effect by its name", () => {
    const sparse = oppo(...train, "--run", "sparse", ...set("perception.support=observer", "observer.minClips=40"));
    assert.equal(sparse.status, 1);
    assert.match(
      sparse.stderr,
      /expected video cues that recur over 52 clips, got 3 that fewer than 40 clips have and 1 that fewer than 40 clips lack\..*\[ERR_OBSERVER_CUES\]\n$/,
    );
    assert.equal(existsSync(join(root, "sparse/observer/clips")), false);
    const idle = oppo(...train, "--run", "idle", ...set("observer.clips=9"));
    assert.match(idle.stderr, /observer\.clips=9 has no effect: perception\.support is not observer/);
    const moved = oppo(...train, "--run", "moved", ...set("perception.support=reference", "referenceSyncEvery=2"));
    assert.match(moved.stderr, /perception\.support: expected a reference that stays for support reference/);
  });

  test("reference: nothing is learnt, nothing is kept", () => {
    const run = oppo(...train, "--run", "referred", ...set("perception.support=reference"), "--json");
    assert.equal(run.status, 0, run.stderr);
    assert.equal(existsSync(join(root, "referred/observer")), false);
    assert.equal(readStepLog(join(root, "referred/metrics.jsonl")).length, 2);
  });
});
