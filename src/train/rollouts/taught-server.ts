// A server with what it was taught: checked before the first step, given a version of the weights once, asked whether it uses them,
// and taught again where it began again.
import type { SampledCompletion } from "../../models/omni-model.ts";
import type { OpenedPolicy } from "../policy.ts";
import type { RolloutRequest, RolloutRules } from "./engine.ts";
import { NoReply, type RequestOptions } from "./http.ts";
import {
  distance,
  type FirstToken,
  firstToken,
  requireHeard,
  requireModel,
  type TestAdapter,
  toleranceOf,
  WeightWatch,
} from "./probe.ts";
import { NotLoaded, type RolloutServer } from "./server.ts";
import { isAdapted, testName, versionName, type WeightsFolder } from "./weights-folder.ts";

/** What all servers are checked with: a prompt of the run, and what the trainer says of it. */
export interface ProbeTask {
  readonly request: RolloutRequest;
  readonly temperature: number;
  /** Without an adapter; null: the whole model learns. */
  readonly base: FirstToken | null;
  readonly test: TestAdapter | null;
}

/** Weights that servers are to use. */
export interface Version {
  readonly number: number;
  /** The trainer's answer by them; null: it has other weights by now. */
  readonly own: FirstToken | null;
  /** Older ones than this are not needed any more. */
  readonly oldestNeeded: number;
}

export interface Taught {
  /** Nats between the server's and the trainer's answer to the probe, and how far the weights have moved it. */
  readonly difference: number;
  readonly moved: number;
}

export class TaughtServer {
  readonly server: RolloutServer;
  readonly #models: OpenedPolicy;
  readonly #folder: WeightsFolder;
  readonly #watch: WeightWatch;
  readonly #loaded = new Set<number>();
  #checked: Promise<void> | null = null;
  #teaching: { readonly version: number; readonly done: Promise<Taught> } | null = null;

  constructor(server: RolloutServer, models: OpenedPolicy, folder: WeightsFolder) {
    this.server = server;
    this.#models = models;
    this.#folder = folder;
    this.#watch = new WeightWatch(server.address);
  }

  /** Before the first step. @throws NoReply, OppoError ERR_ROLLOUT_* */
  check(task: ProbeTask, signal: AbortSignal): Promise<void> {
    return once(
      this.#checked,
      (checked) => (this.#checked = checked),
      () => this.#check(task, signal),
    );
  }

  async #check({ request, temperature, base, test }: ProbeTask, signal: AbortSignal): Promise<void> {
    const { server } = this;
    await server.open(signal);
    const told = await server.likeliest(server.model, request, { temperature }, signal);
    if (base === null || test === null) return;
    const { address, isOurs } = server;
    const tolerance = toleranceOf(this.#models.policy, isOurs);
    requireModel(address, told, base, tolerance);
    this.#watch.begin(told, base);
    await server.load(testName, this.#folder.path(testName, isOurs), signal);
    const heard = await server.likeliest(testName, request, { temperature }, signal);
    requireHeard(address, heard, test, base, tolerance);
    await server.unload(testName, signal);
  }

  /** Gives it a version that it does not have, and looks whether it uses it. @throws NoReply, OppoError ERR_ROLLOUT_* */
  async teach(version: Version, task: ProbeTask, signal: AbortSignal): Promise<Taught> {
    await this.check(task, signal);
    if (this.#teaching?.version === version.number) return await this.#teaching.done;
    const done = this.#teach(version, task, signal);
    this.#teaching = { version: version.number, done };
    try {
      return await done;
    } catch (error) {
      this.#teaching = null;
      throw error;
    }
  }

  async #teach({ number, own, oldestNeeded }: Version, task: ProbeTask, signal: AbortSignal): Promise<Taught> {
    const { server } = this;
    const name = versionName(number);
    const path = this.#folder.path(name, server.isOurs);
    const { policy, trainsTowers } = this.#models;
    if (isAdapted(policy)) await server.load(name, path, signal);
    else await server.replace(path, trainsTowers, signal);
    this.#loaded.add(number);
    const told = await server.likeliest(this.#nameOf(number), task.request, task, signal);
    const taught = own === null ? { difference: 0, moved: 0 } : this.#look(number, told, own);
    for (const old of this.#loaded) {
      if (old >= oldestNeeded || old === number) continue;
      if (isAdapted(policy)) await server.unload(versionName(old), signal);
      this.#loaded.delete(old);
    }
    return taught;
  }

  #look(number: number, told: ReadonlyMap<number, number>, own: FirstToken): Taught {
    if (this.#watch.hasBegun) return this.#watch.look(number, told, own);
    const { address, isOurs } = this.server;
    requireModel(address, told, own, toleranceOf(this.#models.policy, isOurs));
    this.#watch.begin(told, own);
    return { difference: distance(told, own), moved: 0 };
  }

  /** The completions of a prompt by a version that it was taught. @throws NoReply, OppoError ERR_ROLLOUT_* */
  async complete(
    version: number,
    request: RolloutRequest,
    rules: RolloutRules,
    options: Pick<RequestOptions, "signal" | "onSent">,
  ): Promise<SampledCompletion[]> {
    const { policy } = this.#models;
    try {
      return await this.server.complete(this.#nameOf(version), request, rules, policy, options);
    } catch (error) {
      // It began again, or may have: a whole model's name says nothing of its weights. At the next try it is taught anew.
      if (error instanceof NotLoaded || (error instanceof NoReply && !isAdapted(policy))) this.#forget();
      throw error;
    }
  }

  #forget(): void {
    this.#teaching = null;
    this.#checked = null;
    this.#loaded.clear();
  }

  #nameOf(version: number): string {
    return isAdapted(this.#models.policy) ? versionName(version) : this.server.model;
  }
}

/** The trainer's side of the probe. */
export function ownAnswer(models: OpenedPolicy, { request, temperature }: Pick<ProbeTask, "request" | "temperature">) {
  return firstToken(models.policy, request, temperature);
}

/** One attempt at a time; one that failed is made again. */
async function once(
  known: Promise<void> | null,
  keep: (made: Promise<void> | null) => void,
  make: () => Promise<void>,
) {
  if (known !== null) return await known;
  const made = make();
  keep(made);
  try {
    await made;
  } catch (error) {
    keep(null);
    throw error;
  }
}
