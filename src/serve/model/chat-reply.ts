// Answers in the shapes of OpenAI's chat completions: whole, or piece by piece.
import type { Answer, ScoredToken, TokenText } from "./protocol.ts";

export interface ReplyHead {
  /** Example: "chatcmpl-1f3-7" */
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly model: string;
}

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

export function usageOf(numPrompt: number, answers: readonly Answer[]): Usage {
  const completion = answers.reduce((sum, { ids }) => sum + ids.length, 0);
  return { prompt_tokens: numPrompt, completion_tokens: completion, total_tokens: numPrompt + completion };
}

export interface ReplyOptions {
  readonly hasLogprobs: boolean;
  readonly returnTokenIds: boolean;
  /** "token_id:42" in place of a token's text. */
  readonly namesTokensById: boolean;
}

export function wholeReply(
  head: ReplyHead,
  promptIds: readonly number[],
  answers: readonly Answer[],
  { hasLogprobs, returnTokenIds, namesTokensById }: ReplyOptions,
) {
  return {
    ...head,
    object: "chat.completion",
    choices: answers.map((answer, index) => ({
      index,
      message: { role: "assistant", content: answer.text, refusal: null },
      logprobs: hasLogprobs
        ? { content: answer.tokens.map((token) => logprobOf(token, namesTokensById)), refusal: null }
        : null,
      finish_reason: finishOf(answer),
      ...(returnTokenIds ? { token_ids: answer.ids } : {}),
    })),
    usage: usageOf(promptIds.length, answers),
    ...(returnTokenIds ? { prompt_token_ids: promptIds } : {}),
  };
}

export interface ChunkDelta {
  readonly role?: "assistant";
  readonly content?: string;
}

/** One event of a stream. */
export function chunk(
  head: ReplyHead,
  index: number,
  delta: ChunkDelta,
  tokens: readonly ScoredToken[],
  finish: string | null,
  namesById = false,
) {
  return {
    ...head,
    object: "chat.completion.chunk",
    choices: [
      {
        index,
        delta,
        logprobs:
          tokens.length === 0 ? null : { content: tokens.map((token) => logprobOf(token, namesById)), refusal: null },
        finish_reason: finish,
      },
    ],
  };
}

/** The last event, where usage was asked for. */
export function usageChunk(head: ReplyHead, usage: Usage) {
  return { ...head, object: "chat.completion.chunk", choices: [], usage };
}

export function finishOf({ finish }: Answer): "stop" | "length" {
  return finish === "stop" ? "stop" : "length";
}

function logprobOf(token: ScoredToken, namesById: boolean) {
  const named = (one: TokenText) => (namesById ? { ...tokenText(one), token: `token_id:${one.id}` } : tokenText(one));
  return { ...named(token), top_logprobs: token.likeliest.map(named) };
}

function tokenText({ text, logprob }: TokenText) {
  // A token that holds a part of a character only has no text of its own.
  const isPartial = text === "" || text.includes("\uFFFD");
  return { token: text, logprob: finiteLogprob(logprob), bytes: isPartial ? null : [...Buffer.from(text, "utf8")] };
}

/** JSON has no infinity; OpenAI writes -9999 for what cannot be. */
function finiteLogprob(logprob: number): number {
  return Number.isFinite(logprob) ? logprob : -9999;
}
