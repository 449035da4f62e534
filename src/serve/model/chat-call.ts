// A checked chat request as the engine takes it: turns, media yet to be fetched, rules, limits.
import { deriveSeed } from "../../seeds.ts";
import { fieldError, HttpError, unsupported } from "../http/http-error.ts";
import { type ChatBody, type ContentPart, readChatBody } from "./chat-schema.ts";
import type { Job, Turn, TurnPart } from "./protocol.ts";

/** A medium where the client said it is. */
export interface MediaPart {
  readonly kind: "video" | "audio" | "image";
  /** http(s), file or data URL. */
  readonly url: string;
  readonly withSound: boolean;
  /** Of a list of frames: how fast, and how many of them are looked at. */
  readonly fps: number | null;
  readonly numFrames: number | null;
}

export interface ChatCall {
  readonly job: Omit<Job, "media" | "id">;
  readonly media: readonly MediaPart[];
  readonly includeUsage: boolean;
  readonly returnTokenIds: boolean;
  readonly namesTokensById: boolean;
}

export interface CallLimits {
  readonly modelName: string;
  /** Whether a name is that of an adapter that is loaded. */
  readonly isAdapter: (name: string) => boolean;
  /** Whether log-probabilities are told of the distribution at the request's temperature; else of the model's own. */
  readonly tellsProcessed: boolean;
  /** Longest prompt and answer together. */
  readonly maxContext: number;
  readonly maxNewTokens: number;
  readonly defaultNewTokens: number;
  readonly maxSamples: number;
  /** Of all text of a request: more cannot fit the context. */
  readonly maxTextBytes: number;
}

/**
 * @param freshSeed for requests without one
 * @throws HttpError ERR_REQUEST_FIELD, ERR_REQUEST_UNSUPPORTED, ERR_MODEL_NAME, ERR_REQUEST_CONTEXT (413)
 */
export function readChatCall(value: unknown, limits: CallLimits, freshSeed: () => number): ChatCall {
  const body = readChatBody(value);
  const adapter = adapterOf(body.model, limits);
  const { turns, media } = conversation(body);
  requireShortText(turns, limits);
  const numSamples = body.n ?? 1;
  if (numSamples > limits.maxSamples) {
    throw fieldError("n", `1 to ${limits.maxSamples}`, String(numSamples), "Ask for fewer.");
  }
  const maxNewTokens = newTokens(body, limits);
  const temperature = body.temperature ?? 1;
  if (body.top_logprobs && !body.logprobs) {
    throw fieldError("top_logprobs", "logprobs to be true", "it without", "Set logprobs to true.");
  }
  return {
    job: {
      turns,
      rules: {
        adapter,
        numSamples,
        temperature,
        logprobTemperature: limits.tellsProcessed && temperature > 0 ? temperature : 1,
        topP: body.top_p === 1 ? null : (body.top_p ?? null),
        topK: (body.top_k ?? 0) > 0 ? body.top_k! : null,
        repetitionPenalty: body.repetition_penalty === 1 ? null : (body.repetition_penalty ?? null),
      },
      maxNewTokens,
      seeds: seedsOf(body, numSamples, freshSeed),
      stop: typeof body.stop === "string" ? [body.stop] : (body.stop ?? []),
      numLikeliest: body.logprobs ? (body.top_logprobs ?? 0) : null,
      tellsStop: body.return_token_ids ?? false,
      isStreamed: body.stream ?? false,
    },
    media,
    includeUsage: body.stream_options?.include_usage ?? false,
    returnTokenIds: body.return_token_ids ?? false,
    namesTokensById: body.return_tokens_as_token_ids ?? false,
  };
}

function seedsOf({ seed: given, seeds }: ChatBody, numSamples: number, freshSeed: () => number): readonly number[] {
  if (!seeds) {
    const seed = given ?? freshSeed();
    return Array.from({ length: numSamples }, (_, sample) => (sample === 0 ? seed : deriveSeed(seed, sample)));
  }
  if (seeds.length === numSamples) return seeds;
  throw fieldError("seeds", `${numSamples} of them, one per answer`, String(seeds.length), "Make n as many.");
}

/** The adapter that a request names; null: the model itself. @throws HttpError ERR_MODEL_NAME (404) */
function adapterOf(name: string | null | undefined, { modelName, isAdapter }: CallLimits): string | null {
  if (name !== null && name !== undefined && name !== modelName && isAdapter(name)) return name;
  requireModel(name, modelName);
  return null;
}

/** By its bytes: tokenising what cannot fit would take others' time. */
export function requireShortText(turns: readonly Turn[], { maxTextBytes, maxContext }: CallLimits): void {
  let bytes = 0;
  for (const { parts } of turns) {
    for (const part of parts) if (part.type === "text") bytes += Buffer.byteLength(part.text);
  }
  if (bytes <= maxTextBytes) return;
  throw new HttpError(
    413,
    "ERR_REQUEST_CONTEXT",
    `messages: expected at most ${maxTextBytes} bytes of text for a context of ${maxContext} tokens, got ${bytes}. Send less.`,
    { param: "messages" },
  );
}

/** @throws HttpError ERR_MODEL_NAME (404) */
export function requireModel(name: string | null | undefined, served: string): void {
  if (name === null || name === undefined || name === served) return;
  throw new HttpError(
    404,
    "ERR_MODEL_NAME",
    `model: expected "${served}", got "${name.slice(0, 100)}". GET /v1/models lists what is served.`,
    { param: "model" },
  );
}

function newTokens(body: ChatBody, { maxNewTokens, defaultNewTokens }: CallLimits): number {
  const asked = body.max_completion_tokens ?? body.max_tokens ?? defaultNewTokens;
  if (asked <= maxNewTokens) return asked;
  throw fieldError(
    "max_tokens",
    `at most ${maxNewTokens}`,
    String(asked),
    "Ask for fewer, or start with a larger --max-new-tokens.",
  );
}

function conversation(body: ChatBody): { turns: Turn[]; media: MediaPart[] } {
  const media: MediaPart[] = [];
  const partOf = (part: ContentPart): TurnPart => {
    if (part.type === "text") return { type: "text", text: part.text };
    media.push(mediaPart(part, body));
    return { type: "media", media: media.length - 1 };
  };
  const turns = body.messages.map(({ role, content }): Turn => {
    const parts = typeof content === "string" ? [{ type: "text" as const, text: content }] : content.map(partOf);
    if (role !== "user" && parts.some(({ type }) => type === "media")) {
      throw unsupported("messages", `expected media in user messages only, got some in a ${role} message. Move them.`);
    }
    return { role: role === "developer" ? "system" : role, parts };
  });
  return { turns, media };
}

function mediaPart(part: Exclude<ContentPart, { type: "text" }>, body: ChatBody): MediaPart {
  const plain = { withSound: false, fps: null, numFrames: null };
  switch (part.type) {
    case "input_audio":
      return { ...plain, kind: "audio", url: `data:audio/${part.input_audio.format};base64,${part.input_audio.data}` };
    case "audio_url":
      return { ...plain, kind: "audio", url: part.audio_url.url };
    case "image_url":
      return { ...plain, kind: "image", url: part.image_url.url };
    case "video_url":
      return {
        kind: "video",
        url: part.video_url.url,
        withSound: body.mm_processor_kwargs?.use_audio_in_video ?? false,
        fps: body.media_io_kwargs?.video?.fps ?? null,
        numFrames: body.media_io_kwargs?.video?.num_frames ?? null,
      };
  }
}
