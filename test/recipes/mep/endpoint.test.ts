// `oppo mep run` against servers: what they are sent, what happens when they misbehave or the run is cut short, and models
// that cannot see, cannot hear, refuse or answer in another language.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { probeClip } from "../../../src/media/container.ts";
import { decodeClip } from "../../../src/media/decode.ts";
import { createRandom } from "../../../src/random.ts";
import { defaultAccess, openEmbedder } from "../../../src/recipes/embed/open-embedder.ts";
import { buildMepSet } from "../../../src/recipes/mep/build.ts";
import { compareResults } from "../../../src/recipes/mep/compare.ts";
import { type MepRun, runMepSet } from "../../../src/recipes/mep/run.ts";
import { openMepSet, readMepSet } from "../../../src/recipes/mep/set-directory.ts";
import { accountIn, cueReply } from "../../support/cue-model.ts";
import { faultsInTurn, type MockOptions, startMockEndpoint } from "../../support/mock-endpoint.ts";
import { quietRun } from "../../support/quiet-run.ts";
import { type SmallTheatre, smallTheatre } from "../../support/small-theatre.ts";

let theatre: SmallTheatre;
let at: (name: string) => string;
const setting = { emotionGroups: null, similarityThreshold: 0.5 };
const folder = mkdtempSync(join(tmpdir(), "oppo-mep-parts-"));

before(async () => {
  theatre = await smallTheatre(5, "congruent");
  at = (name) => join(theatre.root, name);
  await buildMepSet({
    ...quietRun(),
    ...{ data: theatre.samplesFile, dataset: null, cues: null, mediaRoot: null, maxSkippedRows: 0, conflict: null },
    ...{ name: "small", out: at("set"), maxCandidates: 100, options: {} },
    setting: { ...setting, embedder: "auto", question: null },
  });
});
after(() => {
  theatre[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

/** The body of a chat completion whose usage counts every media part. */
function reply(body: { messages: { content: { type: string }[] }[] }, text: string) {
  const numMedia = body.messages[0]!.content.filter(({ type }) => type !== "text").length;
  return {
    status: 200,
    body: {
      choices: [{ message: { role: "assistant", content: text }, finish_reason: "stop" }],
      usage: { prompt_tokens: 10 + 50 * numMedia, completion_tokens: 5 },
    },
  };
}

type Body = Parameters<NonNullable<MockOptions["answer"]>>[0];

interface Part {
  readonly type: string;
  readonly text?: string;
  readonly video_url?: { readonly url: string };
  readonly input_audio?: { readonly data: string; readonly format: string };
}

/** Says what one could say from the types of the parts and the question. */
const obliging: NonNullable<MockOptions["answer"]> = (body) => {
  const { text } = body.messages[0].content.at(-1);
  const question = /(video|audio) (?:show|contain) (.*)\?/.exec(text);
  const answer = question === null ? "angry" : text.length % 2 === 0 ? "yes" : "no";
  return reply(body, `<think>the video shows a furrowed brow, a loud voice.</think><answer>${answer}</answer>`);
};

function run(out: string, url: string, changes: Partial<MepRun> = {}, client: object = {}) {
  return runMepSet({
    ...quietRun(),
    set: at("set"),
    system: {
      kind: "endpoint",
      client: { url, model: "mock", key: null, cacheFolder: at(`${out}-replies`), retryMilliseconds: 1, ...client },
      extra: null,
    },
    name: "mock",
    out: at(out),
    mediaRoot: null,
    embedder: null,
    decompose: null,
    answerStyle: "tagged",
    masked: "blank",
    maxNewTokens: 16,
    maxClipBytes: 1 << 30,
    setting,
    ...changes,
  });
}

/** The endpoint's address is part of a result; here it must not count. */
const files = (out: string, url: string) =>
  ["results.json", "answers.jsonl", "report.html"].map((name) =>
    readFileSync(join(at(out), name), "utf8").replaceAll(url, "URL"),
  );
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

describe("a language model that takes the reasonings apart", () => {
  /** Reasonings that differ from clip to clip and from view to view. */
  const varied: NonNullable<MockOptions["answer"]> = (body) => {
    const [video, audio] = body.messages[0].content;
    const sizes = [video, audio].map((part: Part) => (part?.video_url?.url ?? part?.input_audio?.data ?? "").length);
    const whole = obliging(body) as ReturnType<typeof reply>;
    const said = whole.body.choices[0]!.message.content.replace(
      "</think>",
      ` a smile number ${sizes.join(" and ")}.</think>`,
    );
    return reply(body, said);
  };
  const by = (url: string, client: object = {}, maxSkipped: number | null = null) => ({
    decompose: {
      by: { url, model: "helper", key: null, cacheFolder: at("helper-replies"), retryMilliseconds: 1, ...client },
      maxSkipped,
    },
  });
  const lists = (visual_cues: readonly string[], audio_cues: readonly string[]) =>
    JSON.stringify({ visual_cues, audio_cues, emotion_cues: ["shows anger"] });
  const rowsOf = (out: string) =>
    readFileSync(join(at(out), "answers.jsonl"), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line))
      .filter(({ part }) => part !== "probes");

  test("decides every score of cues, and is named wherever they are", async (t) => {
    const server = await startMockEndpoint(t, { answer: obliging });
    const whole = await startMockEndpoint(t, {
      answer: () => lists(["a furrowed brow", "a purple hat"], ["a loud voice"]),
    });
    const { results } = await run("decomposed", server.url, by(whole.url, { cacheFolder: null }));
    const { results: clauses } = await run("clauses", server.url);
    assert.equal(whole.requests.length, 1, "one reasoning for all clips is taken apart once");
    assert.equal(results.settings.statements, "helper, prompt cues-1");
    assert.equal(clauses.settings.statements, "clauses");
    // the same two cues in a clause each: the same scores
    assert.notEqual(results.report.recallCosine!.value, 0);
    for (const name of ["recall", "recallCosine", "precisionVideo", "hallucinatedVideo", "stickAudio"]) {
      assert.deepEqual(results.report[name], clauses.report[name], name);
    }
    for (const { statements } of rowsOf("decomposed"))
      assert.deepEqual(statements, ["a furrowed brow", "a loud voice"]);
    assert.match(results.notes.join(), /1 of 3 phrases that were taken out of reasonings do not stand in them/);
    const page = readFileSync(join(at("decomposed"), "report.html"), "utf8");
    assert.match(page, /Statements were taken out of the reasonings by helper, prompt cues-1/);
    assert.match(
      readFileSync(join(at("clauses"), "report.html"), "utf8"),
      /Statements are clauses, cut at punctuation/,
    );
    assert.throws(() => compareResults(results, clauses), {
      code: "ERR_MEP_COMPARE",
      message: /by helper, prompt cues-1 and of mock by clauses/,
    });
    assert.deepEqual(compareResults(results, results).notes, []);
    // results from before they said so are of clauses
    const { statements: _, ...unsaid } = clauses.settings;
    assert.deepEqual(compareResults({ ...clauses, settings: unsaid }, clauses).notes, []);
    // negative control: one that loses what is heard
    const lossy = await startMockEndpoint(t, { answer: () => lists(["a furrowed brow"], []) });
    const lost = (await run("lossy", server.url, by(lossy.url, { cacheFolder: null }))).results.report;
    assert.ok(lost.recallCosine!.value! < results.report.recallCosine!.value!);
    assert.equal(lost.recallAudio!.value, 0);
    assert.equal(lost.hallucinatedAudio!.value, 0);
  });

  test("asks nothing twice through faults and stops, and ends with the files of an undisturbed run", async (t) => {
    const server = await startMockEndpoint(t, { answer: varied });
    const calm = await startMockEndpoint(t, { answer: cueReply });
    await run("untouched", server.url, by(calm.url, { cacheFolder: at("untouched-helped") }));
    const numAsked = calm.requests.length;
    assert.ok(numAsked > 5, `${numAsked} reasonings`);
    const rough = await startMockEndpoint(t, {
      answer: cueReply,
      fault: faultsInTurn(1, ["status-500", "half-json", "half-reply", "reset", "truncated"]),
    });
    for (const maxRequests of [4, 7]) {
      await assert.rejects(run("disturbed", server.url, by(rough.url, { maxRequests })), {
        code: "ERR_ENDPOINT_BUDGET",
      });
    }
    const numModel = server.requests.length;
    await run("disturbed", server.url, by(rough.url));
    assert.equal(server.requests.length, numModel, "the model under test is not asked again");
    const answered = rough.requests.filter(({ fault }) => fault === null).map(({ body }) => accountIn(body));
    assert.equal(new Set(answered).size, numAsked);
    assert.deepEqual(files("disturbed", server.url), files("untouched", server.url));
    const before = rough.requests.length;
    await run("disturbed", server.url, by(rough.url));
    assert.equal(rough.requests.length, before);
  });

  test("what it cannot do is named, counted and bounded, and is no recall of zero", async (t) => {
    const server = await startMockEndpoint(t, { answer: varied });
    const useless = await startMockEndpoint(t, { answer: () => "I cannot help with that." });
    await assert.rejects(run("useless", server.url, by(useless.url, { cacheFolder: null }, 3)), {
      code: "ERR_MEP_STATEMENTS",
      message:
        /expected at most 3 reasonings that cannot be taken apart, got one more: refused by the model, for "<think>/,
    });
    const { results } = await run("tolerated", server.url, by(useless.url, { cacheFolder: null }, 1000));
    assert.match(
      results.notes.join(),
      /statements: (\d+) of \1 reasonings could not be taken apart \(\1 refused by the model\): \S+ intact, .* and \d+ more/,
    );
    for (const name of ["recall", "recallCosine", "hallucinatedVideo", "followAudio"]) {
      assert.deepEqual([results.report[name]!.value, results.report[name]!.count], [null, 0], name);
    }
    assert.notEqual(results.report.accVideo!.value, null);
    for (const { statements, problem } of rowsOf("tolerated")) {
      assert.deepEqual([statements, problem], [null, "refused by the model"]);
    }
    assert.match(
      readFileSync(join(at("tolerated"), "report.html"), "utf8"),
      /statements not read: refused by the model/,
    );
  });

  test("may be rules; a model that says nothing states nothing", async (t) => {
    const server = await startMockEndpoint(t, { answer: obliging });
    const offline = { decompose: { by: "offline", maxSkipped: 0 } } as const;
    const { results } = await run("ruled", server.url, offline);
    assert.match(String(results.settings.statements), /^offline rules, no model, offline-\d$/);
    for (const { statements } of rowsOf("ruled")) assert.deepEqual(statements, ["furrowed brow", "loud voice"]);
    const mute = await startMockEndpoint(t, { answer: (body) => reply(body, "<think></think><answer>no</answer>") });
    const silent = (await run("silent", mute.url, offline)).results;
    assert.deepEqual([silent.report.recallCosine!.value, silent.report.recallCosine!.count], [0, 5]);
  });
});

describe("an embedding server whose model takes instructions", () => {
  test("gets statements and cues alike, without one; a set that was made with one is refused", async (t) => {
    // Every text has a direction of its own.
    const vector = (text: string) => {
      const random = createRandom(Number.parseInt(createHash("sha256").update(text).digest("hex").slice(0, 8), 16));
      return Array.from({ length: 32 }, () => random.normal());
    };
    const embeddings = await startMockEndpoint(t, { vector });
    const embedder = `endpoint:${embeddings.url}#Qwen/Qwen3-Embedding-0.6B`;
    const { manifest } = await buildMepSet({
      ...quietRun(),
      ...{ data: theatre.samplesFile, dataset: null, cues: null, mediaRoot: null, maxSkippedRows: 0, conflict: null },
      ...{ name: "instructed", out: at("instructed"), maxCandidates: 100, options: {} },
      setting: { ...setting, embedder, question: null },
    });
    assert.doesNotMatch(manifest.setting.embedder.name, /-q[0-9a-f]{6}$/);
    const server = await startMockEndpoint(t, { answer: obliging });
    await run("alike", server.url, { set: at("instructed") });
    const sent = embeddings.requests.flatMap(({ body }) => body.input as string[]);
    assert.ok(sent.includes("the video shows a furrowed brow"), "a statement");
    assert.deepEqual(
      sent.filter((text) => text.startsWith("Instruct:")),
      [],
    );
    // negative control: the same choice in training puts an instruction before clauses
    using training = await openEmbedder(embedder);
    await training.embedder.embed(["a loud voice"], "clause");
    assert.match(embeddings.requests.at(-1)!.body.input[0], /^Instruct: /);
    const set = await readMepSet(at("instructed"));
    set.manifest.setting.embedder.name = training.embedder.name;
    using alike = await openEmbedder(embedder, { ...defaultAccess, clauseInstruction: "" });
    await assert.rejects(openMepSet(set, alike.embedder), {
      code: "ERR_MEP_EMBEDDER",
      message: /Earlier sets put an instruction before clauses/,
    });
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
