// One request through the official client, and what became of it. The client's own retries, log and headers from the
// environment are off: retrying is decided in one place (session.ts). Every body is read here, up to a bound and within
// the time limit, which the client alone would apply to the headers only.
import { APIConnectionError, APIConnectionTimeoutError, APIError, OpenAI } from "openai";
import { askedWait, deepestMessage, fetchWhole, webPage } from "./bounded-fetch.ts";
import type { EndpointSettings } from "./endpoint-options.ts";
import { quotable } from "./secret.ts";

export type Path = "/chat/completions" | "/embeddings";

export interface Failure {
  /** For people, without the key. */
  readonly problem: string;
  /** What the server answered with; null when there was no whole answer. */
  readonly status: number | null;
  /** The server's words and the field that they are about, to see what it does not take. */
  readonly complaint: string;
  readonly mayPass: boolean;
  /** The network failed before there was an answer. */
  readonly isConnection?: boolean;
  readonly isTimeout?: boolean;
  /** What came is no API's answer: a web page, plain text. */
  readonly isNoApi?: boolean;
  /** How long the server asks to wait; null where it does not say. */
  readonly waitMilliseconds: number | null;
}

export type Outcome = { readonly body: unknown } | { readonly failure: Failure };

export interface Transport {
  /** Sends a body once. It never throws for what the network or the server does. */
  post(path: Path, body: Readonly<Record<string, unknown>>): Promise<Outcome>;
  /** Reads a whole address once, in the same way. */
  get(url: string): Promise<Outcome>;
}

const sentHeaders = ["accept", "content-type", "authorization"] as const;
const keptHeaders = ["retry-after", "retry-after-ms", "date"] as const;
/** Statuses that another try may turn into an answer, beside all from 500 on. */
const passingStatuses: ReadonlySet<number> = new Set([408, 409, 425, 429]);

export function openTransport(settings: EndpointSettings): Transport {
  const { url, key, timeoutMilliseconds } = settings;
  const client = new OpenAI({
    baseURL: url,
    // The client insists on one; without a key the header is left out below.
    apiKey: key ?? "none",
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    maxRetries: 0,
    timeout: timeoutMilliseconds,
    logLevel: "off",
    fetch: boundedFetch(settings),
  });
  const outcomeOf = async (request: () => Promise<unknown>): Promise<Outcome> => {
    try {
      return { body: await request() };
    } catch (error) {
      return { failure: failureOf(error, settings) };
    }
  };
  return {
    post: (path, body) => outcomeOf(() => client.post(path, { body })),
    get: (address) => outcomeOf(() => client.get(address)),
  };
}

function boundedFetch({ key, ...limits }: EndpointSettings): typeof fetch {
  return async (input, init) => {
    const given = new Headers(init?.headers);
    const headers = new Headers();
    for (const name of sentHeaders) {
      const value = given.get(name);
      if (value !== null && !(name === "authorization" && key === null)) headers.set(name, value);
    }
    const reply = await fetchWhole(input, { ...init, headers }, limits);
    const kept = new Headers({ "content-type": "application/json" });
    for (const name of keptHeaders) {
      const value = reply.headers.get(name);
      if (value !== null) kept.set(name, value);
    }
    const body = reply.ok ? reply.bytes : complaintOf(reply.bytes);
    return new Response(reply.status === 204 ? null : body, { status: reply.status, headers: kept });
  };
}

/** A server's complaint in the one form whose words the client passes on; others write "detail", or plain text. */
function complaintOf(bytes: Buffer): string {
  const text = bytes.toString("utf8");
  const page = webPage(text);
  if (page !== null) return JSON.stringify({ error: { message: page } });
  let body: unknown = text;
  try {
    body = JSON.parse(text);
  } catch {
    // Plain text is a complaint too.
  }
  const { error, detail, message } = (body ?? {}) as { error?: unknown; detail?: unknown; message?: unknown };
  if (typeof error === "object" && error !== null && "message" in error) return text;
  const words = error ?? detail ?? message ?? body;
  return JSON.stringify({ error: { message: typeof words === "string" ? words : JSON.stringify(words) } });
}

function failureOf(error: unknown, { key, timeoutMilliseconds }: EndpointSettings): Failure {
  const passing = { status: null, complaint: "", mayPass: true, waitMilliseconds: null };
  if (error instanceof APIConnectionTimeoutError) {
    return { ...passing, isTimeout: true, problem: `no whole reply within ${timeoutMilliseconds / 1000} s` };
  }
  if (error instanceof APIConnectionError) {
    return { ...passing, isConnection: true, problem: quotable(deepestMessage(error), key) };
  }
  if (error instanceof APIError && typeof error.status === "number") {
    const { status, headers } = error as APIError<number, Headers>;
    const words = quotable(error.message.replace(/^\d+ /, ""), key);
    return {
      problem: `status ${status}${words === "" ? "" : `: ${words}`}`,
      status,
      complaint: `${error.param ?? ""} ${error.message}`,
      mayPass: passingStatuses.has(status) || status >= 500,
      waitMilliseconds: askedWait(headers),
    };
  }
  if (error instanceof SyntaxError) return { ...passing, isNoApi: true, problem: "a body that is not JSON" };
  return { ...passing, mayPass: false, problem: quotable(error instanceof Error ? error.message : String(error), key) };
}
