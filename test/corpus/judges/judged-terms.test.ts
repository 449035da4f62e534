// Judges of completions behind a server: what is asked, what is not, hand-computed scores, and a judge that fails.
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { type JudgedName, judgedNames, judgedTerms } from "../../../src/corpus/judges/judged-terms.ts";
import { openChatClient } from "../../../src/endpoint/chat-client.ts";
import type { RewardContext } from "../../../src/rl/types.ts";
import { parseResponse } from "../../../src/text/response.ts";
import { type MockOptions, startMockEndpoint } from "../../support/mock-endpoint.ts";
import { testSample, textRollout } from "../../support/rollouts.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const sample = testSample("x", { labels: ["sad"], cues: [{ kind: "video", text: "tears on the cheeks" }] });

function contextOf(text: string, of = sample): RewardContext {
  const rollout = { ...textRollout(text), text };
  const routing = { cues: [], clauses: [], similarity: new Float32Array(0) };
  return { sample: of, rollout, response: parseResponse(text), routing };
}
const said = (think: string, answer = "sad") => contextOf(`<think>${think}</think><answer>${answer}</answer>`);

type Answer = NonNullable<MockOptions["answer"]>;
const questionOf = (body: Parameters<Answer>[0]): string => body.messages[0].content;

async function judge(
  t: TestContext,
  name: JudgedName,
  options: MockOptions,
  more: { budget?: number; max?: number } = {},
) {
  const server = await startMockEndpoint(t, options);
  const cacheFolder = temporaryFolder(t);
  const open = () => {
    const endpoint = { url: server.url, model: "m", key: null, cacheFolder, maxRetries: 1, retryMilliseconds: 1 };
    const client = openChatClient({ ...endpoint, maxRequests: more.budget });
    t.after(() => client[Symbol.dispose]());
    const judging = { client, concurrency: 4, maxMissing: more.max ?? 0, maxTokens: 64 };
    return judgedTerms([{ name, weight: 1 }], judging)[0]!;
  };
  return { server, open };
}

describe("context", () => {
  test("points over five; nothing said, or nothing annotated, is not asked", async (t) => {
    const { server, open } = await judge(t, "context", {
      answer: (body) => JSON.stringify({ points: questionOf(body).includes("he cries") ? 4 : 1 }),
    });
    const bare = testSample("y");
    const groups = [[said("he cries"), said("a room"), contextOf("sad")], [contextOf("<think>a</think>", bare)]];
    assert.deepEqual(await open().judge(groups), [[0.8, 0.2, 0], [0]]);
    assert.equal(server.requests.length, 2);
    assert.match(questionOf(server.requests[0]!.body), /- seen: tears on the cheeks/);
    // Kept: a run that goes on asks nothing twice.
    assert.deepEqual(await open().judge(groups), [[0.8, 0.2, 0], [0]]);
    assert.equal(server.requests.length, 2);
  });

  test("a context block is what counts where there is one", async (t) => {
    const { server, open } = await judge(t, "context", { answer: () => JSON.stringify({ points: 5 }) });
    await open().judge([[contextOf("<context>rain falls</context><think>so</think><answer>sad</answer>")]]);
    assert.match(questionOf(server.requests[0]!.body), /Second account:\nrain falls$/);
  });
});

test("logic: a point for each of five criteria", async (t) => {
  const reply = { usesCues: true, checksItself: false, isSound: true, meetsQuestion: true, staysConsistent: false };
  const { server, open } = await judge(t, "logic", { answer: () => JSON.stringify(reply) });
  assert.deepEqual(await open().judge([[said("he cries"), contextOf("sad")]]), [[0.6, 0]]);
  assert.equal(server.requests.length, 1);
});

describe("preference", () => {
  /** Prefers the answer with more of the letter z, wherever it stands. */
  const prefers: Answer = (body) => {
    const [, first = "", second = ""] =
      /First answer:\n([\s\S]*)\nSecond answer:\n([\s\S]*)$/.exec(questionOf(body)) ?? [];
    const count = (text: string) => text.split("z").length;
    const better = count(first) === count(second) ? "same" : count(first) > count(second) ? "first" : "second";
    return JSON.stringify({ better });
  };

  test("neighbours in a ring: the share that is won, whichever place a completion has", async (t) => {
    const { server, open } = await judge(t, "preference", { answer: prefers });
    const groups = [["zzz", "z", "zz", ""].map((text) => said(`${text} .`))];
    // zzz beats z and ""; z loses to both; zz beats both; "" loses to both.
    assert.deepEqual(await open().judge(groups), [[1, 0, 1, 0]]);
    assert.equal(server.requests.length, 4);
    const places = server.requests.map(({ body }) => /First answer:\n<think>(z*)/.exec(questionOf(body))![1]!);
    assert.equal(new Set(places).size > 1, true);
  });

  test("two are compared once, equal ones tie, one alone is neither better nor worse", async (t) => {
    const { server, open } = await judge(t, "preference", { answer: prefers });
    assert.deepEqual(await open().judge([[said("z"), said("y")], [said("z")], [said("y"), said("x")]]), [
      [1, 0],
      [0.5],
      [0.5, 0.5],
    ]);
    assert.equal(server.requests.length, 2);
  });

  test("a judge that always takes the first place favours no rollout by its number", async (t) => {
    const { open } = await judge(t, "preference", { answer: () => JSON.stringify({ better: "first" }) });
    const groups = Array.from({ length: 60 }, (_, g) => [said(`a${g}`), said(`b${g}`)]);
    const wins = (await open().judge(groups)).reduce((sum, [first]) => sum + first!, 0);
    assert.ok(wins > 18 && wins < 42, `${wins} of 60`);
  });
});

describe("a judge that fails", () => {
  test("replies of another form are missing, never 0, up to the limit", async (t) => {
    const answer: Answer = (body) => JSON.stringify({ points: questionOf(body).includes("bad") ? 9 : 5 });
    const groups = [
      [said("good"), said("bad")],
      [said("fine"), said("nice")],
    ];
    const tolerant = await judge(t, "context", { answer }, { max: 0.25 });
    assert.deepEqual(await tolerant.open().judge(groups), [
      [1, null],
      [1, 1],
    ]);
    const strict = await judge(t, "context", { answer }, { max: 0.2 });
    await assert.rejects(strict.open().judge(groups), { code: "ERR_REWARD_JUDGE" });
  });

  test("a preference with one reply of two is what that reply says", async (t) => {
    const answer: Answer = (body) =>
      questionOf(body).includes("one") && questionOf(body).includes("two")
        ? "no idea"
        : JSON.stringify({ better: "same" });
    const { open } = await judge(t, "preference", { answer }, { max: 0.5 });
    assert.deepEqual(await open().judge([[said("one"), said("two"), said("three")]]), [[0.5, 0.5, 0.5]]);
  });

  test("a server that is down ends the run with its reason; so does a budget that is spent, whatever may be missing", async (t) => {
    const down = await judge(t, "logic", { fault: () => "status-500" }, { max: 0.5 });
    await assert.rejects(down.open().judge([[said("a"), said("b"), said("c")]]), (error: Error & { code?: string }) => {
      assert.equal(error.code, "ERR_REWARD_JUDGE");
      assert.match(error.message, /500/);
      return true;
    });
    const poor = await judge(t, "context", { answer: () => JSON.stringify({ points: 5 }) }, { budget: 1, max: 1 });
    await assert.rejects(poor.open().judge([[said("a"), said("b")]]), { code: "ERR_ENDPOINT_BUDGET" });
    assert.equal(judgedNames.length, 3);
  });
});
