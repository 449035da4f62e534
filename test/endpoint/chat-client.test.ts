// The chat client against a server that does as it should, and one that does not.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import type { ChatRequest } from "../../src/endpoint/chat.ts";
import { openChatClient, UnfitReplyError } from "../../src/endpoint/chat-client.ts";
import type { EndpointOptions } from "../../src/endpoint/endpoint-options.ts";
import { allFaults, faultsInTurn, startMockEndpoint } from "../support/mock-endpoint.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const key = "sk-very-secret-key-0123456789";

function open(url: string, options: Partial<EndpointOptions> = {}) {
  return openChatClient({ url, model: "m", key, cacheFolder: null, retryMilliseconds: 1, ...options });
}

const question = (text: string): ChatRequest => ({
  messages: [{ role: "user", content: text }],
  maxTokens: 20,
  temperature: 0,
});

const schema = {
  name: "cues",
  schema: {
    type: "object",
    properties: { visual: { type: "array", items: { type: "string" } } },
    required: ["visual"],
    additionalProperties: false,
  },
};

const textOf = (folder: string) =>
  readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), "utf8"))
    .join("");

describe("asking", () => {
  test("a reply with its tokens; an equal question at the same time or later is not sent", async (t) => {
    const { url, requests } = await startMockEndpoint(t, { answer: (body) => `to ${body.messages[0].content}` });
    const cacheFolder = temporaryFolder(t);
    using client = open(url, { cacheFolder });
    const [first, second] = await Promise.all([client.chat(question("a")), client.chat(question("a"))]);
    assert.deepEqual(first, { text: "to a", finish: "stop", promptTokens: 10, completionTokens: 5, cached: false });
    assert.deepEqual(second, { ...first, cached: true });
    assert.equal((await client.chat(question("b"))).text, "to b");
    using later = open("http://127.0.0.1:1/v1", { cacheFolder, key: null });
    assert.deepEqual(await later.chat(question("a")), { ...first, cached: true });
    assert.equal(requests.length, 2);
    assert.deepEqual(requests[0]?.body, {
      model: "m",
      messages: question("a").messages,
      max_tokens: 20,
      temperature: 0,
    });
    assert.equal(requests[0]?.authorization, `Bearer ${key}`);
    const { requests: sent, shared, promptTokens, completionTokens } = client.statistics();
    assert.deepEqual(
      { sent, shared, promptTokens, completionTokens },
      { sent: 2, shared: 1, promptTokens: 20, completionTokens: 10 },
    );
    assert.equal(later.statistics().cached, 1);
  });

  test("what a reply depends on tells questions apart", async (t) => {
    const { url, requests } = await startMockEndpoint(t);
    using client = open(url, { cacheFolder: temporaryFolder(t) });
    const base = question("a");
    const others = [
      { ...base, maxTokens: 21 },
      { ...base, temperature: 1 },
      { ...base, seed: 1 },
      { ...base, extra: { n: 1 } },
    ];
    for (const request of [base, ...others]) await client.chat(request);
    assert.equal(requests.length, 5);
    assert.equal(requests.at(-1)?.body.n, 1);
  });

  test("media are made on a miss only, and their content's name stands for them", async (t) => {
    const { url } = await startMockEndpoint(t);
    const cacheFolder = temporaryFolder(t);
    let numMade = 0;
    const ask = async () => {
      using client = open(url, { cacheFolder });
      const messages = async () => {
        numMade++;
        return question("with a film").messages;
      };
      return await client.chat({ maxTokens: 5, temperature: 0, contentKey: "clip 7, masked", messages });
    };
    assert.deepEqual([(await ask()).cached, (await ask()).cached, numMade], [false, true, 1]);
  });

  test("no more requests at once than allowed", async (t) => {
    const { url, busiest } = await startMockEndpoint(t, { delayMilliseconds: 5 });
    using client = open(url, { concurrency: 3 });
    await Promise.all(Array.from({ length: 12 }, (_, i) => client.chat(question(String(i)))));
    assert.equal(busiest(), 3);
  });
});

describe("a server that misbehaves", () => {
  test("every fault is survived, and the reply is the one of a good server", async (t) => {
    const answer = (body: { messages: { content: string }[] }) => `to ${body.messages[0]!.content}`;
    const { url, requests } = await startMockEndpoint(t, { answer, fault: faultsInTurn(3), hugeBytes: 200_000 });
    using client = open(url, { timeoutMilliseconds: 300, maxReplyBytes: 100_000 });
    const texts = Array.from({ length: 30 }, (_, i) => `question ${i}`);
    const replies = await Promise.all(texts.map((text) => client.chat(question(text))));
    assert.deepEqual(
      replies.map(({ text }) => text),
      texts.map((text) => `to ${text}`),
    );
    const met = new Set(requests.map(({ fault }) => fault));
    assert.deepEqual(
      allFaults.filter((fault) => !met.has(fault)),
      [],
    );
    assert.equal(client.statistics().requests, requests.length);
    // A slow stream is no failure: it is read to its end.
    assert.equal(client.statistics().retries, requests.length - 30);
  });

  test("a fault that stays is an error that names it, after the tries that were allowed", async (t) => {
    const expected = {
      "status-500": /status 500: out of order/,
      "rate-limit": /status 429/,
      "half-json": /a body that is not JSON/,
      "wrong-types": /no chat completion \(choices: /,
      truncated: /got (terminated|other side closed|aborted)/,
      huge: /a body of more than 50000 bytes/,
      reset: /other side closed/,
      "not-json": /a body that is not JSON/,
      never: /no whole reply within 0\.2 s/,
    };
    for (const [fault, message] of Object.entries(expected)) {
      const { url, requests } = await startMockEndpoint(t, { fault: () => fault as keyof typeof expected });
      using client = open(url, { maxRetries: 1, timeoutMilliseconds: 200, maxReplyBytes: 50_000 });
      await assert.rejects(client.chat(question("a")), { code: "ERR_ENDPOINT", message });
      assert.equal(requests.length, 2, fault);
    }
  });

  test("a wait that the server asks for is kept by all, one that is too long is not begun", async (t) => {
    const fault = (numBefore: number) => (numBefore === 0 ? ("rate-limit" as const) : null);
    const patient = await startMockEndpoint(t, { fault, retryAfter: "0.3" });
    using client = open(patient.url, { concurrency: 1 });
    const startedAt = performance.now();
    await client.chat(question("a"));
    assert.ok(performance.now() - startedAt >= 290);
    const endless = await startMockEndpoint(t, { fault, retryAfter: "86400" });
    using other = open(endless.url);
    await assert.rejects(other.chat(question("a")), { code: "ERR_ENDPOINT", message: /asks to wait 86400 s/ });
  });

  test("nothing is sent once it was asked to stop", async (t) => {
    const { url, requests } = await startMockEndpoint(t, { fault: () => "status-500" });
    const controller = new AbortController();
    using client = open(url, { signal: controller.signal, retryMilliseconds: 10_000 });
    const asking = client.chat(question("a"));
    setTimeout(() => controller.abort(new Error("stopped by hand")), 50);
    await assert.rejects(asking, { message: "stopped by hand" });
    await assert.rejects(client.chat(question("b")), { message: "stopped by hand" });
    assert.equal(requests.length, 1);
  });
});

describe("replies of JSON", () => {
  const structured = { ...question("a"), schema };

  test("a server that enforces the schema is given it", async (t) => {
    const { url, requests } = await startMockEndpoint(t, { answer: () => '{"visual": ["a frown"]}' });
    using client = open(url);
    assert.equal((await client.chat(structured)).text, '{"visual":["a frown"]}');
    assert.deepEqual(requests[0]?.body.response_format, {
      type: "json_schema",
      json_schema: { ...schema, strict: true },
    });
    assert.equal(requests[0]?.body.messages[0].content, "a");
  });

  test("one that refuses it is asked in words, found out once and reported once", async (t) => {
    const refusal = { status: 400, body: { error: { message: "response_format is not supported" } } };
    const { url, requests } = await startMockEndpoint(t, {
      answer: (body) => (body.response_format === undefined ? '{"visual": []}' : refusal),
    });
    const notices: string[] = [];
    using client = open(url, { onNotice: (line) => notices.push(line) });
    const texts = ["a", "b", "c", "d"];
    await Promise.all(texts.map((text) => client.chat({ ...question(text), schema })));
    assert.equal(requests.filter(({ body }) => body.response_format !== undefined).length, 1);
    assert.equal(requests.length, 5);
    assert.match(requests.at(-1)?.body.messages[0].content, /^[abcd]\n\nReply with one JSON value .*"visual"/s);
    assert.deepEqual(notices, [
      `${url}: the server does not enforce a JSON schema: the model is asked for JSON in words`,
    ]);
  });

  test("a refusal of something else stays a refusal", async (t) => {
    const refusal = { status: 400, body: { error: { message: "context length exceeded" } } };
    const { url, requests } = await startMockEndpoint(t, { answer: () => refusal });
    const notices: string[] = [];
    using client = open(url, { onNotice: (line) => notices.push(line) });
    await assert.rejects(client.chat(structured), {
      code: "ERR_ENDPOINT_REJECTED",
      message: /context length exceeded/,
    });
    assert.deepEqual([requests.length, notices], [2, []]);
  });

  test("fields that hosted models want otherwise are changed", async (t) => {
    const { url, requests } = await startMockEndpoint(t, {
      answer: ({ max_tokens, temperature }) => {
        const message = max_tokens === undefined ? "temperature is unsupported" : "Use max_completion_tokens instead";
        return max_tokens === undefined && temperature === undefined
          ? "fine"
          : { status: 400, body: { error: { message } } };
      },
    });
    const notices: string[] = [];
    using client = open(url, { onNotice: (line) => notices.push(line) });
    assert.equal((await client.chat(question("a"))).text, "fine");
    assert.equal((await client.chat(question("b"))).text, "fine");
    assert.equal(requests.length, 4);
    assert.equal(requests[3]?.body.max_completion_tokens, 20);
    assert.equal(notices.length, 2);
  });

  test("flawed JSON is mended, no JSON is asked for again, in the end it is named and not asked for any more", async (t) => {
    const replies = ['Sure!\n```json\n{"visual": ["a frown",],}\n```', "I see.", '{"visual": ["tears"]}'];
    const { url, requests } = await startMockEndpoint(t, {
      answer: () => replies.shift() ?? "I cannot help with that.",
    });
    const cacheFolder = temporaryFolder(t);
    using client = open(url, { cacheFolder });
    assert.equal((await client.chat(structured)).text, '{"visual":["a frown"]}');
    assert.equal((await client.chat({ ...question("b"), schema })).text, '{"visual":["tears"]}');
    assert.match(requests[2]?.body.messages.at(-1).content, /not the JSON that was asked for \(no JSON\)/);
    const refused = { ...question("c"), schema };
    await assert.rejects(client.chat(refused), (error: UnfitReplyError) => {
      assert.deepEqual([error.code, error.reply], ["ERR_ENDPOINT_UNFIT", "I cannot help with that."]);
      return true;
    });
    const { repairs, reasks, unfit } = client.statistics();
    assert.deepEqual({ repairs, reasks, unfit }, { repairs: 1, reasks: 2, unfit: 1 });
    const numBefore = requests.length;
    using later = open(url, { cacheFolder });
    await assert.rejects(later.chat(refused), UnfitReplyError);
    assert.equal(requests.length, numBefore);
  });
});

describe("a reply at its limit of tokens", () => {
  const limited = (text: string) => ({
    answer: () => ({ status: 200, body: { choices: [{ message: { content: text }, finish_reason: "length" }] } }),
  });
  const structured = { ...question("a"), schema };

  test("its whole entries are taken; one without an entry is named, and asking again would not help", async (t) => {
    const half = await startMockEndpoint(t, limited('{"visual": ["a frown", "wide e'));
    using client = open(half.url);
    assert.deepEqual(await client.chat(structured).then(({ text, finish }) => [text, finish]), [
      '{"visual":["a frown"]}',
      "length",
    ]);
    const thinking = await startMockEndpoint(t, limited(""));
    using other = open(thinking.url);
    await assert.rejects(other.chat(structured), (error: UnfitReplyError) => error.finish === "length");
    assert.deepEqual([half.requests.length, thinking.requests.length], [1, 1]);
    assert.equal(client.statistics().estimated, 1);
  });
});

describe("budgets", () => {
  test("requests and tokens are limited; what was answered stays", async (t) => {
    const { url, requests } = await startMockEndpoint(t);
    const cacheFolder = temporaryFolder(t);
    using client = open(url, { cacheFolder, maxRequests: 2 });
    for (const text of ["a", "b"]) await client.chat(question(text));
    await assert.rejects(client.chat(question("c")), {
      code: "ERR_ENDPOINT_BUDGET",
      message: /at most 2 requests \(--max-requests\), got one more\. What was answered so far is kept/,
    });
    assert.equal((await client.chat(question("a"))).cached, true);
    using thrifty = open(url, { cacheFolder, maxTokens: 15 });
    await thrifty.chat(question("c"));
    await assert.rejects(thrifty.chat(question("d")), {
      code: "ERR_ENDPOINT_BUDGET",
      message: /at most 15 tokens .* got 15/,
    });
    assert.equal(requests.length, 3);
  });
});

describe("the key", () => {
  test("is in no error, notice, cache or reply, whatever the server does with it", async (t: TestContext) => {
    const cacheFolder = temporaryFolder(t);
    const denial = { status: 401, body: { error: { message: `Incorrect API key provided: ${key}` } } };
    for (const answer of [
      () => denial,
      () => ({ ...denial, status: 400 }),
      () => ({ status: 403, body: `no ${key}` }),
    ]) {
      const { url } = await startMockEndpoint(t, { answer });
      using client = open(url, { cacheFolder });
      await assert.rejects(client.chat(question("a")), (error: Error) => {
        assert.doesNotMatch(`${error.stack} ${JSON.stringify(error)} ${error.cause}`, /secret-key/);
        assert.match(error.message, /\[key\]/);
        return true;
      });
    }
    const echo = await startMockEndpoint(t, { answer: () => `your key is ${key}` });
    using client = open(echo.url, { cacheFolder });
    assert.equal((await client.chat(question("a"))).text, "your key is [key]");
    assert.match(textOf(cacheFolder), /your key is \[key\]/);
    assert.doesNotMatch(textOf(cacheFolder), /secret-key/);
  });

  test("an address with a secret in it is refused without repeating it", () => {
    for (const url of ["http://me:hunter2@host/v1", "https://host/v1?key=hunter2", "hunter2", "ftp://host/hunter2"]) {
      assert.throws(
        () => open(url),
        (error: Error & { code: string }) => error.code === "ERR_ENDPOINT_URL" && !error.message.includes("hunter2"),
      );
    }
    assert.throws(() => open("http://host/v1", { timeoutMilliseconds: 301_000 }), { code: "ERR_ENDPOINT_OPTIONS" });
    assert.throws(() => open("http://host/v1", { key: "two\nlines" }), { code: "ERR_ENDPOINT_OPTIONS" });
  });

  test("a server without a key is sent none, whatever the environment holds", async (t) => {
    const { url, requests } = await startMockEndpoint(t);
    const before = process.env.OPENAI_API_KEY;
    process.env.OPENAI_API_KEY = key;
    t.after(() => {
      if (before === undefined) delete process.env.OPENAI_API_KEY;
      else process.env.OPENAI_API_KEY = before;
    });
    using client = open(url, { key: null });
    await client.chat(question("a"));
    assert.equal(requests[0]?.authorization, undefined);
  });
});
