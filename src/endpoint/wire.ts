// What servers answer, checked before it is believed: chat completions and embeddings, as OpenAI's format has them.
import { z } from "zod";
import type { ChatReply } from "./chat.ts";
import type { Reading } from "./session.ts";

export type RawReply = Omit<ChatReply, "cached">;

const tokenCount = z.number().int().nonnegative().nullish().catch(null);
const usage = z.object({ prompt_tokens: tokenCount, completion_tokens: tokenCount }).nullish().catch(null);

/** Content may come in parts, thoughts among them. */
const part = z.object({
  type: z.string().default("text"),
  text: z.string().nullish(),
  thinking: z.string().nullish(),
  reasoning: z.string().nullish(),
});
/** Whatever else a server puts there is no text. */
const thoughts = z.string().nullish().catch(null);

const chatBody = z.object({
  choices: z
    .array(
      z.object({
        message: z.object({
          content: z.union([z.string(), z.array(part)]).nullish(),
          refusal: z.string().nullish(),
          reasoning_content: thoughts,
          reasoning: thoughts,
          thinking: thoughts,
        }),
        finish_reason: z.string().nullish(),
      }),
    )
    .min(1),
  usage,
});

/** Some gateways answer 200 and put the failure into the body. */
const errorBody = z.object({
  error: z.union([z.string(), z.object({ message: z.string() }).transform(({ message }) => message)]),
});

const vectorsBody = z.object({
  data: z.array(
    z.object({ index: z.number().int().nonnegative(), embedding: z.union([z.string(), z.array(z.number())]) }),
  ),
  usage,
});

/**
 * The reply in a chat completion. A refusal in its own field is a reply too, and so is none: a model that used up its
 * tokens while it thought said nothing. Where a parser took a whole answer for thoughts, they are the answer.
 */
export function readChatBody(body: unknown): Reading<RawReply> | { readonly problem: string } {
  const checked = chatBody.safeParse(body);
  if (!checked.success) {
    const failed = errorBody.safeParse(body).data;
    return { problem: failed === undefined ? `no chat completion (${issueOf(checked.error)})` : failed.error };
  }
  const { message, finish_reason } = checked.data.choices[0]!;
  const finish = finishOf(finish_reason);
  const { spoken, thought } = partsOf(message.content ?? message.refusal ?? "");
  const beside = [message.reasoning_content, message.reasoning, message.thinking].find((text) => text) ?? thought;
  const isAllThought = spoken.trim() === "" && finish === "stop";
  const text = isAllThought ? beside : spoken;
  const reasoning = isAllThought ? "" : beside;
  const promptTokens = checked.data.usage?.prompt_tokens ?? null;
  const completionTokens = checked.data.usage?.completion_tokens ?? null;
  const value = { text, ...(reasoning === "" ? {} : { reasoning }), finish, promptTokens, completionTokens };
  return { value, promptTokens, completionTokens, numCharacters: text.length + reasoning.length };
}

function partsOf(content: string | readonly z.infer<typeof part>[]) {
  if (typeof content === "string") return { spoken: content, thought: "" };
  const isThought = ({ type }: z.infer<typeof part>) => type === "thinking" || type === "reasoning";
  return {
    spoken: content.flatMap((one) => (isThought(one) ? [] : (one.text ?? ""))).join(""),
    thought: content
      .flatMap((one) => (isThought(one) ? (one.thinking ?? one.reasoning ?? one.text ?? "") : []))
      .join(""),
  };
}

const limitReasons = ["length", "max_tokens", "max_output_tokens"];
const stopReasons = ["stop", "eos", "eos_token", "end_turn", "stop_sequence"];

function finishOf(reason: string | null | undefined): RawReply["finish"] {
  const name = (reason ?? "stop").toLowerCase();
  return limitReasons.includes(name) ? "length" : stopReasons.includes(name) ? "stop" : "other";
}

/** One vector per text, in the texts' order, whatever order they came in. Base64 is little-endian float32. */
export function readVectorsBody(
  body: unknown,
  texts: readonly string[],
): Reading<readonly Float32Array[]> | { readonly problem: string } {
  const checked = vectorsBody.safeParse(body);
  if (!checked.success) return { problem: `no embeddings (${issueOf(checked.error)})` };
  const { data } = checked.data;
  const rows = new Array<Float32Array | undefined>(texts.length);
  for (const { index, embedding } of data) {
    if (index < texts.length)
      rows[index] = typeof embedding === "string" ? decodeVector(embedding) : Float32Array.from(embedding);
  }
  if (data.length !== texts.length || rows.includes(undefined)) {
    return { problem: `${data.length} embeddings for ${texts.length} texts` };
  }
  return {
    value: rows as Float32Array[],
    promptTokens: checked.data.usage?.prompt_tokens ?? null,
    completionTokens: null,
    numCharacters: texts.reduce((sum, text) => sum + text.length, 0),
  };
}

/** float32 from base64; a ragged end is an empty vector, which nobody takes. */
export function decodeVector(base64: string): Float32Array {
  const bytes = Buffer.from(base64, "base64");
  if (bytes.length % Float32Array.BYTES_PER_ELEMENT !== 0) return new Float32Array(0);
  // A copy of its own, since small buffers share one that need not be aligned.
  return new Float32Array(Uint8Array.from(bytes).buffer);
}

export function encodeVector(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("base64");
}

function issueOf(error: z.ZodError): string {
  const issue = error.issues[0]!;
  return `${issue.path.join(".") || "body"}: ${issue.message}`;
}
