// Servers that refuse, cut, hang, flood or are none of MLflow's: an error that says what came and what to do, in time, without what is secret.
import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { openMlflowServer, ServerRefusal } from "../../../../src/recipes/report/mlflow/rest.ts";
import { type MlflowFault, startMockMlflow } from "../../../support/mock-mlflow.ts";

const reply = z.object({ experiment_id: z.string() });
const request = { path: "experiments/create", reply, body: { name: "x" } };
const options = { environment: {}, retryMilliseconds: 1, timeoutMilliseconds: 60_000 };
const token = "token-0123456789";

const faults: readonly (readonly [MlflowFault, RegExp, number])[] = [
  [
    { status: 400, body: '{"error_code":"INVALID_PARAMETER_VALUE","message":"bad\\u001b[31m"}' },
    /400: INVALID_PARAMETER_VALUE: bad \[31m\. /,
    1,
  ],
  [
    { status: 404, body: "<!doctype html><title>Not here</title>" },
    /404: a web page, "Not here"\. Check that the address/,
    1,
  ],
  [{ status: 403, body: "Invalid Host header - possible DNS rebinding attack detected" }, /--allowed-hosts NAME/, 1],
  [{ status: 403, body: `Permission denied for ${token}` }, /denied for \[key\]\. Check MLFLOW_TRACKING_USERNAME/, 1],
  [{ status: 413, body: "" }, /bodies of 1 MB/, 1],
  [{ status: 500, body: '{"error_code":"INTERNAL_ERROR"}' }, /INTERNAL_ERROR: *\. The server's log says more\. Run/, 3],
  [{ status: 429, body: "", headers: { "retry-after": "3600" } }, /status 429/, 1],
  [{ status: 200, body: "<html><title>Login</title></html>" }, /a web page, "Login"\. Check that the address/, 1],
  [{ status: 200, body: "pong" }, /a body that is not JSON/, 1],
  [{ status: 200, body: '{"experiment_id":7}' }, /JSON in which experiment_id is no answer/, 1],
  [{ status: 200, body: "[]" }, /JSON in which the whole is no answer/, 1],
  [{ status: 302, body: "", headers: { location: "http://127.0.0.1:1/" } }, /redirect\. Check that the address/, 3],
  ["cut", /got .+\. Check that a tracking server runs there/, 3],
  ["reset", /got .+\. Check that a tracking server runs there/, 3],
  ["huge", /a body of more than 16000000 bytes/, 1],
];

test("a fault is told with what to do, and tried again where it may pass", async (t) => {
  for (const [fault, message, numTries] of faults) {
    const mock = await startMockMlflow(t, { fault: () => fault });
    const server = openMlflowServer({
      ...options,
      address: mock.address,
      environment: { MLFLOW_TRACKING_TOKEN: token },
    });
    const name = JSON.stringify(fault);
    await assert.rejects(server.ask(request), (error: Error & { code?: string }) => {
      assert.match(error.message, message, name);
      assert.equal(error.code, "ERR_EXPORT_SERVER");
      assert.equal(error instanceof ServerRefusal, typeof fault === "object" && fault.status >= 400, name);
      assert.doesNotMatch(error.message, /token-0123|\p{Cc}/u);
      assert.ok(error.message.length < 700, name);
      return true;
    });
    assert.equal(mock.requests.length, numTries, name);
    assert.ok(mock.requests.every(({ authorization }) => authorization === `Bearer ${token}`));
  }
});

test("a server that hangs is left after the time, asked once", async (t) => {
  const mock = await startMockMlflow(t, { fault: () => "never" });
  const server = openMlflowServer({ ...options, address: mock.address, timeoutMilliseconds: 500 });
  await assert.rejects(server.ask(request), /no whole reply within 0\.5 s\. The server's log says more/);
  assert.ok(mock.requests.length <= 1);
});

test("nobody listens", async () => {
  const server = openMlflowServer({ ...options, address: "http://127.0.0.1:9" });
  await assert.rejects(server.ask(request), /runs there: mlflow server --port 5000/);
});

test("a name goes with a password only, as in MLflow, and what is refused can be asked for", async (t) => {
  const mock = await startMockMlflow(t);
  const given = [
    [{ MLFLOW_TRACKING_USERNAME: "me", MLFLOW_TRACKING_TOKEN: "t" }, "Bearer t"],
    [{ MLFLOW_TRACKING_USERNAME: "me", MLFLOW_TRACKING_PASSWORD: "p", MLFLOW_TRACKING_TOKEN: "t" }, "Basic bWU6cA=="],
    [{}, undefined],
  ] as const;
  for (const [environment, authorization] of given) {
    const server = openMlflowServer({ ...options, address: mock.address, environment });
    const asked = { path: "experiments/get-by-name", reply, query: { experiment_name: "a&b" } };
    await assert.rejects(
      server.ask(asked),
      (error) => error instanceof ServerRefusal && error.refusal === "RESOURCE_DOES_NOT_EXIST",
    );
    assert.equal(mock.requests.at(-1)!.authorization, authorization);
  }
});

test("an address that is none is refused before anything is sent, without being repeated", () => {
  for (const address of [
    "sqlite:///x.db",
    "localhost:5000",
    "http://me:secret@host",
    "http://host?x=secret",
    "ftp://host",
  ]) {
    const open = () => openMlflowServer({ ...options, address });
    assert.throws(
      open,
      (error: Error & { code?: string }) => error.code === "ERR_EXPORT_ADDRESS" && !/secret/.test(error.message),
    );
  }
  const environment = { MLFLOW_TRACKING_TOKEN: "two\nlines" };
  assert.throws(() => openMlflowServer({ ...options, address: "http://h", environment }), /plain characters/);
});
