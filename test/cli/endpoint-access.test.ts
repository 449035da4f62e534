// From URL#MODEL and settings to a client's options; the key, the budget, the server's one model.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { embedderAccess } from "../../src/cli/base/embedder-access.ts";
import { endpointCache, endpointOptions } from "../../src/cli/base/endpoint-access.ts";
import { servedModel } from "../../src/corpus/served-model.ts";
import { clientSettings, endpointSetting } from "../../src/corpus/settings.ts";

const client = clientSettings.parse({ maxRequests: 5, timeout: 2.5 });

test("settings become a client's options; the key comes from the environment", async () => {
  const options = await endpointOptions("http://h/v1#Org/m#2", client, { OPENAI_API_KEY: "k" }, "/kept");
  assert.deepEqual(options, {
    url: "http://h/v1",
    model: "Org/m#2",
    key: "k",
    cacheFolder: "/kept",
    concurrency: 8,
    maxRequests: 5,
    maxTokens: undefined,
    timeoutMilliseconds: 2500,
  });
  const plain = await endpointOptions("http://h/v1#m", { ...client, cache: "own" }, {}, "/kept");
  assert.deepEqual([plain.key, plain.cacheFolder], [null, "own"]);
  assert.equal(await endpointCache({ OPPO_HOME: "/home" }), "/home/cache/endpoint");
});

test("a named variable must be set", async () => {
  const named = { ...client, keyEnv: "MY_KEY" };
  const environment = { MY_KEY: "k", OPENAI_API_KEY: "other" };
  assert.equal((await endpointOptions("http://h/v1#m", named, environment, "/kept")).key, "k");
  await assert.rejects(endpointOptions("http://h/v1#m", named, { OPENAI_API_KEY: "other" }, "/kept"), {
    code: "ERR_ENDPOINT_KEY",
    message: /variable MY_KEY, got nothing/,
  });
  const access = await embedderAccess(client, "auto", new AbortController().signal);
  assert.deepEqual([access.client?.maxRequests, access.client?.timeoutMilliseconds], [5, 2500]);
});

test("what is no address is refused without repeating it; another word only where there is one", () => {
  const setting = endpointSetting("a server");
  assert.equal(setting.parse("http://localhost:8000/v1#a/b"), "http://localhost:8000/v1#a/b");
  assert.equal(setting.parse(undefined), null);
  for (const text of ["localhost:8000", "http://h/v1#", "#m", "http://h /v1#m", "offline"]) {
    assert.throws(() => setting.parse(text), /expected URL#MODEL/, text);
  }
  assert.equal(endpointSetting("a server", "offline").parse("offline"), "offline");
});

async function serverOf(
  t: TestContext,
  answer: string,
  only: string | null = null,
): Promise<{ url: string; seen: string[] }> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.url} ${request.headers.authorization}`);
    response.setHeader("content-type", "application/json");
    response.statusCode = only === null || request.url === only ? 200 : 404;
    response.end(response.statusCode === 200 ? answer : "{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, seen };
}

test("an address alone means the one model that the server has", async (t) => {
  const asking = { key: "k", timeoutMilliseconds: 2000 };
  const one = await serverOf(t, '{"data": [{"id": "only"}]}');
  assert.equal(await servedModel(`${one.url}/`, asking), "only");
  assert.deepEqual(one.seen, ["/v1/models Bearer k"]);
  assert.equal((await endpointOptions(one.url, client, {}, "/kept")).model, "only");
  const two = await serverOf(t, '{"data": [{"id": "a"}, {"id": "b"}]}');
  await assert.rejects(servedModel(two.url, asking), {
    code: "ERR_ENDPOINT_MODEL",
    message: /expected the one model that it serves, got a, b\. Name one: http.*\/v1#MODEL\.$/,
  });
  const beside = await serverOf(t, '{"data": [{"id": "only"}]}', "/v1/models");
  await assert.rejects(
    servedModel(beside.url.replace("/v1", ""), asking),
    /An API answers at http.*\/v1: give that addr/,
  );
  for (const answer of ["<html>", '{"data": [null]}', "[]"]) {
    const odd = await serverOf(t, answer);
    await assert.rejects(servedModel(odd.url, asking), /got no list of its models/);
  }
  await assert.rejects(servedModel("http://me:secret@127.0.0.1:1/v1", asking), { code: "ERR_ENDPOINT_URL" });
});
