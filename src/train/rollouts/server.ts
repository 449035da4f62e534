// One rollout server and its interface, vLLM's: which model it serves, adapters by name, a whole model from a folder, completions.
import { OppoError } from "../../error.ts";
import type { SampledCompletion } from "../../models/omni-model.ts";
import type { RolloutRequest, RolloutRules } from "./engine.ts";
import { ask, NoReply, type Reply, type RequestOptions } from "./http.ts";
import { conversationOf } from "./messages.ts";
import { type Expected, readCompletions, readLikeliest } from "./reply.ts";

export interface ServerOptions {
  readonly token: string | null;
  /** For the answers to one prompt. */
  readonly seconds: number;
}

/** The server has no model of this name: it began again, without what it was given. */
export class NotLoaded extends NoReply {}

/** How far clocks may be apart: times of logs and of `retry-after` are read side by side. */
const maxClockSeconds = 300;
const millisecondsPerSecond = 1000;
const passingStatuses: ReadonlySet<number> = new Set([408, 409, 425, 429]);
const longestWords = 400;
const oursBy = "oppo";
/** How a server says that it cannot use an adapter; since 0.20 vLLM says so with status 500, as of its own faults. */
const isOfAdapter = /\b(lora|adapter|rank|module)/i;
const numLikeliest = 20;

export class RolloutServer {
  readonly address: string;
  readonly #options: ServerOptions;
  #model = "";
  #isOurs = false;

  constructor(address: string, options: ServerOptions) {
    this.address = address;
    this.#options = options;
  }

  /** What requests for the model itself name. */
  get model(): string {
    return this.#model;
  }

  /** It is `oppo serve model`: takes a list of seeds, and adapters as we name their layers. */
  get isOurs(): boolean {
    return this.#isOurs;
  }

  /**
   * Asks what is served, and lets go of adapters that an earlier run left.
   * @throws NoReply, OppoError ERR_ROLLOUT_CLOCK, ERR_ROLLOUT_SERVER
   */
  async open(signal: AbortSignal): Promise<void> {
    const reply = await this.#ask("/v1/models", { method: "GET", signal });
    const difference = reply.date === null ? 0 : (Date.now() - reply.date) / millisecondsPerSecond;
    if (Math.abs(difference) > maxClockSeconds) {
      throw new OppoError(
        "ERR_ROLLOUT_CLOCK",
        `${this.address}: expected a clock within ${maxClockSeconds} s of this machine's, got one ${Math.round(Math.abs(difference))} s ${difference > 0 ? "behind" : "ahead"}. Set the clocks of both.`,
      );
    }
    const entries = modelsOf(reply.text);
    const base = entries.find(({ parent }) => parent === null);
    if (base === undefined) {
      throw new OppoError(
        "ERR_ROLLOUT_SERVER",
        `${this.address}: expected a list of models at /v1/models, got none. Is it the address of vLLM, or of oppo serve model?`,
      );
    }
    this.#model = base.id;
    this.#isOurs = base.ownedBy === oursBy;
    for (const { id } of entries) if (/^policy-(v\d+|test)$/.test(id)) await this.unload(id, signal);
  }

  /** @throws NoReply, OppoError ERR_ROLLOUT_ADAPTER with the server's reason */
  async load(name: string, path: string, signal: AbortSignal): Promise<void> {
    const body = { lora_name: name, lora_path: path, load_inplace: true };
    const send = () => this.#ask("/v1/load_lora_adapter", { body, signal }, (answer) => isOfAdapter.test(answer.text));
    let reply = await send();
    if (reply.status === 400 && /already/i.test(reply.text)) {
      // Older servers know no load_inplace; what is there under the name may be another run's.
      await this.unload(name, signal);
      reply = await send();
    }
    if (reply.status === 200) return;
    const advice = isOfAdapter.test(reply.text)
      ? "It must read that folder under the same path, and allow the adapter's rank (--max-lora-rank)."
      : reply.status === 404
        ? "vLLM has this address with VLLM_ALLOW_RUNTIME_LORA_UPDATING=1 and --enable-lora alone."
        : "docs/scale.md has the server's command line.";
    throw new OppoError(
      "ERR_ROLLOUT_ADAPTER",
      `${this.address}: expected it to load the adapter ${path}, got status ${reply.status}: ${wordsOf(reply)}. ${advice}`,
    );
  }

  /** One that is not there is none to unload. @throws NoReply */
  async unload(name: string, signal: AbortSignal): Promise<void> {
    await this.#ask("/v1/unload_lora_adapter", { body: { lora_name: name }, signal }, true);
  }

  /** Other weights in the place of the served ones. @throws NoReply, OppoError ERR_ROLLOUT_WEIGHTS */
  async replace(path: string, withTowers: boolean, signal: AbortSignal): Promise<void> {
    // No release of vLLM transfers weights by the disk; all workers reading a folder again is what it has.
    const calls: readonly (readonly [path: string, body: unknown])[] = this.#isOurs
      ? [
          ["/init_weight_transfer_engine", { init_info: {} }],
          ["/start_weight_update", {}],
          ["/update_weights", { update_info: { path } }],
          ["/finish_weight_update", {}],
        ]
      : [["/collective_rpc", { method: "reload_weights", kwargs: { weights_path: path } }]];
    for (const [call, body] of calls) {
      const reply = await this.#ask(call, { body, signal }, true);
      if (reply.status === 200) continue;
      const advice =
        reply.status === 404
          ? "vLLM has this address with VLLM_SERVER_DEV_MODE=1 alone; or train an adapter (--trainable lora)."
          : "docs/scale.md has the server's command line.";
      throw new OppoError(
        "ERR_ROLLOUT_WEIGHTS",
        `${this.address}: expected it to take the weights of ${path}, got status ${reply.status} of ${call}: ${wordsOf(reply)}. ${advice}`,
      );
    }
    // What was kept of prompts was made by the old weights. A server that keeps nothing has no such address.
    const caches = ["/reset_prefix_cache", ...(withTowers ? ["/reset_mm_cache", "/reset_encoder_cache"] : [])];
    for (const call of caches) await this.#ask(call, { body: {}, signal }, true);
  }

  /** The completions of a prompt. @throws NoReply, NotLoaded, OppoError ERR_ROLLOUT_* */
  async complete(
    model: string,
    request: RolloutRequest,
    rules: RolloutRules,
    expected: Pick<Expected, "stopIds" | "vocabSize">,
    { signal, onSent }: Pick<RequestOptions, "signal" | "onSent">,
  ): Promise<SampledCompletion[]> {
    const { groupSize: numSamples, maxNewTokens } = rules;
    const body = {
      ...this.#body(model, request, rules),
      max_tokens: maxNewTokens,
      n: numSamples,
      logprobs: true,
      ...(this.#isOurs ? { seeds: request.seeds } : { seed: request.seeds[0] }),
    };
    const reply = await this.#chat(body, signal, onSent);
    const promptIds = request.prompt.tokens.ids;
    return readCompletions(this.address, reply.text, { ...expected, promptIds, numSamples, maxNewTokens });
  }

  /** The likeliest first tokens of an answer: a function of the weights and the prompt. @throws as `complete` */
  async likeliest(
    model: string,
    request: RolloutRequest,
    rules: Pick<RolloutRules, "temperature">,
    signal: AbortSignal,
  ): Promise<Map<number, number>> {
    const body = { ...this.#body(model, request, rules), max_tokens: 1, n: 1, seed: 0 };
    const reply = await this.#chat({ ...body, logprobs: true, top_logprobs: numLikeliest }, signal);
    return readLikeliest(this.address, reply.text, request.prompt.tokens.ids);
  }

  /** Said in full: a server's defaults may be the model's own (generation_config.json), which cut and penalise. */
  #body(model: string, request: RolloutRequest, { temperature }: Pick<RolloutRules, "temperature">) {
    const plain = { temperature, top_p: 1, top_k: -1, min_p: 0 };
    const unpunished = { repetition_penalty: 1, presence_penalty: 0, frequency_penalty: 0 };
    return {
      model,
      ...conversationOf(request),
      ...plain,
      ...unpunished,
      return_token_ids: true,
      return_tokens_as_token_ids: true,
    };
  }

  async #chat(body: unknown, signal: AbortSignal, onSent?: () => void): Promise<Reply> {
    const reply = await this.#ask("/v1/chat/completions", { body, signal, ...(onSent && { onSent }) }, true);
    if (reply.status === 200) return reply;
    if (reply.status === 404) throw new NotLoaded(`status 404: ${wordsOf(reply)}`);
    throw new OppoError(
      "ERR_ROLLOUT_REPLY",
      `${this.address}: expected completions, got status ${reply.status}: ${wordsOf(reply)}. docs/scale.md has the server's command line.`,
    );
  }

  /**
   * @param takesRefusals whether the caller reads a status from 400 on itself; of one from 500 on, where it says so of the answer
   * @throws NoReply, OppoError ERR_ROLLOUT_SERVER
   */
  async #ask(
    path: string,
    options: Pick<RequestOptions, "method" | "body" | "signal" | "onSent">,
    takesRefusals: boolean | ((answer: Reply) => boolean) = false,
  ): Promise<Reply> {
    const reply = await ask(this.address, path, { ...options, ...this.#options });
    const { status, waitSeconds } = reply;
    const isRefusal = typeof takesRefusals === "function" && status === 500 && takesRefusals(reply);
    if ((status >= 500 && !isRefusal) || passingStatuses.has(status))
      throw new NoReply(`status ${status}: ${wordsOf(reply)}`, waitSeconds);
    if (status === 200 || (takesRefusals !== false && status >= 400 && status !== 401)) return reply;
    throw new OppoError(
      "ERR_ROLLOUT_SERVER",
      `${this.address}${path}: expected an answer, got status ${status}: ${wordsOf(reply)}. Check the address${status === 401 ? ", and --rollout-key-env" : ""}.`,
    );
  }
}

interface ListedModel {
  readonly id: string;
  readonly parent: string | null;
  readonly ownedBy: string | null;
}

function modelsOf(text: string): ListedModel[] {
  try {
    const { data } = JSON.parse(text) as { data?: unknown };
    return (Array.isArray(data) ? data : []).flatMap((entry: unknown) => {
      const { id, parent, owned_by: ownedBy } = (entry ?? {}) as Record<string, unknown>;
      if (typeof id !== "string") return [];
      return [
        {
          id,
          parent: typeof parent === "string" ? parent : null,
          ownedBy: typeof ownedBy === "string" ? ownedBy : null,
        },
      ];
    });
  } catch {
    return [];
  }
}

/** A server's complaint without its JSON. */
function wordsOf({ text }: Reply): string {
  let words = text;
  try {
    const body = JSON.parse(text) as { error?: { message?: unknown } | string; message?: unknown; detail?: unknown };
    const { error } = body;
    const found = (typeof error === "object" ? error.message : error) ?? body.message ?? body.detail;
    if (typeof found === "string") words = found;
  } catch {
    // Plain text is a complaint too.
  }
  return words.replaceAll(/\s+/g, " ").trim().slice(0, longestWords).replace(/\.$/, "") || "no reason";
}
