// What a person is told when an endpoint does not answer: the address or the model that would work, found out; and replies
// that are replies although they look like none.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { wholeText } from "../../src/endpoint/chat.ts";
import { openChatClient, RejectedRequestError } from "../../src/endpoint/chat-client.ts";
import { nearestModel } from "../../src/endpoint/diagnosis.ts";
import { openEmbeddingClient } from "../../src/endpoint/embedding-client.ts";
import type { EndpointOptions } from "../../src/endpoint/endpoint-options.ts";
import { readChatBody } from "../../src/endpoint/wire.ts";
import { type MockOptions, startMockEndpoint } from "../support/mock-endpoint.ts";

const models = ["Qwen/Qwen2.5-7B-Instruct", "gpt-4o-mini", "llama3"];

async function messageOf(url: string, options: Partial<EndpointOptions> = {}): Promise<string> {
  using client = openChatClient({
    ...{ url, model: "gpt-4o-mini", key: null, cacheFolder: null, retryMilliseconds: 1, maxRetries: 1 },
    ...options,
  });
  const request = { messages: [{ role: "user", content: "a" }], maxTokens: 5, temperature: 0 } as const;
  return await client.chat(request).then(
    ({ text }) => `answered: ${text}`,
    (error: Error) => error.message,
  );
}

describe("the address", () => {
  test("without its version, or of one call: the one that works is named", async (t) => {
    const { url } = await startMockEndpoint(t, { models });
    const bare = url.replace(/\/v1$/, "");
    assert.equal(await messageOf(url), "answered: yes");
    for (const wrong of [bare, `${bare}/`, `${url}/chat/completions`, `${bare}/chat/completions`]) {
      const message = await messageOf(wrong);
      assert.match(message, /status 404/);
      assert.ok(message.includes(`An API answers at ${url}: give that address`), message);
    }
    assert.match(await messageOf(bare, { model: "lama3" }), /give that address\. .*it offers .*Did you mean llama3\?/);
    // Nothing to be found: nothing is promised.
    const empty = await startMockEndpoint(t, { answer: () => ({ status: 404, body: "nope" }) });
    assert.match(
      await messageOf(empty.url.replace("/v1", "/api")),
      /No API answers at .*\/api\/models or .*\/api\/v1\/models/,
    );
  });

  test("nobody listens", async () => {
    assert.match(await messageOf("http://127.0.0.1:1/v1"), /Check that the server runs and listens at this address/);
  });

  test("a web page instead of an answer is called one", async (t) => {
    const server = createServer((_, outgoing) => outgoing.writeHead(403).end("<!doctype html><title>Sign in</title>"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    t.after(() => server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
    assert.match(await messageOf(url), /status 403: a web page, "Sign in"\. The key, or this machine/);
    const page = await startMockEndpoint(t, { fault: () => "not-json" });
    assert.match(await messageOf(page.url), /a body that is not JSON \(2 tries\)\. No API answers at/);
  });
});

describe("the model's name", () => {
  test("what the server has is listed, and the nearest one", async (t) => {
    for (const [status, message] of [
      [404, "The model `x` does not exist."],
      [400, "Invalid model name passed in model=x"],
      [404, 'model "x" not found, try pulling it first'],
    ] as const) {
      const { url, requests } = await startMockEndpoint(t, {
        models,
        answer: () => ({ status, body: { error: { message } } }),
      });
      const said = await messageOf(url, { model: "qwen2.5-7b" });
      assert.match(
        said,
        /does not have the model qwen2\.5-7b; it offers Qwen\/Qwen2\.5-7B-Instruct, gpt-4o-mini, llama3\./,
      );
      assert.match(said, /Did you mean Qwen\/Qwen2\.5-7B-Instruct\?/);
      assert.equal(requests.length, 1, "asked once");
    }
    assert.equal(nearestModel("GPT-4o_mini", models), "gpt-4o-mini");
    assert.equal(nearestModel("zzzzzzzz", models), null);
  });

  test("a chat model that is asked to embed", async (t) => {
    const refuse: MockOptions = {
      models,
      refuse: () => ({ error: { message: "The model does not exist for embeddings" } }),
    };
    const { url } = await startMockEndpoint(t, refuse);
    using client = openEmbeddingClient({ url, model: "llama3", key: null, cacheFolder: null });
    await assert.rejects(client.embed(["a"]), { code: "ERR_ENDPOINT", message: /lists llama3 and does not serve it/ });
  });
});

test("keys, credit, limits, faults and waits each have their own advice", async (t) => {
  const cases: readonly (readonly [number, string | null, RegExp])[] = [
    [401, null, /wants a key: .*--key-env/],
    [401, "sk-0123456789", /does not take the key/],
    [402, null, /no credit/],
    [403, null, /may not use the model/],
    [429, null, /lower --concurrency/],
    [503, null, /fault is the server's/],
  ];
  for (const [status, key, advice] of cases) {
    const { url } = await startMockEndpoint(t, { answer: () => ({ status, body: { error: { message: "no" } } }) });
    assert.match(await messageOf(url, { key }), advice);
  }
  const silent = await startMockEndpoint(t, { fault: () => "never" });
  assert.match(await messageOf(silent.url, { timeoutMilliseconds: 50 }), /Raise --timeout/);
});

test("a request that is too long is told from one that is refused otherwise", async (t) => {
  for (const [status, message, isTooLong] of [
    [400, "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens", true],
    [400, "Input is too long for requested model", true],
    [413, "Payload Too Large", true],
    [422, "unsupported part", false],
  ] as const) {
    const { url } = await startMockEndpoint(t, { models, answer: () => ({ status, body: { error: { message } } }) });
    using client = openChatClient({ url, model: "m", key: null, cacheFolder: null });
    const request = { messages: [{ role: "user", content: "a" }], maxTokens: 5, temperature: 0 } as const;
    await assert.rejects(client.chat(request), (error: RejectedRequestError) => {
      assert.ok(error instanceof RejectedRequestError, String(error));
      assert.deepEqual([error.code, error.isTooLong], ["ERR_ENDPOINT_REJECTED", isTooLong], message);
      return true;
    });
  }
});

test("replies in every form: null, empty, parts, thoughts beside the text, an answer that was taken for thoughts", () => {
  const read = (message: object, finish_reason: string | null = "stop") => {
    const reading = readChatBody({ choices: [{ message, finish_reason }] });
    assert.ok("value" in reading, JSON.stringify(reading));
    const { text, reasoning, finish } = reading.value;
    return [text, reasoning, finish];
  };
  assert.deepEqual(read({ content: "yes" }), ["yes", undefined, "stop"]);
  assert.deepEqual(read({ content: null, reasoning_content: "hm" }, "length"), ["", "hm", "length"]);
  assert.deepEqual(read({ content: "", reasoning: "hm" }, "max_tokens"), ["", "hm", "length"]);
  assert.deepEqual(read({ content: null }), ["", undefined, "stop"]);
  assert.deepEqual(read({}, null), ["", undefined, "stop"]);
  assert.deepEqual(read({ content: null, refusal: "I won't." }), ["I won't.", undefined, "stop"]);
  assert.deepEqual(read({ content: null, reasoning_content: "yes" }), ["yes", undefined, "stop"]);
  assert.deepEqual(read({ content: "yes", reasoning: "hm", reasoning_content: null }), ["yes", "hm", "stop"]);
  assert.deepEqual(read({ content: [{ type: "text", text: "y" }, { text: "es" }] }, "end_turn"), [
    "yes",
    undefined,
    "stop",
  ]);
  assert.deepEqual(
    read({
      content: [
        { type: "thinking", thinking: "hm" },
        { type: "text", text: "yes" },
      ],
    }),
    ["yes", "hm", "stop"],
  );
  assert.deepEqual(read({ content: "", reasoning: { odd: 1 } }, "content_filter"), ["", undefined, "other"]);
  assert.deepEqual(readChatBody({ error: { message: "upstream is down" } }), { problem: "upstream is down" });
  assert.match(
    (readChatBody({ choices: [{ message: { content: 5 } }] }) as { problem: string }).problem,
    /no chat completion/,
  );
  assert.equal(wholeText({ text: "yes", reasoning: "hm" }), "<think>hm</think>yes");
  assert.equal(wholeText({ text: "", reasoning: "hm" }), "<think>hm");
  assert.equal(wholeText({ text: "<think>a</think>yes", reasoning: "hm" }), "<think>a</think>yes");
  assert.equal(wholeText({ text: "yes" }), "yes");
});
