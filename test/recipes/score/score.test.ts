// `oppo score` from files to reports: several systems and sets, checkpoints, the endpoint, and what the reports say.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { defaultBootstrapOptions } from "../../../src/bench/bootstrap.ts";
import { benchmarkSets } from "../../../src/bench/mer-unibench/compare.ts";
import { publishedRules } from "../../../src/bench/mer-unibench/rules.ts";
import { chooseLexicon, importLexicons } from "../../../src/corpus/lexicons.ts";
import type { GroundTruth } from "../../../src/data/ground-truth.ts";
import { openLexicon } from "../../../src/emotion/open-lexicon/open-lexicon.ts";
import { endpointJudge } from "../../../src/recipes/score/endpoint-judge.ts";
import { explainWord } from "../../../src/recipes/score/explain-text.ts";
import { noteLines, stampLines } from "../../../src/recipes/score/notes.ts";
import { scorePage } from "../../../src/recipes/score/page.ts";
import { rulesFor, type ScoreRequest, score } from "../../../src/recipes/score/score.ts";
import { scoreMarkdown, scoreText } from "../../../src/recipes/score/text.ts";
import { readTruths } from "../../../src/recipes/score/truths.ts";
import { datasetFolder } from "../../support/dataset-folder.ts";
import { startMockEndpoint } from "../../support/mock-endpoint.ts";
import { npzFixtures } from "../../support/npz-fixtures.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const tolerance = 1e-12;

const lines = (rows: readonly Record<string, unknown>[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join("");

/** Three samples of every set of the benchmark, in the shape that readers give. */
function truthOf(dataset: string): GroundTruth {
  const names = ["s1", "s2", "s3"];
  const rows = <T>(values: readonly T[]) => new Map(names.map((name, i) => [name, values[i]!]));
  if (dataset === "OVMERDPlus")
    return { dataset, kind: "open", source: "x", rows: rows(["[happy]", "[sad]", "[angry]"]) };
  if (/MOS|SIMS/.test(dataset)) return { dataset, kind: "sentiment", source: "x", rows: rows([1, -1, -0.5]) };
  return {
    dataset,
    kind: "discrete",
    source: "x",
    labels: ["happy", "sad", "angry"],
    rows: rows(["happy", "sad", "angry"]),
  };
}

/** A folder with one file per set; `wrong` sets have happy everywhere. */
function systemFolder(t: TestContext, wrong: readonly string[]): string {
  const folder = temporaryFolder(t);
  for (const dataset of benchmarkSets) {
    const texts = wrong.includes(dataset) ? ["happy", "happy", "happy"] : ["happy", "sad", "angry"];
    const rows = texts.map((text, i) => ({ name: `s${i + 1}`, text }));
    writeFileSync(join(folder, `${dataset}.jsonl`), lines(rows));
  }
  return folder;
}

function request(t: TestContext, changes: Partial<ScoreRequest>): ScoreRequest {
  const lexicon = openLexicon();
  return {
    systems: [{ name: "ours", path: systemFolder(t, []) }],
    truths: benchmarkSets.map(truthOf),
    lexicon,
    rules: rulesFor(lexicon),
    metric: null,
    checkpoints: "final",
    missing: "refuse",
    columns: {},
    judge: null,
    bootstrap: { ...defaultBootstrapOptions, numResamples: 200 },
    ...changes,
  };
}

test("all nine sets: the mean, the comparison, and every form of the report", async (t) => {
  const systems = [
    { name: "ours", path: systemFolder(t, []) },
    { name: "<b>theirs|", path: systemFolder(t, ["MELD", "CMUMOSI", "OVMERDPlus"]) },
  ];
  const report = await score(request(t, { systems }));
  assert.equal(report.isBenchmark, true);
  const [ours, theirs] = report.systems;
  assert.equal(ours!.mean!.value, 1);
  // MELD: one of three hit. MOSI: F(+) = 1/2 of one sample, F(-) = 0 of two, so 1/6. OV-MERD+: p = r = 1/3 on each wheel.
  const expected = (6 + 1 / 3 + 1 / 6 + 1 / 3) / 9;
  assert.ok(Math.abs(theirs!.mean!.value! - expected) < tolerance, `${theirs!.mean!.value} ${expected}`);
  const mean = report.comparisons.find(({ on }) => on === "mean")!;
  assert.ok(Math.abs(mean.difference.value! - (1 - expected)) < tolerance);
  assert.equal(report.comparisons.length, 10);
  const json = JSON.stringify(report);
  assert.match(json, /"lexicon":\{"name":"built-in","hash":"[0-9a-f]{12}"\}/);
  assert.match(json, /"polaritySource":"wheel polarity \(built-in\)"/);
  const text = scoreText(report);
  assert.match(text, /ours +mean +100\.00/);
  assert.doesNotMatch(text, /AffectGPT-R1|Beside what was published/, "published rows hold for another lexicon");
  const published = scoreText({ ...report, lexicon: { ...report.lexicon, name: "affectgpt" } });
  assert.match(
    published,
    /Beside what was published.*\n.*\n {2}ours +100\.00 .*100\.00 +final checkpoint +this report, lexicon affectgpt\n/,
  );
  assert.match(published, /AffectGPT-R1 .*79\.98/);
  assert.match(text, /Lexicon built-in \([0-9a-f]{12}\): not to be mixed with the published numbers/);
  const markdown = scoreMarkdown(report);
  assert.match(markdown, /\| &lt;b>theirs\\\| \| MELD \| hit rate \| 33\.33 \|/);
  const page = scorePage(report);
  assert.ok(page.includes("&lt;b&gt;theirs|") && !page.includes("<b>theirs"));
  assert.match(page, /per wheel/);
  assert.ok(!/(src|href)="http/.test(page), "the page needs no network");
});

test("one set: per-wheel counts in the terminal; control characters of names do not reach it", async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, "p.csv");
  writeFileSync(file, "name,text\ns1,happy\ns2,sad\ns3,mad; glad\n");
  const systems = [{ name: "a\u001b[31m", path: file }];
  const report = await score(request(t, { systems, truths: [truthOf("OVMERDPlus")] }));
  assert.equal(report.isBenchmark, false);
  assert.equal(report.systems[0]!.mean, null);
  const text = scoreText(report);
  assert.match(text, /wheel5 +level2/);
  assert.match(text, /answers that a reader would understand otherwise: .*: 1 of 3/);
  assert.ok(!text.includes("\u001b"));
});

test("a note is one line, whatever the number of sets and systems; what all systems share is said once", async (t) => {
  const [first, second] = [systemFolder(t, []), systemFolder(t, [])];
  writeFileSync(join(second, "MELD.jsonl"), lines(["s1", "s2", "s3"].map((name) => ({ name, text: "blorp, happy" }))));
  writeFileSync(join(second, "MER2023.jsonl"), lines(["s1", "s2", "s3"].map((name) => ({ name, text: "blorp" }))));
  const truths = ["MER2023", "MELD", "SIMS"].map(truthOf);
  const neutral = {
    ...truthOf("MELD"),
    dataset: "MER2024",
    rows: new Map([
      ["s1", "neutral"],
      ["s2", "sad"],
      ["s3", "neutral"],
    ]),
  };
  const systems = [
    { name: "a", path: first },
    { name: "b", path: second },
  ];
  const { comparisons: _, ...report } = await score(
    request(t, { systems, truths: [...truths, neutral as GroundTruth] }),
  );
  const notes = noteLines({ ...report, comparisons: [] });
  const line = (start: string) => notes.filter((note) => note.startsWith(start));
  assert.deepEqual(line("predicted labels out of"), [
    "predicted labels out of the lexicon's vocabulary, which cost nothing: b MER2023 3 of 3, MELD 3 of 6",
  ]);
  assert.deepEqual(line("samples annotated only"), [
    'samples annotated only with words on no wheel ("neutral" above all), which are not scored (--neutral group): MER2024 2 of 3',
  ]);
  assert.equal(new Set(notes).size, notes.length);
});

test("several splits of one set are told apart, a set asked for twice is scored once, sentences are pointed out", async (t) => {
  const set = (fold: number, role: string) => `MAFW/Train & Test Set/single/no_caption/set_${fold}/${role}.txt`;
  const root = datasetFolder(t, {
    [set(1, "test")]: "1.mp4 anger\n2.mp4 fear\n",
    [set(2, "test")]: "2.mp4 fear\n",
    "p.jsonl": lines(["1", "2"].map((name) => ({ name, text: "<answer>fear</answer>" }))),
  });
  const datasets = ["mafw", "MAFW:fold1-test", "mafw:fold2-test"];
  const { truths } = await readTruths({ datasets, root, file: null, kind: null });
  const systems = [{ name: "a", path: join(root, "p.jsonl") }];
  const report = await score(request(t, { systems, truths }));
  assert.deepEqual(
    report.systems[0]!.sets.map(({ title, metrics }) => [title, metrics.war!.value]),
    [
      ["MAFW fold1-test", 0.5],
      ["MAFW fold2-test", 1],
    ],
  );
  assert.equal(report.systems[0]!.mean!.value, 0.75);
  assert.match(scoreText(report), / +fear +outside +recall\n {2}angry +0 +1 +0 +0\.00\n {2}fear +0 +1 +0 +100\.00\n/);
  // Folds are averaged, as the literature does: recalls 0 and 1 in the first, 1 in the second.
  assert.match(scoreText(report), /\n {2}a +75\.00 \/ 75\.00 +this report\n/);
  assert.match(
    scorePage(report),
    /<td style=";background:color-mix\(in srgb,var\(--video\) 60%,transparent\)">1<\/td>/,
  );
  assert.deepEqual(
    stampLines(report).filter((line) => line.startsWith("Lexicon")),
    [],
    "accuracy needs none",
  );
  const raw = await score(request(t, { systems, truths, rules: { ...publishedRules, singleLabel: "raw" } }));
  assert.ok(stampLines(raw).includes("Other than published: --single-label raw."));
  const spoken = ["He seems to be very happy", "happy", "sad"].map((text, i) => ({ name: `s${i + 1}`, text }));
  writeFileSync(join(root, "MELD.jsonl"), lines(spoken));
  const file = [{ name: "b", path: join(root, "MELD.jsonl") }];
  const [meld] = (await score(request(t, { systems: file, truths: [truthOf("MELD")] }))).systems[0]!.sets;
  assert.equal(meld!.notes.find(({ name }) => name === "sentences")!.count, 1);
});

test("missing samples stop the score, or are said to be empty answers", async (t) => {
  const file = join(temporaryFolder(t), "p.jsonl");
  writeFileSync(
    file,
    lines([
      { name: "s1", text: "happy" },
      { name: "zz", text: "sad" },
    ]),
  );
  const one = { systems: [{ name: "a", path: file }], truths: [truthOf("MELD")] };
  await assert.rejects(score(request(t, one)), { code: "ERR_SCORE_MISSING", message: /got none for 2: s2, s3/ });
  const { systems } = await score(request(t, { ...one, missing: "empty" }));
  const [set] = systems[0]!.sets;
  assert.ok(Math.abs(set!.metrics.hitRate!.value! - 1 / 3) < tolerance);
  assert.deepEqual(
    set!.notes.slice(0, 3).map(({ name, count }) => [name, count]),
    [
      ["missing", 2],
      ["unknown-samples", 1],
      ["empty-answers", 2],
    ],
  );
});

describe("checkpoints", () => {
  /** Official layout: MELD has 10 and 20, SIMS what is given; the earlier one of MELD is right. */
  function runs(t: TestContext, simsCheckpoints: readonly number[]): string {
    const root = temporaryFolder(t);
    const put = (dataset: string, checkpoint: number, texts: readonly string[]) => {
      const folder = join(root, `results-${dataset.toLowerCase()}/run`);
      mkdirSync(folder, { recursive: true });
      const rows = texts.map((text, i) => ({ name: `s${i + 1}`, text }));
      writeFileSync(join(folder, `checkpoint_0000${checkpoint}_loss_0.1-openset.jsonl`), lines(rows));
    };
    put("MELD", 10, ["happy", "sad", "angry"]);
    put("MELD", 20, ["happy", "happy", "happy"]);
    for (const checkpoint of simsCheckpoints) put("SIMS", checkpoint, ["happy", "sad", "angry"]);
    return root;
  }

  test("final takes one for all sets, best flatters and says so", async (t) => {
    const systems = [{ name: "a", path: runs(t, [10, 20]) }];
    const truths = [truthOf("MELD"), truthOf("SIMS")];
    const final = await score(request(t, { systems, truths }));
    const chosen = (report: typeof final) => report.systems[0]!.sets.map(({ checkpoint }) => checkpoint);
    assert.deepEqual(chosen(final), [20, 20]);
    assert.ok(Math.abs(final.systems[0]!.sets[0]!.metrics.hitRate!.value! - 1 / 3) < tolerance);
    const best = await score(request(t, { systems, truths, checkpoints: "best" }));
    assert.deepEqual(chosen(best), [10, 10]);
    assert.equal(best.systems[0]!.sets[0]!.metrics.hitRate!.value, 1);
    assert.match(scoreText(best), /the best of each set, chosen on the test set itself/);
    assert.match(scoreText(best), /checkpoint 10, one of 2/);
    assert.match(scoreText(final), /one final checkpoint for all sets \(a 20\)/);
  });

  test("a set without the final checkpoint is refused", async (t) => {
    const systems = [{ name: "a", path: runs(t, [10]) }];
    const truths = [truthOf("MELD"), truthOf("SIMS")];
    await assert.rejects(score(request(t, { systems, truths })), {
      code: "ERR_SCORE_CHECKPOINT",
      message: /final checkpoint 20 for SIMS/,
    });
  });
});

describe("polarity from an endpoint", () => {
  const options = (t: TestContext, url: string) => ({
    url,
    model: "m",
    key: "secret",
    cacheFolder: join(temporaryFolder(t), "cache/polarity"),
    retryMilliseconds: 1,
  });

  test("each list is asked once, replies are cleaned and kept", async (t) => {
    const { url, requests } = await startMockEndpoint(t, { answer: () => "Output: positive\n" });
    const judgeOptions = options(t, url);
    const judge = endpointJudge(judgeOptions);
    assert.deepEqual(await judge.judge(["[happy]", "[happy]"]), ["positive", "positive"]);
    assert.equal(requests.length, 1);
    assert.match(requests[0]!.body.messages[0].content, /\[happy\] ->$/);
    assert.equal(requests[0]!.authorization, "Bearer secret");
    const offlineOptions = { ...judgeOptions, url: "http://127.0.0.1:1/v1", maxRetries: 0 };
    assert.deepEqual(await endpointJudge(offlineOptions).judge(["[happy]"]), ["positive"]);
    const segment = join(judgeOptions.cacheFolder, "replies-000001.jsonl");
    writeFileSync(segment, `${readFileSync(segment, "utf8")}{"key":"cut o`);
    const offline = endpointJudge(offlineOptions);
    assert.deepEqual(await offline.judge(["[happy]"]), ["positive"]);
    await assert.rejects(async () => offline.judge(["[sad]"]), {
      code: "ERR_ENDPOINT",
      message: /what was answered so far is kept/,
    });
  });

  test("a busy endpoint is asked again, a refusing one is not", async (t) => {
    const faults = ["status-500", "rate-limit"] as const;
    const busy = await startMockEndpoint(t, {
      answer: () => "negative",
      fault: (numBefore) => faults[numBefore] ?? null,
    });
    assert.deepEqual(await endpointJudge(options(t, busy.url)).judge(["[sad]"]), ["negative"]);
    assert.equal(busy.requests.length, 3);
    const refusing = await startMockEndpoint(t, { answer: () => ({ status: 401, body: {} }) });
    await assert.rejects(async () => endpointJudge(options(t, refusing.url)).judge(["[sad]"]), {
      code: "ERR_ENDPOINT",
      message: /status 401/,
    });
    assert.equal(refusing.requests.length, 1);
  });

  test("is stamped into the report; polarity words that were given are not asked about", async (t) => {
    const { url, requests } = await startMockEndpoint(t, { answer: () => "negative" });
    const judge = endpointJudge(options(t, url));
    const truths = [truthOf("SIMS")];
    const report = await score(request(t, { truths, judge }));
    assert.match(scoreText(report), new RegExp(`Polarity of sentiment predictions: m at ${url}`));
    assert.equal(requests.length, 3);
    const file = join(temporaryFolder(t), "p.csv");
    writeFileSync(file, "name,text\ns1,positive\ns2,negative\ns3,neutral\n");
    const given = await score(request(t, { truths, judge, systems: [{ name: "a", path: file }] }));
    assert.equal(given.systems[0]!.sets[0]!.polaritySource, "given");
    assert.equal(given.systems[0]!.sets[0]!.metrics.weightedF!.value, 1);
    assert.equal(requests.length, 3);
  });
});

describe("lexicons and truths of the command line", () => {
  test("an imported lexicon is found by name; none is the built-in one until the published one is there", async (t) => {
    const home = temporaryFolder(t);
    const checkout = temporaryFolder(t);
    writeFileSync(join(checkout, "wheel_mapping.npz"), Buffer.from(npzFixtures.wheelMapping, "base64"));
    assert.equal(chooseLexicon(null, home).name, "built-in");
    assert.throws(() => chooseLexicon("mer2026", home), {
      code: "ERR_LEXICON_UNKNOWN",
      message: /oppo lexicon import/,
    });
    const [imported] = await importLexicons(checkout, home);
    assert.deepEqual([imported!.name, imported!.numForms], ["mer2026", 2]);
    assert.equal(chooseLexicon("mer2026", home).name, "mer2026");
    assert.equal(chooseLexicon(imported!.file, home).name, "mer2026");
    assert.equal(rulesFor(chooseLexicon("mer2026", home)).undefinedWheel, "zero");
    assert.equal(chooseLexicon(null, home).name, "built-in");
    writeFileSync(join(home, "lexicons/affectgpt.json"), readFileSync(imported!.file, "utf8"));
    assert.equal(chooseLexicon(null, home).name, "mer2026", "the file under the published name is taken");
    assert.throws(() => chooseLexicon("../x", home), { code: "ERR_LEXICON_UNKNOWN" });
  });

  test("what to score against must be clear", async (t) => {
    const file = join(temporaryFolder(t), "t.csv");
    writeFileSync(file, "name,emo\ns1,happy\n");
    const ask = (changes: object) => readTruths({ datasets: [], root: null, file: null, kind: null, ...changes });
    await assert.rejects(ask({}), { code: "ERR_SCORE_TRUTH", message: /neither --truth/ });
    await assert.rejects(ask({ file }), { code: "ERR_SCORE_TRUTH", message: /--kind/ });
    await assert.rejects(ask({ file, datasets: ["meld", "mer2023"] }), { code: "ERR_SCORE_TRUTH" });
    await assert.rejects(ask({ root: "/nowhere", datasets: ["nothing"] }), { code: "ERR_DATASET_UNKNOWN" });
    await assert.rejects(ask({ root: "/nowhere", datasets: ["mer-unibench"] }), {
      code: "ERR_SCORE_TRUTH",
      message:
        /expected all 9 sets of mer-unibench, got 0; missing: MER2023 \(\/nowhere\/mer2023-dataset-process\), .*Check --root/,
    });
    const {
      truths: [truth],
    } = await ask({ file, datasets: ["meld"] });
    assert.deepEqual([truth!.dataset, truth!.kind, [...truth!.rows]], ["MELD", "discrete", [["s1", "happy"]]]);
  });

  test("a word's path as text", () => {
    const { text, path } = explainWord(openLexicon(), "Furious");
    assert.match(text, /wheel1 level1: mad \(by furious\); lost: heated \(mad\)/);
    assert.match(text, /Lexicon built-in/);
    assert.equal(path.label, "furious");
    assert.match(explainWord(openLexicon(), "qwxz").text, /out of vocabulary/);
  });
});
