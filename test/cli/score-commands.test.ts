// `oppo score` and `oppo lexicon` from the outside, as a person and a shell see them.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { judgeCacheFolder, lexiconPath, oppoHome } from "../../src/run/lexicon-store.ts";
import { datasetFolder } from "../support/dataset-folder.ts";
import { labelArchives } from "../support/label-archives.ts";
import { npzFixtures } from "../support/npz-fixtures.ts";
import { repositoryRoot } from "../support/repository.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const main = join(repositoryRoot, "build/js/src/cli/main.js");

function folderWith(t: TestContext, files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = temporaryFolder(t);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

function oppo(cwd: string, ...args: string[]) {
  const env = { ...process.env, OPPO_HOME: join(cwd, "home") };
  return spawnSync(process.execPath, [main, ...args], { encoding: "utf8", cwd, env });
}

test("two systems against a file: table, JSON, Markdown and page", (t) => {
  const folder = folderWith(t, {
    "truth.csv": 'name,openset\na,"[happy, relieved]"\nb,[furious]\nc,[sad]\n',
    "good.jsonl": '{"name":"a","text":"[glad]"}\n{"name":"b","text":"[angry]"}\n{"name":"c","text":"[gloomy]"}\n',
    "poor.csv": "name,text\na,[sad]\nb,[sad]\nc,[sad]\n",
  });
  const args = [
    "score",
    "good.jsonl",
    "worse=poor.csv",
    "--truth",
    "truth.csv",
    "--kind",
    "open",
    "--resamples",
    "100",
  ];
  const { status, stdout, stderr } = oppo(folder, ...args, "--markdown", "r.md", "--html", "r.html");
  assert.deepEqual([status, stderr], [0, ""]);
  assert.match(stdout, /good +file +EW F1 +\d+\.\d\d +\d+\.\d\d to \d+\.\d\d +3 of 3/);
  assert.match(stdout, /good +worse +file +\d+\.\d\d/);
  assert.match(stdout, /Lexicon built-in \([0-9a-f]{12}\)/);
  assert.match(readFileSync(join(folder, "r.md"), "utf8"), /^### Scores\n\n\| system \| set /);
  assert.match(readFileSync(join(folder, "r.html"), "utf8"), /^<!doctype html>/);
  const json = JSON.parse(oppo(folder, ...args, "--json").stdout);
  const [good, worse] = json.systems.map(
    (system: { sets: { metrics: { level1: { value: number } } }[] }) => system.sets[0]!,
  );
  assert.ok(good.metrics.level1.value > worse.metrics.level1.value);
  assert.equal(json.bootstrap.numResamples, 100);
});

test("a data set in its official layout: neutral is not scored, names may carry an extension", (t) => {
  const data = datasetFolder(t, {
    "mer2023-dataset-process/label-6way.npz": Buffer.from(labelArchives.words, "base64"),
    "cmumosi-process/label.npz": Buffer.from(labelArchives.strengths, "base64"),
    "p.jsonl": '{"name":"sample_00000003","text":"[anxious]"}\n{"name":"samplenew_00000004.avi","text":"[neutral]"}\n',
  });
  const report = JSON.parse(oppo(data, "score", "p.jsonl", "--root", ".", "--dataset", "mer2023", "--json").stdout);
  const [set] = report.systems[0].sets;
  assert.deepEqual([set.dataset, set.metrics.hitRate], ["MER2023", { value: 1, low: 1, high: 1, count: 1 }]);
  const notes = set.notes.map(({ name, count }: { name: string; count: number }) => `${name} ${count}`);
  assert.deepEqual(notes, ["by-stem 1", "unknown-labels 1", "neutral-predicted 1", "unscored 1"]);
  const strengths = oppo(data, "score", "p.jsonl", "--root", ".", "--dataset", "cmu-mosi");
  assert.match(strengths.stderr, /label\.npz:3: .*sentiment 7 is not within -3 to 3/);
});

test("what is wrong is one sentence with file and line", (t) => {
  const folder = folderWith(t, {
    "truth.csv": "name,val\na,0.5\nb,NaN\n",
    "p.jsonl": '{"name":"a","text":"positive"}\n',
    "evil.npz": Buffer.from(npzFixtures.hostile, "base64"),
  });
  const nan = oppo(folder, "score", "p.jsonl", "--truth", "truth.csv", "--kind", "sentiment");
  assert.equal(nan.status, 1);
  assert.match(nan.stderr, /^oppo: truth\.csv:3: expected a sentiment strength, got "NaN".*\[ERR_TRUTH_VALUE\]\n$/);
  writeFileSync(join(folder, "truth.csv"), "name,val\na,0.5\nb,1\n");
  const evil = oppo(folder, "score", "evil.npz", "--truth", "truth.csv", "--kind", "sentiment");
  assert.match(evil.stderr, /Nothing was executed.*\[ERR_NPZ_REFUSED\]\n$/);
  const missing = oppo(folder, "score", "p.jsonl", "--truth", "truth.csv", "--kind", "sentiment");
  assert.match(missing.stderr, /got none for 1: b\. .*\[ERR_SCORE_MISSING\]\n$/);
  const usage = oppo(folder, "score", "p.jsonl", "--truth", "truth.csv", "--kind", "feelings");
  assert.equal(usage.status, 2);
});

test("a lexicon is imported, chosen and explained", (t) => {
  const folder = folderWith(t, { "wheel_mapping.npz": Buffer.from(npzFixtures.wheelMapping, "base64") });
  const imported = oppo(folder, "lexicon", "import", ".");
  assert.deepEqual([imported.status, imported.stderr], [0, ""]);
  assert.match(
    imported.stdout,
    /^mer2026 \([0-9a-f]{12}\): 2 word forms, from wheel_mapping\.npz, kept as .*home\/lexicons\/mer2026\.json\n$/,
  );
  const explained = oppo(folder, "lexicon", "explain", "Fears", "--lexicon", "mer2026");
  assert.match(explained.stdout, /fear: scared\n.*\n {2}wheel1 level1: fearful \(by scared\)\n/);
  const json = JSON.parse(oppo(folder, "lexicon", "explain", "furious", "--json").stdout);
  assert.deepEqual(json.wheels[0].chosen, { word: "furious", group: "mad" });
  assert.match(oppo(folder, "lexicon", "import", "/nowhere").stderr, /\[ERR_LEXICON_ABSENT\]\n$/);
});

test("what is kept lies in one folder, which can be chosen", () => {
  assert.equal(oppoHome({ OPPO_HOME: "/x" }), "/x");
  assert.match(oppoHome({ OPPO_HOME: "" }), /\.oppo$/);
  assert.equal(lexiconPath("/x", "affectgpt"), "/x/lexicons/affectgpt.json");
  assert.equal(judgeCacheFolder("/x"), "/x/cache/polarity");
});

test("MME-Emotion and closed questions, from files to tables and JSON", (t) => {
  const folder = folderWith(t, {
    "IR.json": '[{"video_id":"a.mp4","label":"happy","label_set":["happy","sad"]}]',
    "IR_mine.json": '[{"video_id":"a.mp4","model_response":"happy"}]',
    "questions.jsonl": '{"id":"1","answer":"yes","pair":"p"}\n{"id":"2","answer":"no","pair":"p"}\n',
    "answers.jsonl": '{"id":"1","text":"Yes"}\n{"id":"2","text":"yes"}\n',
  });
  const mme = oppo(folder, "score", "mme-emotion", "IR_mine.json", "--root", ".", "--partial");
  assert.deepEqual([mme.status, mme.stderr], [0, ""]);
  assert.match(mme.stdout, /all clips of 1 of 8 +- +- +- +- +100\.0 \[2\.5, 100\.0\]/);
  const closed = oppo(folder, "score", "questions", "answers.jsonl", "--questions", "questions.jsonl", "--json");
  const report = JSON.parse(closed.stdout);
  assert.equal(report.schema, "oppo.score-questions/1");
  assert.equal(report.systems[0].all.metrics.pairRight.value, 0);
  assert.equal(oppo(folder, "score", "mme-emotion", "IR_mine.json", "--root", ".").status, 1);
});
