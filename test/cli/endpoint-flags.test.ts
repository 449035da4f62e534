// The flags of commands that talk to a server.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Command } from "commander";
import { addEndpointFlags, type EndpointFlags, endpointOptions } from "../../src/cli/endpoint-flags.ts";

function parse(args: readonly string[]): EndpointFlags {
  const command = addEndpointFlags(new Command().exitOverride().configureOutput({ writeErr: () => undefined }));
  return command.parse(args, { from: "user" }).opts();
}

const server = { url: "http://localhost/v1", model: "m" };

test("flags become a client's options; the key comes from the environment", () => {
  const flags = parse(["--max-requests", "5", "--timeout", "2.5", "--cache", "replies"]);
  assert.deepEqual(endpointOptions(flags, server, { OPENAI_API_KEY: "k" }, "/home"), {
    ...server,
    key: "k",
    cacheFolder: "replies",
    concurrency: 8,
    maxRequests: 5,
    maxTokens: undefined,
    timeoutMilliseconds: 2500,
  });
  const plain = endpointOptions(parse([]), server, {}, "/home");
  assert.deepEqual([plain.key, plain.cacheFolder], [null, "/home/cache/endpoint"]);
});

test("a named variable must be set, numbers must be numbers", () => {
  const named = parse(["--key-env", "MY_KEY"]);
  assert.equal(endpointOptions(named, server, { MY_KEY: "k", OPENAI_API_KEY: "other" }, "/home").key, "k");
  assert.throws(() => endpointOptions(named, server, { OPENAI_API_KEY: "other" }, "/home"), {
    code: "ERR_ENDPOINT_KEY",
    message: /variable MY_KEY, got nothing/,
  });
  for (const args of [
    ["--timeout", "301"],
    ["--timeout", "soon"],
    ["--concurrency", "0"],
  ]) {
    assert.throws(() => parse(args), /Expected/);
  }
});
