// `oppo score mme-emotion` from files to the report, with a judge behind a server that is good, useless or down.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { mmeTasks } from "../../../src/bench/mme-emotion/tasks.ts";
import { readMmeQuestions } from "../../../src/data/scoring/mme-emotion.ts";
import { encodeClip } from "../../../src/media/encode/encode.ts";
import { type MmeRequest, scoreMmeEmotion } from "../../../src/recipes/score/mme-emotion/mme-emotion.ts";
import { mmeText } from "../../../src/recipes/score/mme-emotion/report.ts";
import { endpointStepJudge } from "../../../src/recipes/score/mme-emotion/step-judge.ts";
import { type MockOptions, startMockEndpoint } from "../../support/mock-endpoint.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const labelSet = ["happy", "sad", "fear"];
const write = (folder: string, path: string, value: unknown) => {
  mkdirSync(join(folder, path, ".."), { recursive: true });
  writeFileSync(join(folder, path), JSON.stringify(value));
};

/** ER-Lab with one label a clip, as the hub has it; ML-ER with two, as the repository has it. */
function benchmark(t: TestContext): string {
  const root = temporaryFolder(t);
  write(root, "ER_Lab.json", [
    { video_id: "ER_Lab/a.mp4", label: "happy", label_set: labelSet },
    { video_id: "ER_Lab/b.mp4", label: "sad", label_set: labelSet },
  ]);
  const base = "MME-Emotion-Dataset/ML-ER";
  write(root, `${base}/question/ML_ER.json`, [{ video_id: "MAFW/c.mp4", label: "sad,fear", label_set: labelSet }]);
  const clue = { video_id: "MAFW/c.mp4", ground_truth: "sad,fear", audio_clue: "a trembling voice" };
  write(root, `${base}/audio_clue/ML_ER_qwen2_audio_clues.json`, [clue]);
  return root;
}

function responses(t: TestContext, rows: Readonly<Record<string, readonly object[]>> = {}): string {
  const folder = temporaryFolder(t);
  const answers: Readonly<Record<string, readonly object[]>> = {
    "ER_Lab_mine.json": [
      { video_id: "ER_Lab/a.mp4", ground_truth: "happy", model_response: "He smiles and laughs. Answer: happy" },
      { video_id: "ER_Lab/b.mp4", ground_truth: "sad", model_response: "" },
    ],
    "ML_ER_mine.json": [{ video_id: "MAFW/c.mp4", ground_truth: "fear,sad", model_response: "fear" }],
    ...rows,
  };
  for (const [name, own] of Object.entries(answers)) write(folder, name, own);
  return folder;
}

function request(root: string, folder: string, changes: Partial<MmeRequest> = {}): MmeRequest {
  return {
    ...{ root, responses: folder, isPartial: true, missing: "refuse", alpha: 0.5, maxMissing: 0 },
    ...{ judge: null, isSeen: false, rows: null, bootstrap: { seed: 1, numResamples: 50, confidence: 0.95 } },
    ...changes,
  };
}

const textOf = (content: unknown) =>
  typeof content === "string" ? content : (content as { text?: string }[]).map(({ text }) => text ?? "").join("");

/** Cuts into "looks" and "sounds" but for bare answers; says that the second step fails. */
const goodJudge: NonNullable<MockOptions["answer"]> = ({ messages, response_format }) => {
  const asked = textOf(messages.at(-1).content);
  if (response_format.json_schema.name === "steps") {
    const isBare = asked.endsWith("fear");
    return JSON.stringify({ steps: isBare ? [] : ["He smiles.", "He laughs."], prediction: isBare ? "fear" : "happy" });
  }
  return JSON.stringify({ holds: asked.includes("He laughs.") ? [1, 0] : [], named: 1 });
};

async function judgeAt(t: TestContext, options: MockOptions, media: string | null = null) {
  const server = await startMockEndpoint(t, options);
  const endpoint = { url: server.url, model: "m", key: null, maxRetries: 1, retryMilliseconds: 1 };
  const cacheFolder = temporaryFolder(t);
  const open = () => {
    const judge = endpointStepJudge({ judge: { ...endpoint, cacheFolder }, steps: null, media });
    t.after(() => judge[Symbol.dispose]());
    return judge;
  };
  return { server, open };
}

describe("mme-emotion", () => {
  test("labels alone need no server, and judged scores have no value then", async (t) => {
    const report = await scoreMmeEmotion(request(benchmark(t), responses(t)));
    assert.deepEqual(
      report.tasks.map(({ name, numClips }) => [name, numClips]),
      [
        ["ER-Lab", 2],
        ["ML-ER", 1],
      ],
    );
    assert.equal(report.pooled.name, "all clips of 2 of 8");
    assert.equal(report.pooled.metrics.labelRecall!.value, (1 + 0 + 0.5) / 3);
    assert.equal(report.pooled.metrics.cot!.value, null);
    const text = mmeText(report);
    assert.match(text, /ER-Lab +- +- +- +- +50\.0 \[/);
    assert.match(text, /No judge: labels alone/);
    assert.match(text, /ER-Lab: 2 questions, where the whole task has 500/);
  });

  test("with a judge: hand-computed, kept, and no request for an empty answer", async (t) => {
    const { server, open } = await judgeAt(t, { answer: goodJudge });
    const [root, folder] = [benchmark(t), responses(t)];
    const rows = join(temporaryFolder(t), "rows.jsonl");
    const report = await scoreMmeEmotion(request(root, folder, { judge: open(), rows }));
    // a: (1 + 0) / 2, rec 1; b: one wrong step; c: no steps, 1 of 2 labels.
    const { recognition, reasoning, cot, steps } = report.pooled.metrics;
    assert.equal(recognition!.value, 0.5);
    assert.equal(reasoning!.value, 0.5 / 3);
    assert.ok(Math.abs(cot!.value! - (0.5 + 0.5 / 3) / 2) < 1e-12);
    assert.equal(steps!.value, (3 + 1 + 1) / 3);
    assert.equal(server.requests.length, 4);
    assert.match(textOf(server.requests.at(-1)!.body.messages[0].content), /a trembling voice/);
    assert.ok(report.notes.some((note) => note.includes("saw no frames")));
    const kept = readFileSync(rows, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.deepEqual(kept[0].scores, [1, 0, 1]);
    assert.deepEqual(kept[1].scores, [0]);
    const again = await scoreMmeEmotion(request(root, folder, { judge: open() }));
    assert.deepEqual(again.pooled, report.pooled);
    assert.equal(server.requests.length, 4);
  });

  test("rows that are judged already are read, and a null score is missing, never zero", async (t) => {
    const judged = [
      { video_id: "ER_Lab/a.mp4", model_response: "x", step: "", score: "<score>Step 1: 1/1, Step 2: 1/1</score>" },
      { video_id: "ER_Lab/b.mp4", model_response: "y", step: "", score: null },
    ];
    const folder = responses(t, { "ER_Lab_mine.json": judged });
    const report = await scoreMmeEmotion(request(benchmark(t), folder, { maxMissing: 0.5 }));
    assert.equal(report.tasks[0]!.metrics.recognition!.value, 1);
    assert.equal(report.tasks[0]!.numMissing, 1);
    await assert.rejects(scoreMmeEmotion(request(benchmark(t), folder)), { code: "ERR_SCORE_JUDGE" });
  });

  test("a judge that gives too few marks, or too many labels, is missing and bounded", async (t) => {
    for (const judgement of [
      { holds: [1], named: 1 },
      { holds: [1, 1], named: 3 },
      { holds: [], named: -1 },
    ]) {
      const answer: MockOptions["answer"] = (body) =>
        body.response_format.json_schema.name === "steps" ? goodJudge(body) : JSON.stringify(judgement);
      const { open } = await judgeAt(t, { answer });
      const [root, folder] = [benchmark(t), responses(t)];
      await assert.rejects(scoreMmeEmotion(request(root, folder, { judge: open() })), { code: "ERR_SCORE_JUDGE" });
      const report = await scoreMmeEmotion(request(root, folder, { judge: open(), maxMissing: 1 }));
      assert.ok(report.pooled.numMissing >= 1);
      assert.equal(report.pooled.metrics.recognition!.count, 3 - report.pooled.numMissing);
    }
  });

  test("a server that is down ends it, and what was answered is not asked again", async (t) => {
    let isDown = true;
    const { server, open } = await judgeAt(t, {
      answer: goodJudge,
      fault: (_, __, body) => (isDown && body.response_format.json_schema.name === "judgement" ? "status-500" : null),
    });
    const [root, folder] = [benchmark(t), responses(t)];
    await assert.rejects(scoreMmeEmotion(request(root, folder, { judge: open() })), { code: "ERR_ENDPOINT" });
    const numCut = server.requests.filter(({ body }) => body.response_format.json_schema.name === "steps").length;
    isDown = false;
    const report = await scoreMmeEmotion(request(root, folder, { judge: open() }));
    assert.equal(report.pooled.metrics.recognition!.value, 0.5);
    const after = server.requests.filter(({ body }) => body.response_format.json_schema.name === "steps").length;
    assert.ok(after <= 2 && numCut >= 1, `${numCut} then ${after}`);
  });

  test("frames are shown where the clips are, and a clip that is not there has no judgement", async (t) => {
    const media = temporaryFolder(t);
    mkdirSync(join(media, "ER_Lab"));
    const frames = Array.from({ length: 8 }, (_, i) => new Uint8Array(32 * 32 * 3).fill(30 * i));
    const silence = { waveform: new Float32Array(0), sampleRateHz: 16000 };
    await encodeClip(join(media, "ER_Lab/a.mp4"), { width: 32, height: 32, fps: 4, frames, ...silence });
    const { server, open } = await judgeAt(t, { answer: goodJudge }, media);
    const given = request(benchmark(t), responses(t), { judge: open(), isSeen: true, maxMissing: 0.4 });
    const report = await scoreMmeEmotion(given);
    assert.equal(report.pooled.numMissing, 1);
    const parts = server.requests.flatMap(({ body }) => [body.messages[0].content].flat());
    const images = parts.filter(({ type }: { type?: string }) => type === "image_url");
    assert.ok(images.length >= 1 && images.length <= 10);
    assert.match(images[0].image_url.url, /^data:image\/jpeg;base64,/);
    const root = benchmark(t);
    write(root, "ER_Lab.json", [{ video_id: "../a.mp4", label: "happy", label_set: labelSet }]);
    const folder = responses(t, { "ER_Lab_mine.json": [{ video_id: "../a.mp4", model_response: "x" }] });
    await assert.rejects(scoreMmeEmotion(request(root, folder, { judge: open(), maxMissing: 1 })), {
      code: "ERR_DATASET_MEDIA_OUTSIDE",
    });
  });

  test("questions of both layouts, with their clues; labels that are joined are parted", (t) => {
    const root = benchmark(t);
    const of = (name: string) => readMmeQuestions(root, mmeTasks.find((task) => task.name === name)!);
    assert.equal(of("SA"), null);
    assert.equal(of("ER-Lab")!.length, 2);
    const [clip] = of("ML-ER")!;
    assert.deepEqual([clip!.labels, clip!.audioClue], [["sad", "fear"], "a trembling voice"]);
    write(root, "SA.json", [{ video_id: "a.mp4", label: "positive", label_set: "positive" }]);
    assert.throws(() => of("SA"), { code: "ERR_SCORE_FILE" });
  });

  test("what does not fit is refused", async (t) => {
    const root = benchmark(t);
    const refused = (folder: string, changes: Partial<MmeRequest>, code: string) =>
      assert.rejects(scoreMmeEmotion(request(root, folder, changes)), { code });
    await refused(responses(t), { isPartial: false }, "ERR_SCORE_TRUTH");
    await refused(join(root, "none"), {}, "ERR_SCORE_FILE");
    await refused(temporaryFolder(t), {}, "ERR_SCORE_FILE");
    const one = [{ video_id: "ER_Lab/a.mp4", model_response: "happy" }];
    await refused(responses(t, { "ER_Lab_mine.json": one }), {}, "ERR_SCORE_MISSING");
    await refused(responses(t, { "ER_Lab_mine.json": [...one, ...one] }), {}, "ERR_SCORE_NAMES");
    const other = [
      { ...one[0], ground_truth: "sad" },
      { video_id: "ER_Lab/b.mp4", model_response: "" },
    ];
    await refused(responses(t, { "ER_Lab_mine.json": other }), {}, "ERR_SCORE_TRUTH");
    const empty = await scoreMmeEmotion(request(root, responses(t, { "ER_Lab_mine.json": one }), { missing: "empty" }));
    assert.equal(empty.tasks[0]!.metrics.labelRecall!.value, 0.5);
  });
});
