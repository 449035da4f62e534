// `oppo mep run` against servers: what they are sent, what happens when they misbehave or the run is cut short, and models
// that cannot see, cannot hear, refuse or answer in another language.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { probeClip } from "../../../src/media/decode/container.ts";
import { decodeClip } from "../../../src/media/decode.ts";
import { type Body, type MepRuns, mepRuns, obliging, type Part, reply } from "../../support/mep-runs.ts";
import { faultsInTurn, type MockOptions, startMockEndpoint } from "../../support/mock-endpoint.ts";
import { type SmallTheatre, smallTheatre } from "../../support/small-theatre.ts";

let theatre: SmallTheatre;
let run: MepRuns["run"];
let files: MepRuns["files"];
const folder = mkdtempSync(join(tmpdir(), "oppo-mep-parts-"));

before(async () => {
  theatre = await smallTheatre(5, "congruent");
  const runs = mepRuns(theatre);
  ({ run, files } = runs);
  await runs.buildSet("set");
});
after(() => {
  theatre[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

const partsOf = (request: { body: { messages: { content: Part[] }[] } }) => request.body.messages[0]!.content;

describe("what a server is sent", () => {
  test("video, sound, text; masked is black or silent, of the same shape", async (t) => {
    const server = await startMockEndpoint(t, { answer: obliging });
    const { results } = await run("sent", server.url);
    assert.equal(results.report.format!.value, 1);
    const asked = server.requests.slice(3);
    const kinds = new Map<string, number>();
    for (const [i, request] of asked.entries()) {
      assert.deepEqual(
        partsOf(request).map(({ type }) => type),
        ["video_url", "input_audio", "text"],
      );
      const [video, audio] = partsOf(request);
      const [head, data] = video!.video_url!.url.split(",");
      assert.equal(head, "data:video/mp4;base64");
      const [picture, sound] = [join(folder, `${i}.mp4`), join(folder, `${i}.wav`)];
      writeFileSync(picture, Buffer.from(data!, "base64"));
      writeFileSync(sound, Buffer.from(audio!.input_audio!.data, "base64"));
      assert.equal((await probeClip(picture)).audio, null, "no sound hides in the video");
      const { frames, numFrames, width } = await decodeClip(picture);
      const { waveform } = await decodeClip(sound);
      assert.deepEqual([numFrames, width, waveform.length], [4, 112, 32000]);
      const isBlack = frames.every((value) => value === 0);
      const isSilent = waveform.every((value) => value === 0);
      const kind = `${isBlack ? "black" : "seen"} ${isSilent ? "silent" : "heard"}`;
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }
    const { probesVideo, probesAudio } = results.set.counts;
    assert.equal(kinds.get("black heard"), 5 + probesVideo!);
    assert.equal(kinds.get("seen silent"), 5 + probesAudio!);
    assert.equal(kinds.get("black silent"), undefined);
  });

  test("--drop-masked leaves the part out", async (t) => {
    const server = await startMockEndpoint(t, { answer: obliging });
    const { results } = await run("dropping", server.url, { masked: "dropped" });
    const types = server.requests.slice(3).map((request) =>
      partsOf(request)
        .map(({ type }) => type)
        .join(" "),
    );
    const { probesVideo, probesAudio } = results.set.counts;
    assert.equal(types.filter((type) => type === "input_audio text").length, 5 + probesVideo!);
    assert.equal(types.filter((type) => type === "video_url text").length, 5 + probesAudio!);
  });
});

describe("a run that goes wrong", () => {
  test("ends with the files of an undisturbed one, and asks nothing twice that was answered", async (t) => {
    const calm = await startMockEndpoint(t, { answer: obliging });
    await run("calm", calm.url);
    const numQuestions = calm.requests.length;
    const rough = await startMockEndpoint(t, {
      answer: obliging,
      fault: faultsInTurn(1, ["status-500", "half-json", "wrong-types", "reset", "truncated", "rate-limit"]),
    });
    // three times out of budget on the way
    for (const maxRequests of [20, 31, 27]) {
      await assert.rejects(run("rough", rough.url, {}, { maxRequests }), { code: "ERR_ENDPOINT_BUDGET" });
    }
    await run("rough", rough.url);
    assert.deepEqual(files("rough", rough.url), files("calm", calm.url));
    const answered = rough.requests.filter(({ fault }) => fault === null).map(({ body }) => JSON.stringify(body));
    assert.equal(answered.length, numQuestions);
    assert.equal(new Set(answered).size, numQuestions);
    // once more: all is there
    const before = rough.requests.length;
    await run("rough", rough.url);
    assert.equal(rough.requests.length, before);
  });
});

describe("a model that cannot be scored", () => {
  const refuses = async (t: TestContext, out: string, answer: NonNullable<MockOptions["answer"]>, message: RegExp) => {
    const server = await startMockEndpoint(t, { answer });
    await assert.rejects(run(out, server.url), { code: "ERR_MEP_MODALITY", message });
    assert.ok(server.requests.length <= 3, "found out before anything is asked");
  };
  const has = (body: { messages: { content: Part[] }[] }, type: string) =>
    body.messages[0]!.content.some((part) => part.type === type);

  test("takes no video, or no sound, and says so", async (t) => {
    const refusing = (type: string) => (body: Body) =>
      has(body, type) ? { status: 400, body: { error: { message: `unknown part ${type}` } } } : reply(body, "yes");
    await refuses(
      t,
      "blind",
      refusing("video_url"),
      /takes video \(a part of type "video_url"\), got a refusal: .*unknown part/,
    );
    await refuses(t, "deaf", refusing("input_audio"), /takes audio \(a part of type "input_audio"\), got a refusal/);
  });

  test("leaves a part out in silence", async (t) => {
    const ignoring = (body: Body) => {
      const whole = reply(body, "yes");
      const usage = { prompt_tokens: has(body, "video_url") ? 60 : 10, completion_tokens: 1 };
      return { ...whole, body: { ...whole.body, usage } };
    };
    await refuses(
      t,
      "ignoring",
      ignoring,
      /takes audio .*, got the part left out: the prompt has 10 tokens with it and 10 without/,
    );
  });

  test("does not count tokens: said in the notes", async (t) => {
    const server = await startMockEndpoint(t, {
      answer: (body) => ({
        status: 200,
        body: { choices: [{ message: { content: obliging(body) && "x" }, finish_reason: "stop" }] },
      }),
    });
    const { results } = await run("uncounted", server.url);
    assert.match(results.notes.join("\n"), /does not count prompt tokens/);
  });
});

describe("answers that are none", () => {
  const notesOf = async (t: TestContext, out: string, text: (question: string) => string, style: "tagged" | "free") => {
    const server = await startMockEndpoint(t, {
      answer: (body) => reply(body, text(body.messages[0].content.at(-1).text)),
    });
    const { results } = await run(out, server.url, { answerStyle: style });
    return { results, notes: results.notes.join("\n") };
  };

  test("a refusal and another language are named beside the scores", async (t) => {
    const { results, notes } = await notesOf(t, "refusing", () => "I'm sorry, I can't analyse people.", "tagged");
    assert.match(notes, /intact: 5 of 5 answers are no reasoning: they state no cue \(5 refusal\)/);
    assert.match(notes, /probes: (\d+) of \1 answers are no readable yes or no: they count as wrong \(\1 refusal\)/);
    assert.deepEqual([results.report.unreadableVideo!.value, results.report.accVideo!.value], [1, 0]);
    const chinese = await notesOf(t, "chinese", () => "\u4e0d\uff0c\u89c6\u9891\u91cc\u6ca1\u6709\u3002", "free");
    assert.match(chinese.notes, /probes: .* other language\)/);
  });

  test("free answers need no tags, and what has no form has no format score", async (t) => {
    const say = (question: string) =>
      /Answer yes or no/.test(question) ? "No, it does not." : "A furrowed brow, a loud voice.";
    const { results, notes } = await notesOf(t, "free", say, "free");
    assert.equal(notes, "");
    const { accVideo, noVideo, yesVideo, unreadableVideo, format, emotionF1, recall } = results.report;
    assert.deepEqual(
      [accVideo, noVideo, yesVideo, unreadableVideo, format, emotionF1].map((metric) => metric!.value),
      [1, 1, 0, 0, null, null],
    );
    assert.notEqual(recall!.value, null);
    // negative control: in tagged style the same texts are no answers
    const tagged = await notesOf(t, "untagged", say, "tagged");
    assert.match(tagged.notes, /probes: .*are no readable yes or no.*--answer-style free/);
    assert.equal(tagged.results.report.accVideo!.value, 0);
  });
});

describe("a run that cannot be read, or not whole", () => {
  test("stops after so many unreadable answers in a row, with a sample, keeps them, and goes on where it is told to", async (t) => {
    const server = await startMockEndpoint(t, {
      answer: (body) => reply(body, body.messages[0].content.at(-1).text.includes("?") ? "As I see it" : "x"),
    });
    await assert.rejects(run("mute", server.url, { maxUnreadable: 20 }, { concurrency: 1 }), {
      code: "ERR_MEP_UNREADABLE",
      message: /got 20 of 20 answers that are none \(20 other\), such as "As I see it"/,
    });
    const numAsked = server.requests.length;
    const { results } = await run("mute", server.url, { maxUnreadable: 0 }, { concurrency: 1 });
    const { probesVideo, probesAudio, adversarialVideo, adversarialAudio } = results.set.counts;
    const numProbes = 3 * (probesVideo! + probesAudio!) + adversarialVideo! + adversarialAudio!;
    const asked = server.requests.map(({ body }) => JSON.stringify(body));
    assert.equal(new Set(asked).size, asked.length, "nothing is asked twice");
    assert.ok(asked.length - numAsked <= numProbes - 20, "it goes on from what was kept");
  });

  test("a question that the server refuses is counted and named, and the run goes on; many end it", async (t) => {
    const tooLong = { status: 400, body: { error: { message: "maximum context length is 4096 tokens" } } };
    let numAsked = 0;
    const server = await startMockEndpoint(t, {
      answer: (body) => (++numAsked === 5 || numAsked === 9 ? tooLong : obliging(body)),
    });
    const { results } = await run("refusing-two", server.url, {}, { concurrency: 1 });
    assert.match(results.notes.join(), /2 questions were refused by the server and count as empty answers: clips-\d+/);
    const hopeless = await startMockEndpoint(t, { answer: (body) => (++numAsked > 20 ? tooLong : obliging(body)) });
    numAsked = 0;
    await assert.rejects(run("refusing-all", hopeless.url), {
      code: "ERR_ENDPOINT_REJECTED",
      message: /the 11th question that was refused, of at most 10/,
    });
  });

  test("thoughts in a field of their own are read as the model said them; thoughts alone are named", async (t) => {
    const message = (body: Body, fields: object, finish_reason = "stop") => {
      const whole = reply(body, "");
      return { ...whole, body: { ...whole.body, choices: [{ message: fields, finish_reason }] } };
    };
    const said = (body: Body) => (obliging(body) as ReturnType<typeof reply>).body.choices[0]!.message.content;
    const apart = await startMockEndpoint(t, {
      answer: (body) => {
        const [thoughts, rest] = said(body).replace("<think>", "").split("</think>");
        return message(body, { content: rest, reasoning_content: thoughts });
      },
    });
    const together = await startMockEndpoint(t, { answer: obliging });
    await run("apart", apart.url);
    await run("together", together.url);
    assert.deepEqual(files("apart", apart.url), files("together", together.url));
    let numAsked = 0;
    const thinking = await startMockEndpoint(t, {
      answer: (body) =>
        ++numAsked === 5 ? message(body, { content: null, reasoning_content: "Okay" }, "length") : obliging(body),
    });
    const { results } = await run("thinking", thinking.url, {}, { concurrency: 1 });
    assert.match(results.notes.join(), /1 answers are empty because thoughts used up their tokens .*: clips-\d+/);
  });
});
