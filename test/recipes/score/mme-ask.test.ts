// `oppo score mme-emotion --ask`: a served model answers the tasks that have no responses yet, as response files.
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { encodeClip } from "../../../src/media/encode/encode.ts";
import { askMmeEmotion } from "../../../src/recipes/score/mme-emotion/ask.ts";
import { scoreMmeEmotion } from "../../../src/recipes/score/mme-emotion/mme-emotion.ts";
import { type MockOptions, startMockEndpoint } from "../../support/mock-endpoint.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

/** One clip with a sound of each of two tasks, and one without. */
async function benchmark(t: TestContext) {
  const root = temporaryFolder(t);
  const clip = async (name: string, numSamples: number) => {
    const frames = Array.from({ length: 4 }, (_, i) => new Uint8Array(32 * 32 * 3).fill(40 * i + name.length));
    const waveform = new Float32Array(numSamples).fill(0.1);
    await encodeClip(join(root, name), { width: 32, height: 32, fps: 4, frames, waveform, sampleRateHz: 16000 });
  };
  await clip("a.mp4", 16000);
  await clip("mute.mp4", 0);
  const labelSet = ["happy", "sad", "fear"];
  const write = (name: string, rows: readonly object[]) => writeFileSync(join(root, name), JSON.stringify(rows));
  write("IR.json", [
    { video_id: "a.mp4", label: "happy", label_set: labelSet },
    { video_id: "mute.mp4", label: "sad", label_set: labelSet },
  ]);
  write("ML_ER.json", [{ video_id: "a.mp4", label: "sad,fear", label_set: labelSet }]);
  return root;
}

async function asked(
  t: TestContext,
  root: string,
  options: MockOptions,
  changes: { folder?: string; maxRefused?: number } = {},
) {
  const server = await startMockEndpoint(t, options);
  const endpoint = { url: server.url, model: "mine", key: null, cacheFolder: temporaryFolder(t), maxRetries: 0 };
  const folder = changes.folder ?? join(temporaryFolder(t), "answers");
  const request = { root, folder, media: root, endpoint, maxTokens: 64, maxRefused: changes.maxRefused ?? 0 };
  return { server, folder, request };
}

const answer: NonNullable<MockOptions["answer"]> = ({ messages }) => {
  const text: string = messages[0].content.at(-1).text;
  return text.includes("one or several") ? "<answer>sad, fear</answer>" : "He smiles. <answer>happy</answer>";
};

test("clips go as video and sound, answers become response files, and what is there is not asked again", async (t) => {
  const root = await benchmark(t);
  const { server, folder, request } = await asked(t, root, { answer });
  const notes = await askMmeEmotion(request);
  assert.deepEqual(readdirSync(folder).sort(), ["IR_answers.json", "ML_ER_answers.json"]);
  assert.deepEqual(JSON.parse(readFileSync(join(folder, "ML_ER_answers.json"), "utf8")), [
    { video_id: "a.mp4", ground_truth: "sad,fear", model_response: "<answer>sad, fear</answer>" },
  ]);
  assert.equal(notes.length, 2);
  const kinds = server.requests.map(({ body }) =>
    body.messages[0].content.map(({ type }: { type: string }) => type).join(" "),
  );
  assert.deepEqual(kinds.sort(), ["video_url input_audio text", "video_url input_audio text", "video_url text"]);
  assert.match(server.requests[0]!.body.messages[0].content.at(-1).text, /happy, sad, fear/);
  assert.deepEqual(await askMmeEmotion(request), []);
  assert.equal(server.requests.length, 3);
  const scored = { root, responses: folder, isPartial: true, missing: "refuse", alpha: 0.5, maxMissing: 0 } as const;
  const bootstrap = { seed: 1, numResamples: 50, confidence: 0.95 };
  const report = await scoreMmeEmotion({ ...scored, judge: null, isSeen: false, rows: null, bootstrap });
  assert.equal(report.pooled.metrics.labelRecall!.value, 2 / 3);
});

test("clips that the server refuses are bounded; below the bound they are wrong, and said", async (t) => {
  const root = await benchmark(t);
  const refusing: MockOptions["answer"] = (body) =>
    body.messages[0].content.length === 2
      ? { status: 400, body: { error: { message: "prompt is too long for the context" } } }
      : answer(body);
  const strict = await asked(t, root, { answer: refusing });
  await assert.rejects(askMmeEmotion(strict.request), { code: "ERR_SCORE_ASK" });
  assert.deepEqual(readdirSync(strict.folder), ["ML_ER_answers.json"], "a task is there as a whole or not at all");
  const lenient = await asked(t, root, { answer: refusing }, { maxRefused: 0.5 });
  const notes = await askMmeEmotion(lenient.request);
  assert.ok(notes.some((note) => note.includes("1 refused")));
  const rows = JSON.parse(readFileSync(join(lenient.folder, "IR_answers.json"), "utf8"));
  assert.equal(rows[1].model_response, "");
});

test("without clips nothing can be asked; a clip outside of their folder is refused", async (t) => {
  const root = await benchmark(t);
  const { request } = await asked(t, root, { answer });
  await assert.rejects(askMmeEmotion({ ...request, media: null }), { code: "ERR_USAGE" });
  const inner = join(root, "inner");
  mkdirSync(inner);
  writeFileSync(join(inner, "IR.json"), JSON.stringify([{ video_id: "../a.mp4", label: "x", label_set: ["x"] }]));
  await assert.rejects(askMmeEmotion({ ...request, root: inner, media: inner }), { code: "ERR_DATASET_MEDIA_OUTSIDE" });
});
