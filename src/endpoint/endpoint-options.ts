// What every client of an endpoint is opened with: where, which model, how hard to try, how much to spend, and where
// replies are kept. The address is checked here, once.
import { OppoError } from "../error.ts";

export interface EndpointOptions {
  /** Up to and with the version: "http://localhost:8000/v1". No user, no password, no query. */
  readonly url: string;
  readonly model: string;
  /** Sent as a bearer token and nowhere else; null where the server wants none. */
  readonly key: string | null;
  /** Replies are kept here and found again by their content; null keeps nothing. */
  readonly cacheFolder: string | null;
  /** Requests under way at once. */
  readonly concurrency?: number | undefined;
  /** For one request, up to the last byte of its reply; at most 300 s. */
  readonly timeoutMilliseconds?: number | undefined;
  /** How often a request is sent again after a failure that may pass. */
  readonly maxRetries?: number | undefined;
  /** First wait before sending again; it doubles from try to try. */
  readonly retryMilliseconds?: number | undefined;
  /** Budget: requests sent, those that failed included. */
  readonly maxRequests?: number | undefined;
  /** Budget: tokens of prompts and replies. Requests that are under way when it is reached still count on top. */
  readonly maxTokens?: number | undefined;
  /** A longer body is refused before it is held in memory. */
  readonly maxReplyBytes?: number | undefined;
  /** Once aborted, nothing more is sent; what is under way is finished and kept. */
  readonly signal?: AbortSignal | undefined;
  /** Told, once each, what a person should know: the server takes no schema, it wants another field. */
  readonly onNotice?: ((line: string) => void) | undefined;
}

export type EndpointSettings = {
  readonly [Name in Exclude<keyof EndpointOptions, "signal">]-?: Exclude<EndpointOptions[Name], undefined>;
} & { readonly signal: AbortSignal | undefined };

/** fetch gives up on its own after 300 s without headers, so a longer limit could not be kept. */
const longestTimeout = 300_000;

/** @throws OppoError ERR_ENDPOINT_URL, ERR_ENDPOINT_OPTIONS */
export function endpointSettings(options: EndpointOptions): EndpointSettings {
  const settings: EndpointSettings = {
    url: checkedAddress(options.url),
    model: options.model,
    key: options.key === "" ? null : options.key,
    cacheFolder: options.cacheFolder,
    concurrency: options.concurrency ?? 8,
    timeoutMilliseconds: options.timeoutMilliseconds ?? 120_000,
    maxRetries: options.maxRetries ?? 5,
    retryMilliseconds: options.retryMilliseconds ?? 500,
    maxRequests: options.maxRequests ?? Number.POSITIVE_INFINITY,
    maxTokens: options.maxTokens ?? Number.POSITIVE_INFINITY,
    maxReplyBytes: options.maxReplyBytes ?? 16_000_000,
    signal: options.signal,
    onNotice: options.onNotice ?? (() => undefined),
  };
  requireOption(settings.model !== "", "a model's name", "an empty one");
  requireOption(settings.concurrency >= 1, "a concurrency of 1 or more", settings.concurrency);
  const timeout = settings.timeoutMilliseconds;
  requireOption(timeout > 0 && timeout <= longestTimeout, "a timeout of up to 300 seconds", `${timeout / 1000} s`);
  requireOption(
    settings.key === null || /^[\x21-\x7e]+$/.test(settings.key),
    "a key of plain characters",
    "another one",
  );
  return settings;
}

function requireOption(isFine: boolean, expected: string, got: string | number): void {
  if (isFine) return;
  throw new OppoError("ERR_ENDPOINT_OPTIONS", `endpoint: expected ${expected}, got ${got}. Change the option.`);
}

/** Why a text is no address of a server that can be asked, or null; the text itself is not repeated: it may hold a secret. */
export function addressProblem(text: string): string | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null) return "something else";
  if (url.username !== "" || url.password !== "") return "one with a user or password in it";
  if (url.search !== "" || url.hash !== "") return "one with a query or fragment";
  return url.protocol !== "http:" && url.protocol !== "https:" ? `one of ${url.protocol}` : null;
}

/** What a person wrote, without a slash at its end. */
function checkedAddress(text: string): string {
  const problem = addressProblem(text);
  if (problem === null) return text.replace(/\/+$/, "");
  throw new OppoError(
    "ERR_ENDPOINT_URL",
    `endpoint: expected an address like http://localhost:8000/v1, got ${problem}. ` +
      "Give the address alone; a key comes from the environment (--key-env).",
  );
}
