// What people bring to be scored: files of predictions and of ground truth, good and bad.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import type { OpenTruth } from "../../../src/data/ground-truth.ts";
import { alignPredictions } from "../../../src/data/scoring/align.ts";
import { predictionFiles } from "../../../src/data/scoring/prediction-files.ts";
import { readPredictions } from "../../../src/data/scoring/predictions.ts";
import { readTruthFile } from "../../../src/data/scoring/truth-file.ts";
import { npzFixtures } from "../../support/npz-fixtures.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

function put(t: TestContext, name: string, content: string | Uint8Array): string {
  const file = join(temporaryFolder(t), name);
  writeFileSync(file, content);
  return file;
}

const textsOf = (t: TestContext, name: string, content: string | Uint8Array) => [
  ...readPredictions(put(t, name, content)).texts,
];

describe("predictions", () => {
  test("JSON lines, JSON, CSV and both NumPy layouts read alike", (t) => {
    const expected = [
      ["a", "[happy]"],
      ["b", null],
    ];
    assert.deepEqual(textsOf(t, "x.jsonl", '{"name":"a","text":"[happy]"}\n\n{"name":"b","text":null}\n'), expected);
    assert.deepEqual(textsOf(t, "x.json", '[{"id":"a","response":"[happy]"},{"id":"b"}]'), expected);
    assert.deepEqual(textsOf(t, "x.json", '{"a":"[happy]","b":null}'), expected);
    assert.deepEqual(textsOf(t, "x.csv", '\uFEFFname,openset\r\na,[happy]\r\n"b","x, ""y"""\r\n'), [
      ["a", "[happy]"],
      ["b", 'x, "y"'],
    ]);
    assert.deepEqual(textsOf(t, "x.npz", Buffer.from(npzFixtures.reasons, "base64")), [
      ["s1", "[happy, \u5f00\u5fc3]"],
      ["s2", ""],
    ]);
    assert.deepEqual(textsOf(t, "x.npz", Buffer.from(npzFixtures.openset, "base64")), [
      ["s1", "[a, \u{1F600}]"],
      ["s22", "[]"],
    ]);
    assert.deepEqual(textsOf(t, "x.jsonl", '{"name":1,"labels":["a","b, c"]}'), [["1", ["a", "b, c"]]]);
  });

  test("a polarity column or file is known as one", (t) => {
    assert.equal(readPredictions(put(t, "x.csv", "name,sentiment\na,positive\n")).isPolarity, true);
    const npz = put(t, "checkpoint_1-openset-sentiment.npz", Buffer.from(npzFixtures.openset, "base64"));
    assert.equal(readPredictions(npz).isPolarity, true);
    assert.equal(readPredictions(put(t, "x.csv", "name,text\na,positive\n")).isPolarity, false);
  });

  test("bad files are refused with file and line", (t) => {
    const cases: readonly [name: string, content: string | Uint8Array, code: string, message: RegExp][] = [
      ["x.jsonl", '{"name":"a","text":"x"}\nnot json', "ERR_SCORE_FILE", /x\.jsonl:2: expected JSON/],
      ["x.jsonl", '{"name":"a","text":"x"}\n[1]', "ERR_SCORE_FILE", /x\.jsonl:2: expected a JSON object/],
      ["x.jsonl", "", "ERR_SCORE_FILE", /at least one row/],
      ["x.jsonl", '{"name":"a","score":1}', "ERR_SCORE_FILE", /--text-column/],
      ["x.jsonl", '{"name":"","text":"x"}', "ERR_SCORE_NAMES", /x\.jsonl:1: expected a sample's name/],
      ["x.jsonl", '{"name":"a","text":{"b":1}}', "ERR_SCORE_FILE", /x\.jsonl:1: expected a text/],
      [
        "x.jsonl",
        '{"name":"a","text":"x"}\n{"name":"a","text":"y"}',
        "ERR_SCORE_NAMES",
        /x\.jsonl:2: .*"a" here and in line 1/,
      ],
      ["x.csv", "name,text\na\n", "ERR_SCORE_FILE", /x\.csv:2/],
      ["x.csv", 'name,text\na,"open\n', "ERR_SCORE_FILE", /x\.csv:\d/],
      ["x.csv", Buffer.from([0x6e, 0x0a, 0xff, 0xfe]), "ERR_SCORE_FILE", /UTF-8/],
      ["x.pkl", "x", "ERR_SCORE_FILE", /ends in \.jsonl/],
      ["x.npz", Buffer.from(npzFixtures.hostile, "base64"), "ERR_NPZ_REFUSED", /Nothing was executed/],
      ["x.npz", Buffer.from(npzFixtures.labels, "base64"), "ERR_SCORE_FILE", /expected name2reason/],
      ["x.npz", "no zip", "ERR_NPZ_UNREADABLE", /x\.npz/],
    ];
    for (const [name, content, code, message] of cases) {
      assert.throws(() => readPredictions(put(t, name, content)), { code, message }, String(message));
    }
  });

  test("texts that are none, as only archives can hold them, are refused and shown", (t) => {
    const folder = temporaryFolder(t);
    const refused = (name: "loop" | "dict", message: RegExp) => {
      const file = join(folder, `${name}.npz`);
      writeFileSync(file, Buffer.from(npzFixtures[name], "base64"));
      assert.throws(() => readPredictions(file), { code: "ERR_SCORE_FILE", message });
    };
    refused("loop", /loop\.npz:1: expected a text or a list of labels, got a list of 2 with something else than texts/);
    refused("dict", /dict\.npz:1: expected a text or a list of labels, got a dict of 1\./);
  });

  test("what trainers write: clips as lists of one, the answer beside the annotation, completions as messages", (t) => {
    const rows = (...list: readonly object[]) => list.map((row) => JSON.stringify(row)).join("\n");
    const swift = { response: "<answer>angry</answer>", labels: "gold", logprobs: null, messages: [] };
    assert.deepEqual(textsOf(t, "x.jsonl", rows({ ...swift, videos: ["/data/s1.mp4"] })), [
      ["/data/s1.mp4", "<answer>angry</answer>"],
    ]);
    assert.deepEqual(textsOf(t, "x.jsonl", rows({ ...swift, images: [{ bytes: null, path: "s1.png" }] })), [
      ["s1.png", "<answer>angry</answer>"],
    ]);
    const named = put(t, "x.jsonl", rows({ ...swift, id: "other", videos: ["s1.mp4"] }));
    assert.deepEqual([...readPredictions(named, { name: "videos" }).texts.keys()], ["s1.mp4"]);
    assert.deepEqual([...readPredictions(named).texts.keys()], ["other"]);
    assert.deepEqual(textsOf(t, "x.jsonl", rows({ name: "a", predict: "sad", label: "gold" })), [["a", "sad"]]);
    const completion = [{ role: "assistant", content: "<answer>sad</answer>" }];
    assert.deepEqual(textsOf(t, "x.jsonl", rows({ id: "a", prompt: [], completion })), [["a", "<answer>sad</answer>"]]);
  });

  test("rows of trainers that name no sample are refused with who writes them and what to do", (t) => {
    const refused = (row: object, code: string, message: RegExp) =>
      assert.throws(
        () => readPredictions(put(t, "x.jsonl", JSON.stringify(row))),
        { code, message },
        JSON.stringify(row),
      );
    const order = (writer: string) =>
      new RegExp(`looks like ${writer}, whose rows stand in the order of the data file`);
    refused(
      { prompt: "p", predict: "angry", label: "angry" },
      "ERR_SCORE_FILE",
      order("LLaMA-Factory's generated_predictions.jsonl"),
    );
    refused({ input: "p", output: "o", gts: "g", score: 1 }, "ERR_SCORE_FILE", order("verl's rollout dump"));
    refused({ prompt: "p", completion: "o" }, "ERR_SCORE_FILE", order("TRL's completions"));
    refused(
      { response: "r", labels: "g", messages: [] },
      "ERR_SCORE_FILE",
      order("swift infer's result without clips"),
    );
    refused(
      { response: "r", videos: ["a.mp4", "b.mp4"] },
      "ERR_SCORE_NAMES",
      /got a list of 2\. A list names a sample where it holds one path/,
    );
    refused({ response: "r", videos: [] }, "ERR_SCORE_NAMES", /got a list of 0\./);
    refused({ text: "r", score: 1 }, "ERR_SCORE_FILE", /--text-column\.$/);
  });

  test("a name that comes twice with the same text is counted", (t) => {
    const file = put(t, "x.jsonl", '{"name":"a","text":"x"}\n{"name":"a","text":"x"}');
    assert.deepEqual(readPredictions(file).repeatedNames, ["a"]);
  });
});

describe("ground truth", () => {
  test("three kinds of annotation", (t) => {
    const csv = put(t, "x.csv", 'name,openset,label,val\na,"[happy, sad]",Happy,-0.5\nb,,sad,0\n');
    assert.deepEqual(
      [...readTruthFile(csv, { dataset: "d", kind: "open" }).rows],
      [
        ["a", "[happy, sad]"],
        ["b", ""],
      ],
    );
    const discrete = readTruthFile(csv, { dataset: "d", kind: "discrete" });
    assert.deepEqual(
      [...discrete.rows],
      [
        ["a", "happy"],
        ["b", "sad"],
      ],
    );
    assert.deepEqual(discrete.kind === "discrete" && discrete.labels, ["happy", "sad"]);
    assert.deepEqual(
      [...readTruthFile(csv, { dataset: "d", kind: "sentiment" }).rows],
      [
        ["a", -0.5],
        ["b", 0],
      ],
    );
  });

  test("annotations that are none, and names that come twice, are refused with file and line", (t) => {
    const cases: readonly [string, "open" | "discrete" | "sentiment", string][] = [
      ['{"name":"a","val":0.5}\n{"name":"b","val":"NaN"}', "sentiment", "ERR_TRUTH_VALUE"],
      ['{"name":"a","val":0.5}\n{"name":"b","val":null}', "sentiment", "ERR_TRUTH_VALUE"],
      ['{"name":"a","val":0.5}\n{"name":"b","val":""}', "sentiment", "ERR_TRUTH_VALUE"],
      ['{"name":"a","label":"happy"}\n{"name":"b","label":" "}', "discrete", "ERR_TRUTH_VALUE"],
      ['{"name":"a","openset":"happy"}\n{"name":"b","openset":7}', "open", "ERR_TRUTH_VALUE"],
      ['{"name":"a","openset":"happy"}\n{"name":"a","openset":"happy"}', "open", "ERR_SCORE_NAMES"],
    ];
    for (const [content, kind, code] of cases) {
      const file = put(t, "x.jsonl", content);
      assert.throws(() => readTruthFile(file, { dataset: "d", kind }), { code, message: /x\.jsonl:2: / }, content);
    }
  });
});

describe("where a system's files lie", () => {
  test("a file, a folder with a file per set, the official layout with its stages and checkpoints", (t) => {
    const root = temporaryFolder(t);
    const runs = join(root, "results-cmumosi/run1");
    mkdirSync(runs, { recursive: true });
    for (const stem of ["checkpoint_000060_loss_0.3", "checkpoint_000030_loss_0.4"]) {
      for (const stage of ["", "-openset", "-openset-sentiment"]) writeFileSync(join(runs, `${stem}${stage}.npz`), "");
    }
    writeFileSync(join(root, "mer-2023.jsonl"), "");
    const names = (dataset: string, wantsPolarity: boolean) =>
      predictionFiles(root, dataset, wantsPolarity).map(({ path, checkpoint }) => [
        path.slice(root.length + 1),
        checkpoint,
      ]);
    assert.deepEqual(names("CMUMOSI", true), [
      ["results-cmumosi/run1/checkpoint_000030_loss_0.4-openset-sentiment.npz", 30],
      ["results-cmumosi/run1/checkpoint_000060_loss_0.3-openset-sentiment.npz", 60],
    ]);
    assert.deepEqual(names("CMUMOSI", false)[1], ["results-cmumosi/run1/checkpoint_000060_loss_0.3-openset.npz", 60]);
    assert.deepEqual(names("MER2023", false), [["mer-2023.jsonl", null]]);
    assert.throws(() => names("MELD", false), { code: "ERR_SCORE_FILE", message: /MELD\.jsonl/ });
    assert.throws(() => predictionFiles(join(root, "nowhere"), "MELD", false), { code: "ERR_SCORE_FILE" });
    const file = join(root, "mer-2023.jsonl");
    assert.deepEqual(predictionFiles(file, "anything", false), [{ path: file, checkpoint: null, insteadOf: null }]);
    const raw = join(runs, "checkpoint_000060_loss_0.3.npz");
    const staged = (path: string, wantsPolarity: boolean) => {
      const [found] = predictionFiles(path, "CMUMOSI", wantsPolarity);
      return [found!.path.slice(runs.length + 1), found!.checkpoint, found!.insteadOf?.slice(runs.length + 1) ?? null];
    };
    const [bare, openset, polarity] = ["", "-openset", "-openset-sentiment"].map(
      (stage) => `${"checkpoint_000060_loss_0.3"}${stage}.npz`,
    );
    assert.deepEqual(staged(raw, false), [openset, 60, bare], "what lies beside a raw archive goes before it");
    assert.deepEqual(staged(raw, true), [polarity, 60, bare]);
    assert.deepEqual(staged(join(runs, openset!), true), [polarity, 60, openset]);
    assert.deepEqual(staged(join(runs, openset!), false), [openset, 60, null], "control: no later stage helps");
    const alone = join(root, "checkpoint_1.npz");
    writeFileSync(alone, "");
    assert.deepEqual(predictionFiles(alone, "CMUMOSI", true), [{ path: alone, checkpoint: 1, insteadOf: null }]);
  });
});

describe("predictions in the order of the truth", () => {
  const truth: OpenTruth = {
    dataset: "d",
    kind: "open",
    source: "x",
    rows: new Map([
      ["a", "x"],
      ["b", "y"],
      ["c", "z"],
    ]),
  };
  const predictions = (texts: Record<string, string>) => ({
    file: "p.jsonl",
    texts: new Map(Object.entries(texts)),
    repeatedNames: [],
    isPolarity: false,
  });

  test("unknown names are counted; folders and media extensions may differ", () => {
    const aligned = alignPredictions(
      truth,
      predictions({ c: "3", "clips/a.mp4": "1", "b.wav": "2", d: "4" }),
      "refuse",
    );
    assert.deepEqual(aligned, { texts: ["1", "2", "3"], missing: [], unknown: ["d"], numByStem: 2 });
  });

  test("a missing prediction is an error, or an empty answer, and never left out", () => {
    const partial = predictions({ a: "1", c: "3" });
    assert.throws(() => alignPredictions(truth, partial, "refuse"), {
      code: "ERR_SCORE_MISSING",
      message: /each of the 3 samples of d, got none for 1: b\./,
    });
    const aligned = alignPredictions(truth, partial, "empty");
    assert.deepEqual([aligned.texts, aligned.missing], [["1", null, "3"], ["b"]]);
    assert.throws(() => alignPredictions(truth, predictions({ x1: "1" }), "empty"), { message: /look like "x1"/ });
  });

  test("two predictions of one stem are refused when the set needs them", () => {
    assert.throws(
      () => alignPredictions(truth, predictions({ "u/a.mp4": "1", "v/a.mp4": "2", b: "", c: "" }), "refuse"),
      {
        code: "ERR_SCORE_NAMES",
      },
    );
  });
});
