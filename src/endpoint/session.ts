// What a client keeps while it is open: the cache, the questions under way, the budget and the numbers. It decides when
// a request is sent, when it is sent again, and when to stop.
import { setTimeout as sleep } from "node:timers/promises";
import { OppoError } from "../error.ts";
import { deriveUniform } from "../seeds.ts";
import { remedyFor } from "./diagnosis.ts";
import type { EndpointSettings } from "./endpoint-options.ts";
import { ReplyCache } from "./reply-cache.ts";
import { type EndpointStatistics, emptyStatistics } from "./statistics.ts";
import { type Failure, openTransport, type Path, type Transport } from "./transport.ts";

/** What a valid body came to, and the tokens that it cost. */
export interface Reading<T> {
  readonly value: T;
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  /** Stands in for tokens that the server did not count. */
  readonly numCharacters: number;
}

/** A request as it is sent: `read` says what a body means, or in words why it means nothing. */
export interface Sending<T> {
  readonly path: Path;
  readonly body: Readonly<Record<string, unknown>>;
  /** Names the request in the jitter of its waits. */
  readonly key: string;
  read(body: unknown): Reading<T> | { readonly problem: string };
}

const longestBackoff = 30_000;
/** A server that asks for more is not waited for. */
const longestWait = 600_000;
const charactersPerToken = 4;

export class Session {
  readonly settings: EndpointSettings;
  readonly statistics: EndpointStatistics = emptyStatistics();
  readonly #transport: Transport;
  readonly #cache: ReplyCache | null;
  readonly #underWay = new Map<string, Promise<unknown>>();
  readonly #waiting: (() => void)[] = [];
  #numFree: number;
  /** Ends when the server wants to be asked again. */
  #pause: Promise<void> | null = null;

  /** @throws OppoError ERR_ENDPOINT_CACHE */
  constructor(settings: EndpointSettings) {
    this.settings = settings;
    this.#transport = openTransport(settings);
    this.#cache = settings.cacheFolder === null ? null : new ReplyCache(settings.cacheFolder);
    this.#numFree = settings.concurrency;
  }

  /**
   * The value kept for a key, else what `ask` brings, which is kept. Equal questions at one time are asked once.
   * @param check turns what was kept into the value, or null where it is none (then it is asked again)
   */
  async remember<T>(
    key: string,
    check: (kept: unknown) => T | null,
    ask: () => Promise<T>,
  ): Promise<{ readonly value: T; readonly cached: boolean }> {
    const found = this.find(key, check);
    if (found !== null) return { value: found, cached: true };
    const running = this.#underWay.get(key);
    if (running !== undefined) {
      const value = (await running) as T;
      this.statistics.shared++;
      return { value, cached: true };
    }
    const asking = this.inSlot(ask).then((value) => {
      this.keep(key, value);
      return value;
    });
    this.#underWay.set(key, asking);
    try {
      return { value: await asking, cached: false };
    } finally {
      this.#underWay.delete(key);
    }
  }

  /** The value kept for a key, or null. */
  find<T>(key: string, check: (kept: unknown) => T | null): T | null {
    const kept = this.#cache?.get(key);
    const value = kept === undefined ? null : check(kept);
    if (value !== null) this.statistics.cached++;
    else if (kept !== undefined) this.statistics.damaged++;
    return value;
  }

  keep(key: string, value: unknown): void {
    this.#cache?.put(key, value);
  }

  /** Runs `body` once one of the places for requests is free. */
  async inSlot<T>(body: () => Promise<T>): Promise<T> {
    if (this.#numFree > 0) this.#numFree--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await body();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#numFree++;
      else next();
    }
  }

  /**
   * Sends a request until it is answered. A refusal that trying again cannot change is returned, for the caller to see
   * whether the request can be put in another way.
   * @throws OppoError ERR_ENDPOINT, ERR_ENDPOINT_BUDGET, or the signal's reason once it is aborted
   */
  async send<T>({ path, body, key, read }: Sending<T>): Promise<{ readonly value: T } | { readonly refusal: Failure }> {
    const { maxRetries } = this.settings;
    for (let attempt = 0; ; attempt++) {
      while (this.#pause !== null) await this.#pause;
      this.settings.signal?.throwIfAborted();
      this.#requireBudget();
      this.statistics.requests++;
      const outcome = await this.#transport.post(path, body);
      let failure: Failure;
      if ("body" in outcome) {
        const reading = read(outcome.body);
        if ("value" in reading) {
          this.#count(reading);
          return { value: reading.value };
        }
        const { problem } = reading;
        failure = { problem, status: null, complaint: "", mayPass: true, waitMilliseconds: null, isNoApi: true };
      } else failure = outcome.failure;
      if (!failure.mayPass) return { refusal: failure };
      if (attempt >= maxRetries) throw await this.failed(failure, path, attempt + 1);
      this.statistics.retries++;
      await this.#waitAfter(failure, key, attempt);
    }
  }

  /** The error for a request without a usable answer, with what would help; a small request or two may find that out. */
  async failed(failure: Failure, path: Path, numTries = 1): Promise<OppoError> {
    const tries = numTries > 1 ? ` (${numTries} tries)` : "";
    const remedy = await remedyFor(failure, path, this.settings, this.#transport);
    return this.#error(`${failure.problem.replace(/[.\s]+$/, "")}${tries}`, remedy);
  }

  #error(got: string, remedy: string): OppoError {
    return new OppoError(
      "ERR_ENDPOINT",
      `${this.settings.url}: expected an answer of ${this.settings.model}, got ${got}. ${remedy.endsWith(".") ? `${remedy.slice(0, -1)}; w` : `${remedy} W`}hat was answered so far is kept.`,
    );
  }

  /** The numbers up to now, as a copy. */
  snapshot(): EndpointStatistics {
    return { ...this.statistics, damaged: this.statistics.damaged + (this.#cache?.numDamaged ?? 0) };
  }

  close(): void {
    this.#cache?.close();
  }

  #requireBudget(): void {
    const { maxRequests, maxTokens } = this.settings;
    const { requests, promptTokens, completionTokens } = this.statistics;
    const tokens = promptTokens + completionTokens;
    const spent =
      requests >= maxRequests
        ? `at most ${maxRequests} requests (--max-requests), got one more`
        : tokens >= maxTokens
          ? `at most ${maxTokens} tokens (--max-tokens), got ${tokens}`
          : null;
    if (spent === null) return;
    throw new OppoError(
      "ERR_ENDPOINT_BUDGET",
      `${this.settings.url}: expected ${spent}. What was answered so far is kept; raise the budget and run the same again.`,
    );
  }

  #count({ promptTokens, completionTokens, numCharacters }: Reading<unknown>): void {
    if (promptTokens === null && completionTokens === null) {
      this.statistics.estimated++;
      this.statistics.completionTokens += Math.ceil(numCharacters / charactersPerToken);
      return;
    }
    this.statistics.promptTokens += promptTokens ?? 0;
    this.statistics.completionTokens += completionTokens ?? 0;
  }

  /** The wait that the server asks for, which holds back all requests; else a doubling one for this request alone. */
  async #waitAfter({ problem, waitMilliseconds }: Failure, key: string, attempt: number): Promise<void> {
    if (waitMilliseconds === null) {
      const full = Math.min(longestBackoff, this.settings.retryMilliseconds * 2 ** attempt);
      // Between half and all of it, so that requests that failed together do not come back together.
      await this.#sleep(full * (0.5 + 0.5 * deriveUniform(0, "backoff", key, attempt)));
      return;
    }
    if (waitMilliseconds > longestWait) {
      const wait = Math.round(waitMilliseconds / 1000);
      throw this.#error(`${problem}; it asks to wait ${wait} s`, "Go on then, or lower --concurrency.");
    }
    const pause = this.#sleep(waitMilliseconds);
    this.#pause = pause;
    try {
      await pause;
    } finally {
      if (this.#pause === pause) this.#pause = null;
    }
  }

  async #sleep(milliseconds: number): Promise<void> {
    const { signal } = this.settings;
    try {
      await sleep(milliseconds, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      throw signal?.aborted ? signal.reason : error;
    }
  }
}
