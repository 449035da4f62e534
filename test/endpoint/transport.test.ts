// One request and what became of it: hostile bodies, redirects, complaints in every form, waits that a server asks for.
import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { gzipSync } from "node:zlib";
import { endpointSettings } from "../../src/endpoint/endpoint-options.ts";
import { quotable } from "../../src/endpoint/secret.ts";
import { type Failure, openTransport } from "../../src/endpoint/transport.ts";

const key = "sk-0123456789-secret";

/** What one request comes to, when the server answers so. */
async function outcome(t: TestContext, answer: (outgoing: ServerResponse) => void, timeoutMilliseconds = 60_000) {
  let numRequests = 0;
  const server = createServer((_, outgoing) => {
    numRequests++;
    answer(outgoing);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const settings = endpointSettings({
    ...{ url, model: "m", key, cacheFolder: null, timeoutMilliseconds, maxReplyBytes: 100_000 },
  });
  const result = await openTransport(settings).post("/chat/completions", { model: "m" });
  assert.equal(numRequests, 1, "nothing is tried again here");
  return result;
}

async function failure(t: TestContext, answer: (outgoing: ServerResponse) => void, limit?: number): Promise<Failure> {
  const result = await outcome(t, answer, limit);
  assert.ok("failure" in result, JSON.stringify(result));
  return result.failure;
}

test("a body that trickles is not waited for longer than a silent one", async (t) => {
  const trickle = (outgoing: ServerResponse) => {
    outgoing.writeHead(200, { "content-type": "application/json" });
    const timer = setInterval(() => outgoing.write(" "), 20);
    outgoing.on("close", () => clearInterval(timer));
  };
  const { problem, mayPass } = await failure(t, trickle, 2000);
  assert.deepEqual([problem, mayPass], ["no whole reply within 2 s", true]);
});

test("a small packed body that unpacks to a huge one is cut off at the bound", async (t) => {
  const packed = gzipSync(`{"a":"${"x".repeat(5_000_000)}"}`);
  assert.ok(packed.length < 10_000);
  const { problem } = await failure(t, (outgoing) => {
    outgoing.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" }).end(packed);
  });
  assert.equal(problem, "a body of more than 100000 bytes");
});

test("a redirect is not followed: the key stays here", async (t) => {
  let numElsewhere = 0;
  const elsewhere = createServer((_, outgoing) => {
    numElsewhere++;
    outgoing.end("{}");
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
  t.after(() => elsewhere.close());
  const location = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/v1/chat/completions`;
  const { problem } = await failure(t, (outgoing) => outgoing.writeHead(307, { location }).end());
  assert.match(problem, /redirect/);
  assert.equal(numElsewhere, 0);
});

test("a server's complaint is passed on in whatever form it comes, in one line and without the key", async (t) => {
  const bodies: readonly [string, RegExp][] = [
    ['{"error":{"message":"no such model"}}', /^status 404: no such model$/],
    ['{"error":"no such model"}', /no such model/],
    ['{"detail":[{"msg":"field required"}]}', /field required/],
    ['{"object":"error","message":"no such model"}', /no such model/],
    [`plain\n\u0007 text with ${key}`, /^status 404: plain text with \[key\]$/],
    ["", /^status 404/],
    ["null", /^status 404/],
    [`"${"y".repeat(5000)}"`, /^status 404: y{200}\.\.\.$/],
  ];
  for (const [body, problem] of bodies) {
    const found = await failure(t, (outgoing) => outgoing.writeHead(404).end(body));
    assert.match(found.problem, problem);
    assert.deepEqual([found.status, found.mayPass], [404, false]);
  }
});

test("Retry-After in seconds, in milliseconds and as a date by the server's own clock", async (t) => {
  const date = "Wed, 01 Jan 2020 00:00:00 GMT";
  const cases: readonly [Record<string, string>, number | null][] = [
    [{ "retry-after": "2" }, 2000],
    [{ "retry-after": "1.5" }, 1500],
    [{ "retry-after-ms": "30", "retry-after": "2" }, 30],
    [{ date, "retry-after": "Wed, 01 Jan 2020 00:00:07 GMT" }, 7000],
    [{ date, "retry-after": "Tue, 31 Dec 2019 00:00:00 GMT" }, 0],
    [{ "retry-after": "soon" }, null],
    [{}, null],
  ];
  for (const [headers, milliseconds] of cases) {
    const { waitMilliseconds, mayPass } = await failure(t, (outgoing) => outgoing.writeHead(503, headers).end());
    assert.deepEqual([waitMilliseconds, mayPass], [milliseconds, true], JSON.stringify(headers));
  }
});

test("JSON is read whatever type the server gives it", async (t) => {
  const result = await outcome(t, (outgoing) =>
    outgoing.writeHead(200, { "content-type": "text/plain" }).end('{"a":1}'),
  );
  assert.deepEqual("body" in result && result.body, { a: 1 });
});

test("a key is cut out before a text is shortened, and a placeholder is no secret", () => {
  assert.equal(quotable(`${"x".repeat(195)}${key}`, key), `${"x".repeat(195)}[key]`);
  assert.equal(quotable("an EMPTY list", "EMPTY"), "an EMPTY list");
});
