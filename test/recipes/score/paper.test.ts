// A score for a paper: what is refused because a number of it would mislead, what is marked, and the forms that go into a paper.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { defaultBootstrapOptions } from "../../../src/bench/bootstrap.ts";
import type { GroundTruth, OpenTruth, SentimentTruth } from "../../../src/data/ground-truth.ts";
import { openLexicon } from "../../../src/emotion/open-lexicon/open-lexicon.ts";
import { endpointExtractor } from "../../../src/recipes/score/endpoint-extractor.ts";
import { stampLines } from "../../../src/recipes/score/notes.ts";
import { writeOutputs } from "../../../src/recipes/score/outputs.ts";
import { scoreCsv, scoreLatex } from "../../../src/recipes/score/paper.ts";
import { rulesFor, type ScoreRequest, score } from "../../../src/recipes/score/score.ts";
import { scoreText } from "../../../src/recipes/score/text.ts";
import { readTruths } from "../../../src/recipes/score/truths.ts";
import { datasetFolder } from "../../support/dataset-folder.ts";
import { labelArchives } from "../../support/label-archives.ts";
import { startMockEndpoint } from "../../support/mock-endpoint.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const lexicon = openLexicon();
const names = ["s1", "s2", "s3"];
const open: OpenTruth = {
  ...{ dataset: "OVMERDPlus", kind: "open", source: "x" },
  rows: new Map(names.map((name, i) => [name, ["[happy]", "[sad]", "[angry]"][i]!])),
};
const mosi: SentimentTruth = {
  ...{ dataset: "CMUMOSI", kind: "sentiment", source: "x" },
  rows: new Map(names.map((name, i) => [name, [1, -1, -0.5][i]!])),
};

function fileOf(t: TestContext, texts: readonly string[], name = "p.jsonl"): string {
  const file = join(temporaryFolder(t), name);
  writeFileSync(file, texts.map((text, i) => `${JSON.stringify({ name: names[i], text })}\n`).join(""));
  return file;
}

function request(
  paths: Readonly<Record<string, string>>,
  truths: readonly GroundTruth[],
  more: Partial<ScoreRequest> = {},
): ScoreRequest {
  const systems = Object.entries(paths).map(([name, path]) => ({ name, path }));
  const bootstrap = { ...defaultBootstrapOptions, numResamples: 100 };
  const base = { systems, truths, lexicon, rules: rulesFor(lexicon), metric: null, checkpoints: "final" } as const;
  return { ...base, missing: "refuse", columns: {}, judge: null, bootstrap, ...more };
}

const sentences = [
  "The man in the video smiles broadly, which suggests that he is happy.",
  "She is crying and seems deeply sad.",
  "His voice is loud and he is angry about something.",
];

describe("sentences", () => {
  test("are refused with the way to labels, also inside answer tags; labels and polarity words are not", async (t) => {
    const refused = (texts: readonly string[], truth: GroundTruth = open) =>
      assert.rejects(score(request({ a: fileOf(t, texts) }, [truth])), {
        code: "ERR_SCORE_SENTENCES",
        message: /p\.jsonl: expected labels such as .*got sentences in [23] of 3 answers \(".*--extract URL#MODEL/,
      });
    await refused(sentences);
    await refused([...sentences.slice(0, 2), "angry"]);
    await refused(sentences.map((text) => `<think>x</think><answer>${text}</answer>`));
    await refused(sentences, mosi);
    await refused(["\u8fd9\u4e2a\u4eba\u770b\u8d77\u6765\u975e\u5e38\u751f\u6c14", ...sentences.slice(1)]);
    for (const texts of [
      ["happy", "sad", "[angry, out of his mind]"],
      ["a", "b", sentences[2]!],
      ["[glad]", "[]", "[mad]"],
    ]) {
      const report = await score(request({ a: fileOf(t, texts) }, [open]));
      assert.equal(report.systems[0]!.sets[0]!.extractor, null);
    }
    await score(request({ a: fileOf(t, ["positive", "Negative.", "negative"]) }, [mosi]));
  });

  test("a model takes the labels out: kept, in order, useless replies counted as empty answers", async (t) => {
    const answers = ["[happy]", "Output: [sad, unhappy]", "I cannot tell. Perhaps [angry] or [calm]."];
    const endpoint = await startMockEndpoint(t, {
      answer: (body) => {
        const asked = JSON.stringify(body.messages);
        return answers[sentences.findIndex((text) => asked.includes(text.slice(0, 20)))]!;
      },
    });
    const cacheFolder = temporaryFolder(t);
    const extract = async () => {
      using extractor = endpointExtractor({ url: endpoint.url, model: "m", key: null, cacheFolder });
      const report = await score(request({ a: fileOf(t, sentences) }, [open], { extractor }));
      return { report, statistics: extractor.statistics() };
    };
    const first = await extract();
    const [set] = first.report.systems[0]!.sets;
    assert.equal(first.statistics.requests, 3);
    assert.ok(
      Math.abs(set!.metrics.level1!.value! - 2 / 3) < 0.08,
      `two of three are right: ${set!.metrics.level1!.value}`,
    );
    const notes = Object.fromEntries(set!.notes.map(({ name, count }) => [name, count]));
    assert.deepEqual([notes.extracted, notes["unread-extractions"]], [3, 1]);
    assert.match(set!.extractor!, /^m at http/);
    assert.match(scoreText(first.report), /answers in sentences, whose labels m at .* took out: 3 of 3/);
    const second = await extract();
    assert.deepEqual([second.statistics.requests, second.statistics.cached], [0, 3], "replies are kept");
    assert.deepEqual(
      second.report.systems,
      first.report.systems.map((system) => ({
        ...system,
        sets: system.sets.map((one, i) => ({ ...one, file: second.report.systems[0]!.sets[i]!.file })),
      })),
    );
  });

  test("a model that gives no lists is given up, with a sample of what it said; a budget holds", async (t) => {
    const many = Array.from({ length: 80 }, (_, i) => `The person number ${i} is very happy about it.`);
    const endpoint = await startMockEndpoint(t, { answer: () => "As an AI I would rather not say what people feel." });
    const client = { url: endpoint.url, model: "m", key: null, cacheFolder: null };
    using babbling = endpointExtractor(client);
    await assert.rejects(async () => babbling.extract(many), {
      code: "ERR_SCORE_EXTRACT",
      message: /got something else in 50 of the first 50 replies, such as "As an AI/,
    });
    using bounded = endpointExtractor({ ...client, maxRequests: 5 });
    await assert.rejects(async () => bounded.extract(many), { code: "ERR_ENDPOINT_BUDGET" });
  });
});

describe("polarity in a comparison", () => {
  test("of two sources: marked and without p-value, on the mean too; of one source: with p-value", async (t) => {
    const [given, words] = [fileOf(t, ["positive", "negative", "positive"]), fileOf(t, ["happy", "happy", "sad"])];
    const mixed = await score(request({ given, words }, [mosi, { ...mosi, dataset: "SIMS" }]));
    for (const { difference, mixedPolarity } of mixed.comparisons) {
      assert.equal(difference.pValue, null);
      assert.deepEqual(mixedPolarity, ["given", "wheel polarity (built-in)"]);
      assert.notEqual(difference.value, null);
    }
    assert.equal(mixed.comparisons.length, 3);
    assert.match(scoreText(mixed), /given +words +CMUMOSI \(\*\) .* -\n/);
    assert.match(stampLines(mixed).join("\n"), /\(\*\) Polarities of two sources \(given against wheel polarity/);
    const alike = await score(request({ words, others: fileOf(t, ["sad", "happy", "sad"]) }, [mosi]));
    assert.equal(alike.comparisons[0]!.mixedPolarity, null);
    assert.notEqual(alike.comparisons[0]!.difference.pValue, null);
    assert.doesNotMatch(scoreText(alike), /\(\*\)/);
  });
});

describe("a part of the benchmark", () => {
  const root = (t: TestContext) =>
    datasetFolder(t, {
      "mer2023-dataset-process/label-6way.npz": Buffer.from(labelArchives.words, "base64"),
      "meld-process/readme": "",
    });
  const ask = (folder: string, more: object = {}) =>
    readTruths({ datasets: ["mer-unibench"], root: folder, file: null, kind: null, ...more });

  test("missing sets are named with their folders; --partial leaves them out and says how many there are", async (t) => {
    const folder = root(t);
    await assert.rejects(ask(folder), {
      code: "ERR_SCORE_TRUTH",
      message:
        /expected all 9 sets of mer-unibench, got 1; missing: MER2024 \(.*\/mer2024-dataset-process\), MELD \(.*meld-process\/label\.npz\), .*Score the 1 that are there with --partial/,
    });
    const { truths, leftOut } = await ask(folder, { isPartial: true });
    assert.deepEqual([truths.map(({ dataset }) => dataset), leftOut.length], [["MER2023"], 8]);
    const five = ["MER2023", "MER2024", "MELD"].map((dataset) => ({ ...open, dataset }));
    const system = temporaryFolder(t);
    for (const set of ["MER2023", "MELD"])
      writeFileSync(
        join(system, `${set}.jsonl`),
        names.map((name) => `${JSON.stringify({ name, text: "happy" })}\n`).join(""),
      );
    const part = request({ a: system }, five, {
      partial: { leftOut: [{ dataset: "SIMS", why: "/x/sims is missing" }] },
    });
    const report = await score(part);
    assert.deepEqual(report.partial, {
      ...{ numSets: 2, numAll: 4 },
      leftOut: [
        { dataset: "SIMS", why: "/x/sims is missing" },
        { dataset: "MER2024", why: "no predictions of a" },
      ],
    });
    assert.equal(report.isBenchmark, false);
    assert.match(scoreText(report), /a +mean of 2 of 4 /);
    assert.match(
      stampLines(report).join("\n"),
      /In part: 2 of 4 sets, so the mean is not the benchmark's\. Left out: SIMS \(\/x\/sims is missing\), MER2024/,
    );
    await assert.rejects(
      score({ ...part, partial: null }),
      { code: "ERR_SCORE_FILE" },
      "control: without it the file is missed",
    );
  });

  test("comma lists and nearest names", async (t) => {
    const folder = root(t);
    const { truths } = await ask(folder, { datasets: ["mer2023, mer2023", "MER-2023"] });
    assert.equal(truths.length, 1);
    const refused = (name: string, hint: RegExp) =>
      assert.rejects(ask(folder, { datasets: [name] }), { message: hint });
    await refused("mer2023,mosi", /got "mosi"\. Did you mean cmu-mosi\? Choose/);
    await refused("ov-mer", /Did you mean ov-merd or ov-merd-plus\? Choose/);
    await refused("mled", /Did you mean meld\? Choose/);
    await refused("zzz", /got "zzz"\. Choose/);
  });
});

test("LaTeX and CSV hold the numbers of the report, and names cannot break them", async (t) => {
  const paths = { 'a_b & "c", 50%': fileOf(t, ["happy", "sad", "angry"]), plain: fileOf(t, ["happy", "sad", "sad"]) };
  const report = await score(request(paths, [open, { ...open, dataset: "OVMERD" }]));
  const [first, second] = report.systems.map(({ sets }) => (100 * sets[0]!.metrics.level1!.value!).toFixed(2));
  const latex = scoreLatex(report);
  assert.match(latex, /^% Lexicon built-in /);
  assert.ok(latex.includes(`a\\_b \\& "c", 50\\% & ${first} & ${first} & ${first} \\\\\n`), latex);
  assert.ok(latex.includes(`plain & ${second} & `), latex);
  assert.match(latex, /\\begin\{tabular\}\{lrrr\}\n\\toprule\n & OVMERDPlus & OVMERD & mean \\\\\n/);
  const [header, row, ...rows] = scoreCsv(report).split("\n");
  assert.match(header!, /^system,set,split,metric,name,primary,value,low,high,scored,samples,/);
  assert.match(row!, /^"a_b & ""c"", 50%",OVMERDPlus,,ew,level1,1,1,/);
  assert.ok(
    rows.some((line) => /^plain,mean,,,mean,1,0\.\d+,/.test(line)),
    rows.join("\n"),
  );
  const folder = temporaryFolder(t);
  const file = join(folder, "t.tex");
  const both = await writeOutputs(report, { latex: file, csv: "-", html: null });
  assert.deepEqual(both, { printed: scoreCsv(report), written: `written to ${file}\n` });
  assert.equal(readFileSync(file, "utf8"), latex);
  const page = await writeOutputs(report, { html: join(folder, "r.html"), markdown: join(folder, "r.md") });
  assert.equal(page.printed, null);
  assert.match(page.written, /^written to .*r\.md\nwritten to .*r\.html\n$/);
});
