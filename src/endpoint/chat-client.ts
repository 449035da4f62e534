// The chat side of an endpoint: a question is answered from the disk, or asked; a reply that should be JSON of a schema is
// checked, mended or asked for again; what comes out is kept, also when it is no use, so that nothing is paid for twice.
import { z } from "zod";
import { OppoError } from "../error.ts";
import { contentHash } from "./canonical.ts";
import type { ChatClient, ChatMessage, ChatReply, ChatRequest, LazyChatRequest } from "./chat.ts";
import { isAboutLength, isAboutRequest } from "./diagnosis.ts";
import { type Dialect, firstDialect, otherDialect, withSchemaInWords } from "./dialect.ts";
import { type EndpointOptions, endpointSettings } from "./endpoint-options.ts";
import { readJsonReply, type SchemaCheck, schemaCheck } from "./json-reply.ts";
import { quotable, withoutSecret } from "./secret.ts";
import { Session } from "./session.ts";
import type { EndpointStatistics } from "./statistics.ts";
import { type RawReply, readChatBody } from "./wire.ts";

export interface OpenChatClient extends ChatClient, Disposable {
  /** Up to now. */
  statistics(): EndpointStatistics;
}

/** A reply that is not of the form that was asked for, after asking again. It is kept: the same question is not repeated. */
export class UnfitReplyError extends OppoError {
  /** What the model said instead. */
  readonly reply: string;
  /** "length": it reached its limit of tokens, perhaps while it was still thinking. */
  readonly finish: ChatReply["finish"];

  constructor(name: string, reason: string, reply: string, finish: ChatReply["finish"] = "stop") {
    super(
      "ERR_ENDPOINT_UNFIT",
      `${name}: expected a reply of the asked form, got ${reason}: ${quotable(reply, null, 120)}. Try another model.`,
    );
    this.reply = reply;
    this.finish = finish;
  }
}

/** A request that the server refuses for what is in it; the next one may be taken. */
export class RejectedRequestError extends OppoError {
  /** It is longer than the model's context, or than the server takes. */
  readonly isTooLong: boolean;

  constructor(name: string, problem: string, isTooLong: boolean) {
    const advice = isTooLong
      ? "Shorten it, or serve the model with a longer context."
      : "The input may hold what this model does not take.";
    super(
      "ERR_ENDPOINT_REJECTED",
      `${name}: expected the request to be taken, got ${problem.replace(/[.\s]+$/, "")}. ${advice}`,
    );
    this.isTooLong = isTooLong;
  }
}

const stored = z.object({
  text: z.string(),
  reasoning: z.string().optional(),
  finish: z.enum(["stop", "length", "other"]),
  promptTokens: z.number().nullable(),
  completionTokens: z.number().nullable(),
  /** Why the text is no use. */
  unfit: z.string().optional(),
});
type Stored = z.infer<typeof stored>;

/** A question is put at most this often, as long as its replies are not of the asked form. */
const maxAsks = 3;
/** As much of a failed reply is shown to the model again. */
const maxShown = 2000;

/**
 * A client of any OpenAI-compatible chat endpoint. Close it with `using`: that flushes the cache.
 * @throws OppoError ERR_ENDPOINT_URL, ERR_ENDPOINT_OPTIONS, ERR_ENDPOINT_CACHE
 */
export function openChatClient(options: EndpointOptions): OpenChatClient {
  return new EndpointChatClient(new Session(endpointSettings(options)));
}

class EndpointChatClient implements OpenChatClient {
  readonly name: string;
  readonly #session: Session;
  readonly #checks = new WeakMap<object, SchemaCheck>();
  #dialect: Dialect = firstDialect;
  /** What the server has taken in the present dialect; before that, requests go one at a time. */
  readonly #isKnown = { plain: false, schema: false };
  #first: Promise<unknown> = Promise.resolve();

  constructor(session: Session) {
    this.#session = session;
    this.name = `${session.settings.model} at ${session.settings.url}`;
  }

  async chat(request: ChatRequest | LazyChatRequest): Promise<ChatReply> {
    const key = requestKey(this.#session.settings.model, request);
    const check = (kept: unknown): Stored | null => stored.safeParse(kept).data ?? null;
    const { value, cached } = await this.#session.remember(key, check, () => this.#ask(request, key));
    if (value.unfit !== undefined) {
      this.#session.statistics.unfit++;
      throw new UnfitReplyError(this.name, value.unfit, value.text, value.finish);
    }
    const { unfit: _, ...reply } = value;
    return { ...reply, cached };
  }

  statistics(): EndpointStatistics {
    return this.#session.snapshot();
  }

  [Symbol.dispose](): void {
    this.#session.close();
  }

  async #ask(request: ChatRequest | LazyChatRequest, key: string): Promise<Stored> {
    const { statistics } = this.#session;
    const messages = typeof request.messages === "function" ? await request.messages() : request.messages;
    let thread = messages;
    let before: string | null = null;
    for (let numAsks = 1; ; numAsks++) {
      const reply = await this.#sendInOrder({ ...request, messages: thread }, key);
      if (request.schema === undefined) return reply;
      const reading = readJsonReply(reply.text, this.#checkOf(request.schema.schema));
      // A reply that ends too early for no reason is likely whole at the next try.
      const isWorthAsking = "reason" in reading || reading.flaw === "cut off";
      // The same answer again: the next question would be the same too. One that got no further than its limit would again.
      const isLast = numAsks >= maxAsks || reply.text === before || reply.finish === "length";
      before = reply.text;
      if ("json" in reading && (!isWorthAsking || isLast)) {
        if (reading.flaw !== null) statistics.repairs++;
        return { ...reply, text: reading.json };
      }
      const reason = "reason" in reading ? reading.reason : "its end is missing";
      if (isLast) return { ...reply, unfit: reason };
      statistics.reasks++;
      const complaint = `That was not the JSON that was asked for (${reason}). Reply with the JSON alone.`;
      thread = [
        ...messages,
        // Some servers take no empty message.
        ...(reply.text.trim() === "" ? [] : [{ role: "assistant", content: reply.text.slice(0, maxShown) } as const]),
        { role: "user", content: complaint },
      ];
    }
  }

  /** Until the server has taken one request of this kind, the next ones wait: what it does not take, one finds out. */
  async #sendInOrder(request: ChatRequest, key: string): Promise<Stored> {
    const kind = request.schema === undefined ? "plain" : "schema";
    while (!this.#isKnown[kind]) {
      const before = this.#first;
      let done = (): void => undefined;
      const mine = new Promise<void>((resolve) => {
        done = resolve;
      });
      this.#first = before.then(() => mine);
      await before;
      try {
        if (!this.#isKnown[kind]) {
          const reply = await this.#send(request, key);
          this.#isKnown[kind] = true;
          return reply;
        }
      } finally {
        done();
      }
    }
    return await this.#send(request, key);
  }

  async #send(request: ChatRequest, key: string): Promise<Stored> {
    const { settings } = this.#session;
    let dialect = this.#dialect;
    let firstRefusal: string | null = null;
    const notices: string[] = [];
    for (;;) {
      const body = chatBody(settings.model, request, dialect);
      const sent = await this.#session.send<RawReply>({ path: "/chat/completions", body, key, read: readChatBody });
      if ("value" in sent) {
        if (notices.length > 0) this.#dialect = dialect;
        for (const notice of notices) settings.onNotice(`${settings.url}: ${notice}`);
        return withoutSecrets(sent.value, settings.key);
      }
      const { refusal } = sent;
      firstRefusal ??= refusal.problem;
      const other = otherDialect(dialect, refusal, request.schema !== undefined);
      if (other === null) {
        if (isAboutRequest(refusal)) throw new RejectedRequestError(this.name, firstRefusal, isAboutLength(refusal));
        throw await this.#session.failed(refusal, "/chat/completions");
      }
      dialect = other.dialect;
      notices.push(other.notice);
    }
  }

  #checkOf(schema: Readonly<Record<string, unknown>>): SchemaCheck {
    const known = this.#checks.get(schema);
    if (known !== undefined) return known;
    const check = schemaCheck(schema);
    this.#checks.set(schema, check);
    return check;
  }
}

function withoutSecrets({ reasoning, ...reply }: RawReply, key: string | null): Stored {
  const text = withoutSecret(reply.text, key);
  return { ...reply, text, ...(reasoning === undefined ? {} : { reasoning: withoutSecret(reasoning, key) }) };
}

/** The key under which the reply to a request is kept. */
export function requestKey(model: string, request: ChatRequest | LazyChatRequest): string {
  const { messages, maxTokens, temperature, seed, schema, contentKey, extra } = request;
  return contentHash({
    kind: "chat",
    model,
    content: contentKey ?? messages,
    maxTokens,
    temperature,
    seed,
    schema,
    extra,
  });
}

function chatBody(model: string, request: ChatRequest, dialect: Dialect): Readonly<Record<string, unknown>> {
  const { messages, maxTokens, temperature, seed, schema, extra } = request;
  const isEnforced = schema !== undefined && dialect.schema === "enforced";
  const asked: readonly ChatMessage[] =
    schema === undefined || isEnforced ? messages : withSchemaInWords(messages, schema.schema);
  return {
    ...extra,
    model,
    messages: asked,
    [dialect.limit]: maxTokens,
    ...(dialect.temperature === "sent" ? { temperature } : {}),
    ...(seed === undefined ? {} : { seed }),
    ...(isEnforced ? { response_format: { type: "json_schema", json_schema: { ...schema, strict: true } } } : {}),
  };
}
