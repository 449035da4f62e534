// What both servers do with hostile or broken requests: bodies, tokens, slow clients, addresses; each answered with a
// status and a stable code.
import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { OppoError } from "../../src/error.ts";
import { createApp } from "../../src/serve/http/app.ts";
import { isLoopback, requireBearer } from "../../src/serve/http/bearer.ts";
import { Counters } from "../../src/serve/http/counters.ts";
import { asHttpError, errorBody, HttpError } from "../../src/serve/http/http-error.ts";
import { type Listening, listen } from "../../src/serve/http/listen.ts";
import { BodyReader, parseJson } from "../../src/serve/http/read-json.ts";
import { post, until } from "./served-model.ts";

const maxBytes = 1000;

async function withServer(
  body: (address: string, faults: unknown[], counters: Counters, server: Listening) => Promise<void>,
  options: { token?: string; requestSeconds?: number; maxConnections?: number } = {},
): Promise<void> {
  const faults: unknown[] = [];
  const counters = new Counters("test");
  const app = createApp({
    token: options.token ?? null,
    host: "127.0.0.1",
    counters,
    health: () => ({ isHealthy: true, extra: 1 }),
    onFault: (error) => faults.push(error),
  });
  const bodies = new BodyReader(maxBytes);
  app.post("/echo", async (c) => c.json({ got: await bodies.json(c.env.incoming) } as never));
  app.post("/fault", () => {
    throw new TypeError("secret detail");
  });
  const { requestSeconds = 30, maxConnections = 100 } = options;
  const server = await listen(app, { host: "127.0.0.1", port: 0, requestSeconds, maxConnections });
  try {
    await body(server.address, faults, counters, server);
  } finally {
    await server.close({ graceSeconds: 0 });
  }
}

describe("bodies", () => {
  test("JSON comes through; anything else is refused with its reason", () =>
    withServer(async (address, faults) => {
      const echo = `${address}/echo`;
      assert.deepEqual((await post(echo, '{"a": ["\\u2603 \\" [[[ {{{ \\\\"]}')).body, {
        got: { a: ['\u2603 " [[[ {{{ \\'] },
      });
      const cases: [string, string | Uint8Array, number, string][] = [
        ["nothing", "", 400, "ERR_HTTP_BODY"],
        ["half", '{"a": ', 400, "ERR_HTTP_BODY"],
        ["NaN", '{"a": NaN}', 400, "ERR_HTTP_BODY"],
        ["bad UTF-8", Buffer.from([0x22, 0xff, 0xfe, 0x22]), 400, "ERR_HTTP_BODY"],
        ["deep", "[".repeat(400), 400, "ERR_HTTP_BODY"],
        ["deep and whole", `${"[".repeat(33)}${"]".repeat(33)}`, 400, "ERR_HTTP_BODY"],
        ["large", `"${"x".repeat(maxBytes)}"`, 413, "ERR_HTTP_BODY_TOO_LARGE"],
      ];
      for (const [name, body, status, code] of cases) {
        const answer = await post(echo, body);
        assert.deepEqual([answer.status, answer.body.error?.code], [status, code], name);
      }
      const chunked = new ReadableStream({
        pull(controller) {
          controller.enqueue(Buffer.alloc(400, 0x20));
        },
      });
      const large = await fetch(echo, {
        method: "POST",
        body: chunked,
        headers: { "content-type": "application/json" },
        duplex: "half",
      } as RequestInit).then(
        (answer) => answer.status,
        // The server closes the connection while the client still writes.
        () => 413,
      );
      assert.equal(large, 413);
      assert.equal((await post(echo, "{}", { "content-type": "text/plain" })).body.error?.code, "ERR_HTTP_MEDIA_TYPE");
      assert.equal((await post(`${address}/nowhere`, "{}")).body.error?.code, "ERR_HTTP_NOT_FOUND");
      assert.deepEqual(faults, []);
      assert.equal((await post(echo, "[1]")).status, 200, "it still answers");
    }));

  test("32 levels are few enough, brackets in strings do not count", () => {
    assert.doesNotThrow(() => parseJson(Buffer.from(`${"[".repeat(32)}${"]".repeat(32)}`)));
    assert.doesNotThrow(() => parseJson(Buffer.from(JSON.stringify(["[".repeat(100), '\\"['.repeat(50)]))));
    assert.throws(() => parseJson(Buffer.from(`["\\"", ${"[".repeat(40)}`)), { code: "ERR_HTTP_BODY" });
    assert.throws(() => parseJson(Buffer.from('"never ends [[[')), { code: "ERR_HTTP_BODY", message: /no JSON/ });
  });
});

describe("clients", () => {
  test("need the token where there is one, except for /health", () =>
    withServer(
      async (address, _faults, counters) => {
        assert.deepEqual(await (await fetch(`${address}/health`)).json(), { status: "ok", extra: 1 });
        for (const header of [undefined, "Bearer wrong", "s3cret", "Basic s3cret"]) {
          const answer = await post(`${address}/echo`, "{}", header === undefined ? {} : { authorization: header });
          assert.deepEqual([answer.status, answer.body.error?.code], [401, "ERR_HTTP_UNAUTHORIZED"]);
          assert.equal(answer.headers.get("www-authenticate"), "Bearer");
        }
        assert.equal((await post(`${address}/echo`, "{}", { authorization: "Bearer s3cret" })).status, 200);
        assert.match(counters.text(), /test_requests_total\{path="\/echo",status="200"\} 1\n/);
      },
      { token: "s3cret" },
    ));

  test("that were meant for another machine are refused where no token protects", () =>
    withServer(async (address) => {
      const { port } = new URL(address);
      const statusFor = (host: string) =>
        new Promise<number>((resolve, reject) => {
          const options = { port, host: "127.0.0.1", path: "/echo", method: "POST", headers: { host } };
          const request = httpRequest({
            ...options,
            headers: { ...options.headers, "content-type": "application/json" },
          });
          request.on("response", (response) => {
            response.resume();
            resolve(response.statusCode!);
          });
          request.on("error", reject);
          request.end("{}");
        });
      for (const host of [`127.0.0.1:${port}`, "localhost", "LOCALHOST:80", "[::1]:8000"]) {
        assert.equal(await statusFor(host), 200, host);
      }
      for (const host of ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", `192.168.0.1:${port}`]) {
        assert.equal(await statusFor(host), 403, host);
      }
      assert.deepEqual(["::1", "localhost", "0.0.0.0", "192.168.0.1"].map(isLoopback), [true, true, false, false]);
    }));

  test("that send many large bodies at once are told to come back; those that only announce them hold nobody up", () =>
    withServer(async (address) => {
      const { port } = new URL(address);
      const head = `POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${maxBytes}\r\n\r\n`;
      const slow = await Promise.all(
        Array.from({ length: 4 }, async () => {
          const socket = connect(Number(port), "127.0.0.1");
          await new Promise((resolve) => socket.on("connect", resolve));
          socket.write(`${head}[`);
          return socket;
        }),
      );
      const large = `[${" ".repeat(maxBytes - 100)}1]`;
      assert.equal((await post(`${address}/echo`, large)).status, 200);
      for (const socket of slow) socket.write(" ".repeat(maxBytes - 10));
      await until("the four to come in", async () => (await post(`${address}/echo`, large)).status === 429);
      const busy = await post(`${address}/echo`, large);
      assert.deepEqual([busy.body.error?.code, busy.headers.get("retry-after")], ["ERR_SERVER_BUSY", "1"]);
      for (const socket of slow) socket.destroy();
      await until("room again", async () => (await post(`${address}/echo`, large)).status === 200);
    }));

  test("that are slow are cut off, and others are answered meanwhile", () =>
    withServer(
      async (address) => {
        const port = Number(new URL(address).port);
        const slow = connect(port, "127.0.0.1");
        slow.write("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{");
        const closed = new Promise<string>((resolve) => {
          let text = "";
          slow.on("data", (data) => {
            text += data;
          });
          slow.on("close", () => resolve(text));
          slow.on("error", () => undefined);
        });
        assert.equal((await fetch(`${address}/health`)).status, 200);
        const start = Date.now();
        await closed;
        assert.ok(Date.now() - start < 8000);
      },
      { requestSeconds: 1 },
    ));

  test("find room although others keep idle connections, and the longest idle goes first", () =>
    withServer(
      async (address) => {
        const port = Number(new URL(address).port);
        const closed: number[] = [];
        const sockets = [];
        for (let i = 0; i < 6; i++) {
          const socket = connect(port, "127.0.0.1").on("error", () => undefined);
          socket.on("close", () => closed.push(i));
          await once(socket, "connect");
          // The first one asks for something, and is then idle for less time than the second.
          if (i === 1) {
            sockets[0]!.write("GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
            await once(sockets[0]!, "data");
          }
          sockets.push(socket);
        }
        await until("the oldest idle ones to go", () => closed.length === 2);
        assert.deepEqual(closed, [1, 0]);
        assert.equal((await fetch(`${address}/health`)).status, 200);
        for (const socket of sockets) socket.destroy();
      },
      { maxConnections: 4 },
    ));

  test("are told of our faults without their text, and the fault is told to us", () =>
    withServer(async (address, faults) => {
      const answer = await post(`${address}/fault`, "{}");
      assert.deepEqual([answer.status, answer.body.error?.code], [500, "ERR_INTERNAL"]);
      assert.doesNotMatch(JSON.stringify(answer.body), /secret/);
      assert.equal((faults[0] as Error).message, "secret detail");
    }));

  test("an address in use is an error that says so", () =>
    withServer(async (address) => {
      const port = Number(new URL(address).port);
      const app = createApp({
        token: null,
        host: "127.0.0.1",
        counters: new Counters("x"),
        health: () => ({ isHealthy: true }),
        onFault: () => {},
      });
      await assert.rejects(listen(app, { host: "127.0.0.1", port, requestSeconds: 1 }), {
        code: "ERR_SERVER_ADDRESS",
        message: /in use\. Choose another --port/,
      });
    }));
});

test("errors keep code, status and field; layers below are not taken for the client's mistake", () => {
  const busy = new HttpError(429, "ERR_SERVER_BUSY", "queue: full.", { param: "n", retryAfterSeconds: 2 });
  assert.deepEqual(errorBody(busy), {
    error: { message: "queue: full.", type: "rate_limit_error", param: "n", code: "ERR_SERVER_BUSY" },
  });
  assert.equal(asHttpError(busy), busy);
  const below = asHttpError(new OppoError("ERR_TEST", "below"));
  assert.deepEqual([below.status, below.code, below.message], [500, "ERR_TEST", "below"]);
  assert.doesNotThrow(() => requireBearer(undefined, null));
  assert.throws(() => requireBearer("Bearer ", "x"), { code: "ERR_HTTP_UNAUTHORIZED" });
});

test("counters: sums by label, buckets that add up", () => {
  const counters = new Counters("oppo");
  counters.add("things_total", 2, { kind: 'a"b' });
  counters.add("things_total", 3, { kind: 'a"b' });
  counters.gauge("waiting", () => 4);
  for (const seconds of [0.0005, 0.02, 100]) counters.observe(seconds);
  const text = counters.text();
  assert.match(text, /^oppo_things_total\{kind="a_b"\} 5\noppo_waiting 4\n/);
  assert.match(text, /le="0.001"\} 1\n/);
  assert.match(text, /le="0.025"\} 2\n/);
  assert.match(text, /le="60"\} 2\n.*le="\+Inf"\} 3\noppo_request_seconds_sum 100.0205\n.*_count 3\n$/);
});
