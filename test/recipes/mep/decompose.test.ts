// `oppo mep run --decompose`: a language model takes the reasonings apart. What it decides, what happens when it misbehaves or
// the run is cut short, and what both servers are sent when an embedding model would take instructions.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { defaultAccess, openEmbedder } from "../../../src/corpus/open-embedder.ts";
import { createRandom } from "../../../src/random.ts";
import { compareResults } from "../../../src/recipes/mep/compare.ts";
import { openMepSet, readMepSet } from "../../../src/recipes/mep/set-directory.ts";
import { accountIn, cueReply } from "../../support/cue-model.ts";
import { type MepRuns, mepRuns, obliging, type Part, reply } from "../../support/mep-runs.ts";
import { faultsInTurn, type MockOptions, startMockEndpoint } from "../../support/mock-endpoint.ts";
import { type SmallTheatre, smallTheatre } from "../../support/small-theatre.ts";

let theatre: SmallTheatre;
let at: MepRuns["at"];
let buildSet: MepRuns["buildSet"];
let run: MepRuns["run"];
let files: MepRuns["files"];

before(async () => {
  theatre = await smallTheatre(5, "congruent");
  ({ at, buildSet, run, files } = mepRuns(theatre));
  await buildSet("set");
});
after(() => theatre[Symbol.dispose]());

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
    const { manifest } = await buildSet("instructed", embedder);
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
