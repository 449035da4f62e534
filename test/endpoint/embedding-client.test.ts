// The embedding client: batches, unit rows, vectors that are none.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type EmbeddingOptions, openEmbeddingClient } from "../../src/endpoint/embedding-client.ts";
import { decodeVector, readVectorsBody } from "../../src/endpoint/wire.ts";
import { faultsInTurn, type MockOptions, startMockEndpoint } from "../support/mock-endpoint.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const open = (url: string, options: Partial<EmbeddingOptions> = {}) =>
  openEmbeddingClient({ url, model: "e", key: null, cacheFolder: null, retryMilliseconds: 1, ...options });

/** [number in the text, 4] has length 5 for the number 3. */
const vector = (text: string) => [Number(/\d+/.exec(text)?.[0] ?? 0), 4];
const float = Math.fround;

describe("embedding", () => {
  test("rows of length 1 in the texts' order; each distinct text is sent once, in batches", async (t) => {
    const { url, requests } = await startMockEndpoint(t, { vector });
    using client = open(url, { batchSize: 2 });
    const rows = await client.embed(["a3", "b0", "a3", " ", "c3", "d0"]);
    const [unit, up] = [
      [float(0.6), float(0.8)],
      [0, 1],
    ];
    assert.deepEqual([...rows], [...unit, ...up, ...unit, 0, 0, ...unit, ...up]);
    assert.deepEqual(
      requests.map(({ body }) => body.input),
      [
        ["a3", "b0"],
        ["c3", "d0"],
      ],
    );
    assert.equal(requests[0]?.body.encoding_format, "base64");
    assert.equal(client.statistics().promptTokens, 12);
    assert.equal((await client.embed([])).length, 0);
  });

  test("what was embedded is found again, bit for bit, and equal texts under way are shared", async (t) => {
    const { url, requests } = await startMockEndpoint(t, { vector: (text) => [text.length, Math.PI, -1 / 3] });
    const cacheFolder = temporaryFolder(t);
    using client = open(url, { cacheFolder });
    const [first, second] = await Promise.all([client.embed(["a", "bb"]), client.embed(["bb", "a"])]);
    using later = open("http://127.0.0.1:1/v1", { cacheFolder });
    assert.deepEqual(await later.embed(["a", "bb"]), first);
    assert.deepEqual(second.slice(3), first.slice(0, 3));
    assert.equal(await later.dimension(), 3);
    assert.equal(requests.length, 1);
  });

  test("the dimension is asked for once, and shorter vectors are another question", async (t) => {
    const { url, requests } = await startMockEndpoint(t, { vector });
    const cacheFolder = temporaryFolder(t);
    using client = open(url, { cacheFolder });
    assert.deepEqual([await client.dimension(), await client.dimension(), requests.length], [2, 2, 1]);
    using shorter = open(url, { cacheFolder, askedDimension: 2 });
    await shorter.embed(["joy"]);
    assert.equal(requests.at(-1)?.body.dimensions, 2);
  });

  test("servers without base64 send numbers: unasked, or once they have refused it", async (t) => {
    const expected = await open((await startMockEndpoint(t, { vector })).url).embed(["a3", "b0"]);
    const ignoring = await startMockEndpoint(t, { vector, base64: "ignored" });
    assert.deepEqual(await open(ignoring.url).embed(["a3", "b0"]), expected);
    const refusing = await startMockEndpoint(t, { vector, base64: "refused" });
    const notices: string[] = [];
    using client = open(refusing.url, { onNotice: (line) => notices.push(line), batchSize: 1, concurrency: 1 });
    assert.deepEqual(await client.embed(["a3", "b0"]), expected);
    assert.deepEqual(
      refusing.requests.map(({ body }) => body.encoding_format),
      ["base64", "float", "float"],
    );
    assert.equal(notices.length, 1);
  });

  test("a server that misbehaves ends in the same rows", async (t) => {
    const good = await startMockEndpoint(t, { vector });
    const bad = await startMockEndpoint(t, { vector, fault: faultsInTurn(2), hugeBytes: 200_000 });
    const texts = Array.from({ length: 40 }, (_, i) => `text ${i}`);
    const options = { batchSize: 4, timeoutMilliseconds: 300, maxReplyBytes: 100_000 };
    using one = open(good.url, options);
    using other = open(bad.url, options);
    assert.deepEqual(await other.embed(texts), await one.embed(texts));
    assert.ok(bad.requests.length > 10);
  });
});

describe("servers that take few texts at once", () => {
  for (const [count, status] of [
    [10, 400],
    [32, 413],
    [32, 422],
    [1, 422],
  ] as const) {
    test(`${count}, status ${status}: the batch is halved, and what worked is remembered`, async (t) => {
      const texts = Array.from({ length: 150 }, (_, i) => `text ${i}`);
      const good = await startMockEndpoint(t, { vector });
      const small = await startMockEndpoint(t, { vector, maxInputs: { count, status } });
      const notices: string[] = [];
      using one = open(good.url);
      using other = open(small.url, { concurrency: 1, onNotice: (line) => notices.push(line) });
      assert.deepEqual(await other.embed(texts), await one.embed(texts));
      const sizes = small.requests.map(({ body }) => body.input.length);
      const learnt = { 10: 8, 32: 32, 1: 1 }[count];
      assert.equal(sizes.filter((size) => size > count).length, Math.log2(64 / learnt), "refusals, only to begin with");
      assert.ok(sizes.slice(-5).every((size) => size <= learnt));
      assert.deepEqual(notices, [
        `${small.url}: the server does not take as many texts at once: ${learnt} from now on`,
      ]);
      const numBefore = small.requests.length;
      await other.embed(["new a", "new b"]);
      assert.equal(small.requests.length - numBefore, learnt === 1 ? 2 : 1);
    });
  }

  test("a text that no batch makes acceptable is named, and what was embedded is kept", async (t) => {
    const refuse = (body: { input: string[] }) => body.input.some((text) => text.includes("bad"));
    const cacheFolder = temporaryFolder(t);
    const { url, requests } = await startMockEndpoint(t, {
      vector: (text) => {
        if (text.includes("bad")) throw new Error("never");
        return vector(text);
      },
      refuse: (body) => (refuse(body) ? { error: { message: "maximum context length is 512 tokens" } } : null),
    });
    using client = open(url, { cacheFolder, concurrency: 1, batchSize: 4 });
    await assert.rejects(client.embed(["a1", "b2", "bad one", "c3"]), {
      code: "ERR_ENDPOINT_REJECTED",
      message: /maximum context length is 512 tokens, for a text of 7 characters, "bad one"\. It is longer/,
    });
    const numBefore = requests.length;
    await client.embed(["a1", "b2"]);
    assert.equal(requests.length, numBefore, "kept");
  });
});

describe("vectors that are none", () => {
  const cases: readonly [string, MockOptions["vector"], Partial<EmbeddingOptions>, RegExp][] = [
    ["zeros", () => [0, 0], {}, /a vector with a direction, got one of length 0, for "a"/],
    ["no numbers", () => [Number.NaN, 1], {}, /got one of length NaN/],
    ["another length than expected", () => [1, 2, 3], { dimension: 2 }, /a vector of 2 numbers, got 3/],
    ["lengths that differ", (text) => (text === "a" ? [1] : [1, 2]), {}, /a vector of 1 numbers, got 2, for "b"/],
  ];
  for (const [name, make, options, message] of cases) {
    test(name, async (t) => {
      const { url } = await startMockEndpoint(t, { vector: make! });
      using client = open(url, options);
      await assert.rejects(client.embed(["a", "b"]), { code: "ERR_ENDPOINT_VECTOR", message });
    });
  }

  test("fewer vectors than texts are no answer", () => {
    const one = { data: [{ index: 0, embedding: [1] }] };
    assert.deepEqual(readVectorsBody(one, ["a", "b"]), { problem: "1 embeddings for 2 texts" });
    const twice = { data: [...one.data, ...one.data] };
    assert.deepEqual(readVectorsBody(twice, ["a", "b"]), { problem: "2 embeddings for 2 texts" });
    assert.ok("value" in readVectorsBody(one, ["a"]));
    assert.equal(decodeVector("AAA=").length, 0);
  });
});
