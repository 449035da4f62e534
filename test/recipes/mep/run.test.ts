// `oppo mep run` of a small model of ours: killed at any point it ends with the very files of an undisturbed run; a masked
// modality left out; clips let go when memory is short; media that changed.

import assert from "node:assert/strict";
import { appendFileSync, cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { buildMepSet } from "../../../src/recipes/mep/build.ts";
import { compareResults, comparisonPage, comparisonText } from "../../../src/recipes/mep/compare.ts";
import { readResults } from "../../../src/recipes/mep/results.ts";
import { type MepRun, runMepSet } from "../../../src/recipes/mep/run.ts";
import { InterruptedError } from "../../../src/run/interrupt.ts";
import { startMockEndpoint } from "../../support/mock-endpoint.ts";
import { quietRun } from "../../support/quiet-run.ts";
import { emotionDefaults } from "../../support/setting-options.ts";
import { type SmallTheatre, smallTheatre } from "../../support/small-theatre.ts";

let theatre: SmallTheatre;
let at: (name: string) => string;
let model: string;
const setting = { ...emotionDefaults, similarityThreshold: 0.5 };

before(async () => {
  theatre = await smallTheatre(8, "congruent");
  at = (name) => join(theatre.root, name);
  model = theatre.freshModel(1);
  await buildMepSet({
    ...quietRun(),
    ...{ data: theatre.samplesFile, dataset: null, cues: null, mediaRoot: null, maxSkippedRows: 0, conflict: null },
    ...{ name: "small", out: at("set"), maxCandidates: 100, options: {} },
    setting: { ...setting, embedder: "auto", question: null },
  });
});
after(() => theatre[Symbol.dispose]());

function run(out: string, changes: Partial<MepRun> = {}) {
  return runMepSet({
    ...quietRun(),
    set: at("set"),
    system: { kind: "local", directory: model, batchSize: 64 },
    name: null,
    out: at(out),
    mediaRoot: null,
    embedder: null,
    decompose: null,
    answerStyle: "tagged",
    masked: "blank",
    maxNewTokens: 8,
    maxClipBytes: 1 << 30,
    setting,
    ...changes,
  });
}

const files = (out: string) =>
  Object.fromEntries(
    ["results.json", "answers.jsonl", "report.html"].map((name) => [name, readFileSync(join(at(out), name), "utf8")]),
  );
const answersOf = (out: string) =>
  files(out)
    ["answers.jsonl"]!.trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

/** Three per cue that is asked for, and the adversarial controls. */
const numProbes = ({
  probesVideo,
  probesAudio,
  adversarialVideo,
  adversarialAudio,
}: Readonly<Record<string, number>>) => 3 * (probesVideo! + probesAudio!) + adversarialVideo! + adversarialAudio!;

/** Stops at the n-th safe point, as Ctrl-C between two batches does. */
function stoppingAt(n: number) {
  const { interrupt } = quietRun();
  let seen = 0;
  return {
    ...interrupt,
    safePoint: async () => {
      if (++seen === n) throw new InterruptedError();
    },
  };
}

describe("a model of ours", () => {
  test("stopped after every batch, and cut off within a line, ends with the files of an undisturbed run", async () => {
    const { results } = await run("whole");
    assert.equal(results.report.format!.count, 8);
    assert.equal(answersOf("whole").length, 5 * 8 + numProbes(results.set.counts));
    const log = join(at("stopped"), "answers.partial.jsonl");
    for (let n = 1; n <= 3; n++) {
      await assert.rejects(run("stopped", { interrupt: stoppingAt(n) }), { code: "ERR_INTERRUPTED" });
      assert.equal(readFileSync(log, "utf8").trimEnd().split("\n").length, n, "what was asked is not asked again");
      appendFileSync(log, '{"key":"cut o');
    }
    await run("stopped");
    assert.deepEqual(files("stopped"), files("whole"));
    assert.ok(!existsSync(log));
    // another model must not go on in this folder
    await assert.rejects(
      run("stopped", { system: { kind: "local", directory: theatre.freshModel(2), batchSize: 64 } }),
      {
        code: "ERR_RUN_DIFFERS",
      },
    );
  });

  test("other masks are part of what the run is, and change what is seen and nothing else", async () => {
    const masks = { video: { kind: "grey", dose: 1 }, audio: { kind: "babble", dose: 1 } };
    const { results } = await run("degraded", { masks });
    const { results: blank } = await run("blank");
    assert.deepEqual([results.settings.videoMask, results.settings.audioMask], ["grey:1", "babble:1"]);
    assert.equal("videoMask" in blank.settings, false);
    assert.match(files("degraded")["report.html"]!, /a masked sound shown with babble:1/);
    assert.deepEqual(results.groups, blank.groups);
    assert.deepEqual(results.measures.recall, blank.measures.recall);
    assert.notEqual(results.report.accFirstLineVideo!.value, undefined);
    const asked = (out: string) => answersOf(out).map(({ part, sample, prompt }) => [part, sample, prompt]);
    assert.deepEqual(asked("degraded"), asked("blank"));
    const texts = (out: string, part: string) => answersOf(out).flatMap((row) => (row.part === part ? [row.text] : []));
    assert.deepEqual(texts("degraded", "intact"), texts("blank", "intact"));
    // A folder of other masks is another run's.
    await assert.rejects(run("degraded"), { code: "ERR_RUN_DIFFERS" });
  });

  test("stopped while its reasonings are taken apart, keeps its answers", async (t) => {
    const helper = await startMockEndpoint(t, {
      answer: () => JSON.stringify({ visual_cues: [], audio_cues: [], emotion_cues: [] }),
    });
    const by = { url: helper.url, model: "helper", key: null, cacheFolder: at("helped"), concurrency: 1 };
    const decomposed = (maxRequests: number) => ({ decompose: { by: { ...by, maxRequests }, maxSkipped: 0 } });
    await assert.rejects(run("halfway", decomposed(2)), { code: "ERR_ENDPOINT_BUDGET" });
    // The answers come from the log: one that is changed there stays changed.
    const log = join(at("halfway"), "answers.partial.jsonl");
    const rows = readFileSync(log, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const marked = "<think>a mark</think><answer>no</answer>";
    rows[0].texts[0] = marked;
    writeFileSync(log, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    const { results } = await run("halfway", decomposed(1000));
    assert.equal(answersOf("halfway")[0].text, marked);
    assert.equal(results.report.recallCosine!.value, 0, "nothing is stated, says who took them apart");
    const bodies = helper.requests.map(({ body }) => JSON.stringify(body));
    assert.equal(new Set(bodies).size, bodies.length, "nobody is asked twice");
    assert.ok(!existsSync(join(at("halfway"), "answers.partial.jsonl")));
  });

  test("answers the same with clips let go in between, differently with another way of masking", async () => {
    await run("roomy");
    await run("tight", { maxClipBytes: 1 });
    assert.deepEqual(answersOf("tight"), answersOf("roomy"));
    const { results } = await run("dropped", { masked: "dropped" });
    assert.equal(results.settings.masked, "dropped");
    const texts = (out: string, part: string) =>
      answersOf(out)
        .filter((row) => row.part === part)
        .map((row) => row.text);
    assert.deepEqual(texts("dropped", "intact"), texts("roomy", "intact"));
    assert.notDeepEqual(texts("dropped", "maskedVideo"), texts("roomy", "maskedVideo"));
    assert.notDeepEqual(texts("roomy", "swappedAudio"), texts("roomy", "intact"));
  });

  test("is shown with every clip, and nothing on the page is fetched", async () => {
    await run("shown");
    const page = files("shown")["report.html"]!;
    for (const { id } of theatre.samples) assert.ok(page.includes(`<article class="sample clip" id="${id}"`), id);
    assert.equal(
      page.match(/<video [^>]*poster="data:image\/jpeg;base64,[^"]+" src="data:video\/mp4;base64,/g)!.length,
      8,
    );
    assert.doesNotMatch(page, /(?:src|href)="(?!data:)/);
    // a fresh model babbles: said, not scored in silence
    assert.match(page, /probes: \d+ of \d+ answers are no readable yes or no: they count as wrong/);
    assert.match(page, /HumanOmni-V2<\/th><td>80\.17 \(oracle\)<\/td><td>48\.40<\/td><td>37\.60/);
    assert.match(page, /\(this run\)<\/th>/);
  });

  test("is refused where a clip is another file, or is gone", async () => {
    cpSync(theatre.corpus, at("moved"), { recursive: true });
    const [first, second] = theatre.samples;
    await run("elsewhere", { mediaRoot: at("moved") });
    writeFileSync(join(at("moved"), first!.media), readFileSync(join(at("moved"), second!.media)));
    await assert.rejects(run("changed", { mediaRoot: at("moved") }), {
      code: "ERR_MEP_MEDIA",
      message: /1 that cannot be used: .*is another file than when the set was made/,
    });
    await assert.rejects(run("gone", { mediaRoot: at("nowhere") }), {
      code: "ERR_MEP_MEDIA",
      message: /8 that cannot be used: .* is not there; .*and 5 more/,
    });
  });

  test("compares with another one on the same clips only", async () => {
    await run("one", { name: "one" });
    await run("two", {
      name: "two",
      system: { kind: "local", directory: theatre.freshModel(2), batchSize: 64 },
      maxNewTokens: 9,
    });
    const [one, two] = [readResults(at("one")), readResults(at("two"))];
    const { differences, notes } = compareResults(one, two);
    assert.deepEqual(notes, ["asked differently: maxNewTokens is 8 and 9"]);
    for (const [name, { value }] of Object.entries(differences)) {
      const [left, right] = [one.report[name]!.value, two.report[name]!.value];
      if (value !== null) assert.ok(Math.abs(value - (left! - right!)) < 1e-12, name);
    }
    const same = compareResults(one, one);
    assert.deepEqual([same.differences.format!.value, same.differences.format!.pValue], [0, 1]);
    assert.match(comparisonText(same), /Acc@V +[\d.]+ +[\d.]+ +0\.00 +1\.000/);
    assert.match(
      comparisonPage(compareResults(one, two)),
      /one less two.*maxNewTokens is 8 and 9|maxNewTokens is 8 and 9/s,
    );
    assert.throws(() => compareResults(one, { ...two, set: { ...two.set, hash: "0".repeat(64) } }), {
      code: "ERR_MEP_COMPARE",
      message: /expected two results of one set/,
    });
    assert.throws(() => compareResults(one, { ...two, groups: { ...two.groups, congruent: [] } }), {
      code: "ERR_MEP_COMPARE",
    });
    writeFileSync(at("odd.json"), '{"format":"oppo-mep-results"}');
    assert.throws(() => readResults(at("odd.json")), { code: "ERR_MEP_RESULTS" });
  });
});
