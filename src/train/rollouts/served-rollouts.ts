// Completions from servers: each step's weights are saved and given to all of them, prompts go to whoever is free, and what comes
// back is on the disk before it is learned from.
import { join } from "node:path";
import { OppoError } from "../../error.ts";
import { Metrics } from "../../rl/metrics.ts";
import { readGroup } from "../../rl/rollout.ts";
import type { RolloutGroup } from "../../rl/types.ts";
import { latestCheckpoint } from "../../run/checkpoint.ts";
import { deriveSeed } from "../../seeds.ts";
import type { OpenedPolicy } from "../policy.ts";
import type { RolloutRequest, RolloutRules } from "./engine.ts";
import { NoReply } from "./http.ts";
import { askedHash, Journal, keyOf, type Sampled } from "./journal.ts";
import { firstToken, type TestAdapter, testAdapter } from "./probe.ts";
import { RolloutServer, type ServerOptions } from "./server.ts";
import { ownAnswer, type ProbeTask, type Taught, TaughtServer, type Version } from "./taught-server.ts";
import { isAdapted, testName, versionName, WeightsFolder } from "./weights-folder.ts";
import { runTasks } from "./work-queue.ts";

export interface ServedOptions extends ServerOptions {
  readonly addresses: readonly string[];
  /** Of the run: rollouts/ holds what was sampled. */
  readonly directory: string;
  /** Where weights are put for the servers; null: beside what was sampled. */
  readonly folder: string | null;
  /** Prompts at once that a server is asked about. */
  readonly concurrency: number;
  readonly patienceSeconds: number;
  /** Steps that completions may be sampled before they are learned from. */
  readonly ahead: 0 | 1;
  readonly signal: AbortSignal;
  /** Told what a person may want to know: servers that fail. */
  readonly onNotice: (line: string) => void;
}

/** Steps' completions under way, by what was asked. */
interface UnderWay {
  readonly done: Promise<ReadonlyMap<string, Sampled>>;
  /** All that can be under way at once has been sent. */
  readonly sent: Promise<void>;
}

const maxNotices = 20;

/** Owner of the weights on the disk; servers are let go of when the run ends. */
export class ServedRollouts implements Disposable {
  readonly ahead: 0 | 1;
  readonly #options: ServedOptions;
  readonly #models: OpenedPolicy;
  readonly #rules: RolloutRules;
  readonly #servers: readonly TaughtServer[];
  readonly #journal: Journal;
  readonly #weights: WeightsFolder;
  readonly #underWay = new Map<number, UnderWay>();
  readonly #over = new AbortController();
  #task: ProbeTask | null = null;
  #metrics = new Metrics();
  #numNotices = 0;
  /** The version that the servers were given last. */
  #given: Version | null = null;

  constructor(models: OpenedPolicy, rules: RolloutRules, options: ServedOptions) {
    this.ahead = options.ahead;
    this.#options = options;
    this.#models = models;
    this.#rules = rules;
    const own = join(options.directory, "rollouts");
    this.#journal = new Journal(own);
    this.#weights = new WeightsFolder(options.folder ?? own);
    this.#servers = options.addresses.map(
      (address) => new TaughtServer(new RolloutServer(address, options), models, this.#weights),
    );
  }

  /**
   * The completions of a step: those that are on the disk, those that were begun, and the others by the present weights.
   * @throws OppoError ERR_ROLLOUT_*; the signal's reason
   */
  async groups(step: number, requests: readonly RolloutRequest[]): Promise<RolloutGroup[]> {
    this.#forgetOld(step);
    const begun = this.#underWay.get(step);
    this.#underWay.delete(step);
    if (begun !== undefined) await begun.done;
    const sampled = await this.#start(step, requests, this.#versionFor(step)).done;
    return requests.map((request) => {
      const { completions, engine } = sampled.get(this.#keyOf(request))!;
      const staleness = step - engine.version;
      this.#metrics.mean("rollout/staleness/mean", staleness * completions.length, completions.length);
      this.#metrics.max("rollout/staleness/max", staleness);
      return readGroup(this.#models.policy, request, completions, engine);
    });
  }

  /** Begins the completions of a later step by the present weights. @returns once they are on their way */
  async begin(step: number, version: number, requests: readonly RolloutRequest[]): Promise<void> {
    const underWay = this.#start(step, requests, version);
    this.#underWay.set(step, underWay);
    // Whoever asks for the step hears of a failure.
    underWay.done.catch(() => undefined);
    await underWay.sent;
  }

  /** Whether all of them are `oppo serve model`; before the first completion nobody knows. */
  get areOurs(): boolean {
    return this.#servers.every(({ server }) => server.isOurs);
  }

  /** What was counted since the last time. */
  takeMetrics(): Metrics {
    const metrics = this.#metrics;
    this.#metrics = new Metrics();
    return metrics;
  }

  /** The weights that a step is sampled by: those of the step before where the run looks ahead and they are still there. */
  #versionFor(step: number): number {
    return this.ahead > 0 && step > 0 && this.#weights.has(step - 1) && this.#given === null ? step - 1 : step;
  }

  #start(step: number, requests: readonly RolloutRequest[], version: number): UnderWay {
    const kept = this.#journal.read(step);
    const missing = requests.filter((request) => !kept.has(this.#keyOf(request)));
    this.#metrics.sum("rollout/replayed", requests.length - missing.length);
    if (missing.length === 0) return { done: Promise.resolve(kept), sent: Promise.resolve() };
    let hasSent = (): void => undefined;
    const sent = new Promise<void>((resolve) => {
      hasSent = resolve;
    });
    const done = this.#sample(step, missing, version, hasSent).finally(hasSent);
    return { sent, done: done.then((fresh) => new Map([...kept, ...fresh])) };
  }

  async #sample(
    step: number,
    requests: readonly RolloutRequest[],
    version: number,
    onAllSent: () => void,
  ): Promise<Map<string, Sampled>> {
    const { concurrency, patienceSeconds, addresses } = this.#options;
    const signal = AbortSignal.any([this.#options.signal, this.#over.signal]);
    const task = await this.#prepare(requests[0]!, signal);
    const given = this.#give(version, task);
    const share = Math.ceil(requests.length / addresses.length);
    // While a step is computed nobody takes a place that is free: then all is sent at once.
    const places = this.ahead > 0 ? Math.max(concurrency, share) : Math.min(concurrency, requests.length);
    let numToSend = Math.min(requests.length, places * addresses.length);
    const onSent = () => {
      if (--numToSend === 0) onAllSent();
    };
    const fresh = new Map<string, Sampled>();
    const workers = this.#servers.map((taught) => ({
      name: taught.server.address,
      places,
      run: async (request: RolloutRequest, ended: AbortSignal) => {
        this.#count(await taught.teach(given, task, ended));
        return await taught.complete(version, request, this.#rules, { signal: ended, onSent });
      },
    }));
    await runTasks(requests, workers, {
      signal,
      patienceSeconds,
      passing: (error) => (error instanceof NoReply ? { waitSeconds: error.waitSeconds } : null),
      onDone: (request, completions, server) => {
        const sampled = { completions, engine: { version, server } };
        this.#journal.append(step, request.sample.id, askedHash(request, this.#rules), sampled);
        fresh.set(this.#keyOf(request), sampled);
      },
      onRetry: (server, error) => this.#retried(server, error),
      givenUp: (errors) => silent(errors, patienceSeconds),
    });
    return fresh;
  }

  #count({ difference, moved }: Taught): void {
    this.#metrics.max("rollout/probe/difference", difference);
    this.#metrics.max("rollout/probe/moved", moved);
  }

  #retried(server: string, error: unknown): void {
    this.#metrics.sum("rollout/retries", 1);
    if (++this.#numNotices > maxNotices) return;
    this.#options.onNotice(`${server}: ${error instanceof Error ? error.message : String(error)}; trying again`);
  }

  /** Checks every server once, before the first completion: what will not pass ends the run here. */
  async #prepare(request: RolloutRequest, signal: AbortSignal): Promise<ProbeTask> {
    if (this.#task !== null) return this.#task;
    const { policy } = this.#models;
    const { temperature } = this.#rules;
    let base: ProbeTask["base"] = null;
    let test: TestAdapter | null = null;
    if (isAdapted(policy)) {
      base = firstToken(policy.base, request, temperature);
      test = testAdapter(policy, request, temperature, deriveSeed(0, testName));
      this.#weights.save(testName, test.adapted);
      test.adapted[Symbol.dispose]();
    }
    // Rows go with their step; the probe makes its own of the clip.
    const own = { ...request, prompt: { ...request.prompt, rows: null } };
    const task = { request: own, temperature, base, test };
    const outcomes = await Promise.allSettled(this.#servers.map((server) => server.check(task, signal)));
    for (const outcome of outcomes) {
      if (outcome.status === "rejected" && !(outcome.reason instanceof NoReply)) throw outcome.reason;
    }
    this.#task = task;
    return task;
  }

  /** The present weights as a version for the servers; an older one is on the disk already. */
  #give(version: number, task: ProbeTask): Version {
    if (this.#given?.number === version) return this.#given;
    const isOlder = this.#given === null && this.ahead > 0 && this.#weights.has(version) && this.#isPast(version);
    if (!isOlder) this.#weights.save(versionName(version), this.#models.policy);
    const oldestNeeded = version - this.ahead;
    this.#given = { number: version, own: isOlder ? null : ownAnswer(this.#models, task), oldestNeeded };
    this.#weights.forgetBefore(this.#oldestKept(version));
    return this.#given;
  }

  /** Whether the run goes on at a later step than these weights are of. */
  #isPast(version: number): boolean {
    return version < (this.#newestCheckpoint() ?? 0);
  }

  /** A run that looks ahead goes on from its checkpoint with completions of the weights before that. */
  #oldestKept(version: number): number {
    if (this.ahead === 0 || !isAdapted(this.#models.policy)) return version - this.ahead;
    return Math.min(version, this.#newestCheckpoint() ?? 0) - this.ahead;
  }

  #newestCheckpoint(): number | null {
    return latestCheckpoint(join(this.#options.directory, "checkpoints"))?.step ?? null;
  }

  #forgetOld(step: number): void {
    this.#journal.forgetBefore(Math.min(step, this.#newestCheckpoint() ?? 0));
  }

  #keyOf(request: RolloutRequest): string {
    return keyOf(request.sample.id, askedHash(request, this.#rules));
  }

  [Symbol.dispose](): void {
    this.#over.abort(new NoReply("the run is over"));
    this.#weights.remove(testName);
  }
}

function silent(errors: ReadonlyMap<string, unknown>, seconds: number): OppoError {
  const said = [...errors].map(([server, error]) => `${server}: ${error instanceof Error ? error.message : error}`);
  return new OppoError(
    "ERR_ROLLOUT_SERVER",
    `rollouts: expected an answer of a server within ${seconds} s, got none (${said.join("; ")}). What came is kept: start the servers, and run the same again.`,
  );
}
