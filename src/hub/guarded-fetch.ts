// The fetch that the hub's client is given: the token goes to the hub and to no other host (a listing may name any address
// as its next page), a failure that may pass is tried again after a pause, an answer that does not come is given up, and a
// server that ignores a range is found out.
import { setTimeout as sleep } from "node:timers/promises";
import { OppoError } from "../error.ts";
import { hubError } from "./hub-error.ts";

export interface FetchRules {
  /** Scheme, host and port that may see the token. */
  readonly origin: string;
  readonly signal: AbortSignal;
  readonly maxTries: number;
  /** Before the second try; doubles. */
  readonly retryMilliseconds: number;
  /** For the head of an answer. */
  readonly timeoutMilliseconds: number;
  /** Told why it waits. */
  readonly onWait: (reason: string, milliseconds: number) => void;
}

/** A server that asks for more is not waited for. */
const longestWait = 300_000;
const passing: ReadonlySet<number> = new Set([408, 425, 429]);
const second = 1000;
/** Of a listing or a description. */
const maxAnswerBytes = 32 * 2 ** 20;

export function guardedFetch(rules: FetchRules): typeof fetch {
  return async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const headers = new Headers(init.headers);
    if (url.origin !== rules.origin) headers.delete("authorization");
    for (let numTries = 1; ; numTries++) {
      rules.signal.throwIfAborted();
      const outcome = await tryOnce(url, { ...init, headers }, rules);
      if (outcome instanceof Response && !mayPass(outcome.status)) return requireRange(headers, outcome, url);
      const reason = outcome instanceof Response ? statusReason(outcome.status) : outcome.reason;
      const asked = outcome instanceof Response ? retryAfter(outcome.headers) : null;
      if (outcome instanceof Response) await outcome.body?.cancel();
      const wait = asked ?? rules.retryMilliseconds * 2 ** (numTries - 1);
      if (numTries >= rules.maxTries || wait > longestWait) {
        throw hubError(
          "ERR_HUB",
          url.origin,
          `an answer, got ${reason}, ${numTries} times`,
          "Run the same again later.",
        );
      }
      rules.onWait(reason, wait);
      await sleep(wait, undefined, { signal: rules.signal }).catch(() => rules.signal.throwIfAborted());
    }
  };
}

async function tryOnce(url: URL, init: RequestInit, rules: FetchRules): Promise<Response | { reason: string }> {
  // The limit is for the head only: a body may take hours.
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), rules.timeoutMilliseconds);
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.any([rules.signal, late.signal]) });
    return url.pathname.startsWith("/api/") && response.ok ? await wholeAnswer(response) : response;
  } catch (error) {
    rules.signal.throwIfAborted();
    if (late.signal.aborted) return { reason: `none within ${rules.timeoutMilliseconds / second} s` };
    const cause = (error as Error).cause as NodeJS.ErrnoException | undefined;
    if (error instanceof OppoError) throw error;
    return { reason: cause?.code ?? cause?.message ?? (error as Error).message };
  } finally {
    clearTimeout(timer);
  }
}

/** Read here, within the time limit, since the client would take any length and wait for ever. */
async function wholeAnswer(response: Response): Promise<Response> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    size += chunk.length;
    if (size <= maxAnswerBytes) continue;
    const { origin } = new URL(response.url);
    throw hubError("ERR_HUB", origin, `an answer of at most ${maxAnswerBytes} bytes, got more`, "Check HF_ENDPOINT.");
  }
  return new Response(Buffer.concat(chunks), { status: response.status, headers: response.headers });
}

function mayPass(status: number): boolean {
  return status >= 500 || passing.has(status);
}

function statusReason(status: number): string {
  return status === 429 ? "a rate limit (429)" : `status ${status}`;
}

/** Milliseconds; null where the server does not say. */
function retryAfter(headers: Headers): number | null {
  const text = headers.get("retry-after");
  if (text === null) return null;
  const seconds = /^\d+$/.test(text)
    ? Number(text)
    : (Date.parse(text) - Date.parse(headers.get("date") ?? "")) / second;
  return Number.isFinite(seconds) ? Math.max(0, seconds) * second : null;
}

/** What comes instead of a range would be appended to what is there. */
function requireRange(asked: Headers, response: Response, url: URL): Response {
  const from = /^bytes=(\d+)-/.exec(asked.get("range") ?? "")?.[1];
  if (from === undefined || !response.ok) return response;
  const got = /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "")?.[1];
  // The head of a file that lies elsewhere is answered with a description of it.
  const isDescription = response.headers.get("content-type")?.includes("xet-fileinfo") ?? false;
  if (isDescription || (response.status === 206 && got === from)) return response;
  void response.body?.cancel();
  throw hubError(
    "ERR_HUB",
    url.origin,
    `bytes from ${from} on, got status ${response.status} and ${got === undefined ? "the whole file" : `bytes from ${got}`}`,
    "This server cannot resume downloads; use another one (HF_ENDPOINT).",
  );
}
