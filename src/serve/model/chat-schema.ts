// The body of POST /v1/chat/completions as OpenAI's clients and vLLM's users send it. Fields that this server cannot honour
// are refused by name, unless they ask for nothing.
import { z } from "zod";
import { fieldError, unsupported } from "../http/http-error.ts";
import { issueError } from "./body-issue.ts";

const maxMessages = 64;
const maxParts = 64;
const maxStops = 16;
const maxStopLength = 200;
const maxText = 1 << 20;
/** Answers are bounded by the cache that they take; this bounds the list alone. */
const maxSeeds = 4096;

const text = z.string().max(maxText);
const url = z.looseObject({ url: z.string() });
const part = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("text"), text }),
  z.looseObject({ type: z.literal("image_url"), image_url: url }),
  z.looseObject({ type: z.literal("video_url"), video_url: url }),
  z.looseObject({ type: z.literal("audio_url"), audio_url: url }),
  z.looseObject({
    type: z.literal("input_audio"),
    input_audio: z.looseObject({ data: z.string(), format: z.enum(["wav", "mp3", "flac", "ogg"]) }),
  }),
]);
export type ContentPart = z.infer<typeof part>;

const message = z.looseObject({
  role: z.enum(["system", "developer", "user", "assistant"]),
  content: z.union([text, z.array(part).min(1).max(maxParts)]),
});

const wholeNumber = z.number().int();

export const chatSchema = z.strictObject({
  model: z.string().max(1000).nullish(),
  messages: z.array(message).min(1).max(maxMessages),
  max_tokens: wholeNumber.min(1).nullish(),
  max_completion_tokens: wholeNumber.min(1).nullish(),
  temperature: z.number().min(0).max(10).nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  /** vLLM: -1 and 0 are off. */
  top_k: wholeNumber.min(-1).nullish(),
  repetition_penalty: z.number().gt(0).max(10).nullish(),
  seed: wholeNumber.min(Number.MIN_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER).nullish(),
  /** One per answer, in place of `seed`. */
  seeds: z.array(wholeNumber.min(Number.MIN_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER)).min(1).max(maxSeeds).nullish(),
  n: wholeNumber.min(1).nullish(),
  stop: z
    .union([z.string().min(1).max(maxStopLength), z.array(z.string().min(1).max(maxStopLength)).max(maxStops)])
    .nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.strictObject({ include_usage: z.boolean().nullish() }).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: wholeNumber.min(0).max(20).nullish(),
  return_token_ids: z.boolean().nullish(),
  /** Tokens by their ids in place of their texts: "token_id:42". */
  return_tokens_as_token_ids: z.boolean().nullish(),
  mm_processor_kwargs: z.strictObject({ use_audio_in_video: z.boolean().nullish() }).nullish(),
  media_io_kwargs: z
    .strictObject({
      video: z.looseObject({ fps: z.number().gt(0).max(1000).nullish(), num_frames: wholeNumber.nullish() }).nullish(),
    })
    .nullish(),
});
export type ChatBody = z.infer<typeof chatSchema>;

/** Fields that change nothing here. */
const ignored = new Set(["user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key"]);
/** Fields that we do not honour -> whether a value asks for nothing. */
const neutral: Readonly<Record<string, (value: unknown) => boolean>> = {
  presence_penalty: (value) => value === 0,
  frequency_penalty: (value) => value === 0,
  min_p: (value) => value === 0,
  tools: (value) => Array.isArray(value) && value.length === 0,
  tool_choice: (value) => value === "none" || value === "auto",
  parallel_tool_calls: () => true,
  logit_bias: (value) => typeof value === "object" && value !== null && Object.keys(value).length === 0,
  response_format: (value) => (value as { type?: unknown } | null)?.type === "text",
  modalities: (value) => JSON.stringify(value) === '["text"]',
};

/** Whether a field asks for nothing. @throws HttpError ERR_REQUEST_UNSUPPORTED when it asks for what we do not honour */
function isIdle(key: string, value: unknown): boolean {
  if (ignored.has(key)) return true;
  if (!Object.hasOwn(neutral, key)) return false;
  if (value === null || neutral[key]!(value)) return true;
  throw unsupported(key, "expected it to be left out, got a value that this server does not honour. Leave it out.");
}

/** @throws HttpError ERR_REQUEST_FIELD, ERR_REQUEST_UNSUPPORTED */
export function readChatBody(value: unknown): ChatBody {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw fieldError("body", "an object", Array.isArray(value) ? "an array" : typeof value, "Send one JSON object.");
  }
  const known = Object.fromEntries(Object.entries(value).filter(([key, one]) => !isIdle(key, one)));
  const parsed = chatSchema.safeParse(known);
  if (parsed.success) return parsed.data;
  throw issueError(parsed.error.issues[0]!, known);
}
