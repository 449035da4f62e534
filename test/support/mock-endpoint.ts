// An OpenAI-compatible server that misbehaves by a script: faults depend on the question and on how often it was asked,
// never on the order in which requests arrive, so that a test repeats. It keeps a log of what it saw.
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

export type Fault =
  | "status-500"
  | "rate-limit"
  | "half-json"
  | "half-reply"
  | "wrong-types"
  | "slow"
  | "truncated"
  | "huge"
  | "reset"
  | "not-json"
  | "never";

/** All but "half-reply", a whole answer with half a text in it: only a client that expects JSON can tell. */
export const allFaults: readonly Fault[] = [
  ...(["status-500", "rate-limit", "half-json", "wrong-types", "slow", "truncated", "huge", "reset"] as const),
  ...(["not-json", "never"] as const),
];

export interface SeenRequest {
  readonly path: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever a client sent, as tests look at it
  readonly body: any;
  readonly authorization: string | undefined;
  /** Null when it was answered as it should be. */
  readonly fault: Fault | null;
}

export interface MockEndpoint {
  readonly url: string;
  readonly requests: readonly SeenRequest[];
  /** Requests under way at once, at most. */
  readonly busiest: () => number;
}

export interface MockOptions {
  /** The reply to a chat request; an object is a whole body with its status. */
  readonly answer?: (body: SeenRequest["body"]) => string | { readonly status: number; readonly body: unknown };
  /** The vector of a text; as base64 where that is asked for. */
  readonly vector?: (text: string) => readonly number[];
  /** What an embedding server makes of base64: some send plain numbers all the same, some refuse. */
  readonly base64?: "sent" | "ignored" | "refused";
  /** More texts than this at once are refused, with this status; the limit is not said. */
  readonly maxInputs?: { readonly count: number; readonly status: 400 | 413 | 422 };
  /** The body of a refusal (status 400) of what is in an embedding request, or null. */
  readonly refuse?: (body: SeenRequest["body"]) => object | null;
  /** What GET /v1/models lists; left out: there is no such address. */
  readonly models?: readonly string[];
  /** What goes wrong with the n-th asking (from 0) of a question, of which the hash is a number. */
  readonly fault?: (numBefore: number, hash: number, body: SeenRequest["body"]) => Fault | null;
  readonly hugeBytes?: number;
  /** Before every answer. */
  readonly delayMilliseconds?: number;
  readonly retryAfter?: string;
}

/** Every question meets each fault of a rotation once, then is answered. */
export function faultsInTurn(numFaults: number, faults: readonly Fault[] = allFaults) {
  return (numBefore: number, hash: number): Fault | null =>
    numBefore < numFaults ? faults[(hash + numBefore) % faults.length]! : null;
}

export async function startMockEndpoint(
  t: Pick<TestContext, "after">,
  options: MockOptions = {},
): Promise<MockEndpoint> {
  const requests: SeenRequest[] = [];
  const timesAsked = new Map<string, number>();
  let numBusy = 0;
  let mostBusy = 0;
  const server = createServer(async (incoming, outgoing) => {
    mostBusy = Math.max(mostBusy, ++numBusy);
    outgoing.on("close", () => numBusy--);
    const text = await textOf(incoming);
    if (incoming.method === "GET") {
      answerGet(incoming, outgoing, options);
      return;
    }
    // A server that lists its models has no other addresses than these.
    if (options.models !== undefined && !servedPaths.includes(incoming.url ?? "")) {
      notFound(outgoing);
      return;
    }
    const question = createHash("sha256").update(text).digest();
    const numBefore = timesAsked.get(question.toString("hex")) ?? 0;
    timesAsked.set(question.toString("hex"), numBefore + 1);
    const body = JSON.parse(text);
    const fault = options.fault?.(numBefore, question.readUInt16LE(0), body) ?? null;
    requests.push({ path: incoming.url ?? "", body, authorization: incoming.headers.authorization, fault });
    if (options.delayMilliseconds !== undefined) await sleep(options.delayMilliseconds);
    const [status, reply] = incoming.url?.endsWith("/embeddings") ? vectors(body, options) : chat(body, options, fault);
    await misbehave(outgoing, fault, status, JSON.stringify(reply), options);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  return { url, requests, busiest: () => mostBusy };
}

const servedPaths = ["/v1/chat/completions", "/v1/embeddings"];

function answerGet(incoming: IncomingMessage, outgoing: ServerResponse, { models }: MockOptions): void {
  if (models === undefined || incoming.url !== "/v1/models") {
    notFound(outgoing);
    return;
  }
  const data = models.map((id) => ({ id, object: "model" }));
  outgoing.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ object: "list", data }));
}

function notFound(outgoing: ServerResponse): void {
  outgoing.writeHead(404, { "content-type": "text/html" }).end("<html><title>404 Not Found</title></html>");
}

async function textOf(incoming: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of incoming) text += chunk;
  return text;
}

function chat(
  body: SeenRequest["body"],
  { answer = () => "yes" }: MockOptions,
  fault: Fault | null,
): [number, unknown] {
  const whole = answer(body);
  if (typeof whole === "object") return [whole.status, whole.body];
  const reply = fault === "half-reply" ? whole.slice(0, Math.ceil(whole.length / 2)) : whole;
  const usage = { prompt_tokens: 10, completion_tokens: 5 };
  return [200, { choices: [{ message: { role: "assistant", content: reply }, finish_reason: "stop" }], usage }];
}

function vectors(
  body: SeenRequest["body"],
  { vector = (text) => [text.length, 1], base64 = "sent", maxInputs, refuse }: MockOptions,
): [number, unknown] {
  if (maxInputs !== undefined && body.input.length > maxInputs.count) {
    return [maxInputs.status, { error: "batch size is invalid", error_type: "Validation" }];
  }
  const refusal = refuse?.(body) ?? null;
  if (refusal !== null) return [400, refusal];
  const isAsked = body.encoding_format === "base64";
  if (isAsked && base64 === "refused") return [400, { error: { message: "encoding_format: base64 is not supported" } }];
  const encode = (numbers: readonly number[]) =>
    isAsked && base64 === "sent" ? Buffer.from(Float32Array.from(numbers).buffer).toString("base64") : numbers;
  const data = body.input.map((text: string, index: number) => ({ index, embedding: encode(vector(text)) }));
  // Backwards: the order is in the indices.
  return [200, { data: data.reverse(), usage: { prompt_tokens: 3 * data.length } }];
}

async function misbehave(
  outgoing: ServerResponse,
  fault: Fault | null,
  status: number,
  text: string,
  { hugeBytes = 2_000_000, retryAfter = "0" }: MockOptions,
): Promise<void> {
  const send = (code: number, body: string) =>
    outgoing.writeHead(code, { "content-type": "application/json" }).end(body);
  switch (fault) {
    case null:
    case "half-reply":
      return void send(status, text);
    case "status-500":
      return void send(500, JSON.stringify({ error: { message: "out of order" } }));
    case "rate-limit":
      outgoing.setHeader("retry-after", retryAfter);
      return void send(429, JSON.stringify({ error: { message: "too many" } }));
    case "half-json":
      return void send(200, text.slice(0, Math.floor(text.length / 2)));
    case "wrong-types":
      return void send(200, JSON.stringify({ choices: "none", data: { 0: 1 }, usage: -1 }));
    case "slow":
      outgoing.writeHead(200, { "content-type": "application/json" });
      for (const character of text.match(/[\s\S]{1,40}/g) ?? []) {
        outgoing.write(character);
        await sleep(2);
      }
      return void outgoing.end();
    case "truncated":
      outgoing.writeHead(200, { "content-type": "application/json", "content-length": text.length + 100 });
      outgoing.write(text);
      await sleep(2);
      return void outgoing.destroy();
    case "huge":
      return void send(200, `{"padding":"${"x".repeat(hugeBytes)}"}`);
    case "reset":
      return void outgoing.destroy();
    case "not-json":
      return void outgoing.writeHead(200, { "content-type": "text/html" }).end("<html>busy</html>");
    case "never":
      return;
  }
}
