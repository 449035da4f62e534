// What a server answered, read strictly: the prompt's ids must be ours, every completion must have its ids and a finite log-probability
// for each, and must end as it says. A server that leaves these out cannot be trained on; one whose answer is broken is asked again.
import { z } from "zod";
import { OppoError } from "../../error.ts";
import type { SampledCompletion } from "../../models/omni-model.ts";
import { NoReply } from "./http.ts";

const id = z.int().min(0);
const logprob = z.looseObject({ token: z.string(), logprob: z.number() });
const schema = z.looseObject({
  /** Placeholders that no vocabulary has are negative. */
  prompt_token_ids: z.array(z.int()).nullish(),
  choices: z.array(
    z.looseObject({
      index: z.int().min(0),
      finish_reason: z.string().nullish(),
      token_ids: z.array(id).nullish(),
      logprobs: z
        .looseObject({
          content: z.array(logprob.extend({ top_logprobs: z.array(logprob).nullish() })).nullish(),
        })
        .nullish(),
    }),
  ),
});
type ChatReply = z.infer<typeof schema>;
type Choice = ChatReply["choices"][number];

export interface Expected {
  /** Of our own tokenizer and template. */
  readonly promptIds: Int32Array;
  readonly numSamples: number;
  readonly maxNewTokens: number;
  readonly stopIds: readonly number[];
  readonly vocabSize: number;
}

/** What servers write for a probability of 0: a clamp. */
const clampedLogprob = -9999;
const shownIds = 4;

/** @throws NoReply for a body that is none: a cut one, a proxy's page */
function parse(text: string): ChatReply {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new NoReply("a body that is no JSON");
  }
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  throw new NoReply(`no chat completion: ${path.join(".") || "body"}: ${message}`);
}

/**
 * The completions of one prompt, in their order.
 * @throws OppoError ERR_ROLLOUT_PROMPT, ERR_ROLLOUT_REPLY; NoReply for what another try may mend
 */
export function readCompletions(server: string, text: string, expected: Expected): SampledCompletion[] {
  const reply = parse(text);
  requirePrompt(server, reply, expected.promptIds);
  const choices = reply.choices.toSorted((a, b) => a.index - b.index);
  if (choices.length !== expected.numSamples || choices.some(({ index }, i) => index !== i)) {
    throw new NoReply(`${choices.length} answers in place of ${expected.numSamples}`);
  }
  return choices.map((choice) => readChoice(server, choice, expected));
}

/** The likeliest tokens at the first place of an answer, and their log-probabilities. @throws as readCompletions */
export function readLikeliest(server: string, text: string, promptIds: Int32Array): Map<number, number> {
  const reply = parse(text);
  requirePrompt(server, reply, promptIds);
  const likeliest = reply.choices[0]?.logprobs?.content?.[0]?.top_logprobs;
  if (!likeliest || likeliest.length === 0) throw unusable(server, "top_logprobs of a token", "none");
  return new Map(
    likeliest.map(({ token, logprob: value }) => {
      const known = /^token_id:(\d+)$/.exec(token);
      if (known === null)
        throw unusable(server, 'tokens named "token_id:ID" (return_tokens_as_token_ids)', "their text");
      return [Number(known[1]), value];
    }),
  );
}

function readChoice(server: string, { token_ids: ids, logprobs, finish_reason: finish }: Choice, expected: Expected) {
  const content = logprobs?.content;
  if (!ids) throw unusable(server, "the ids of what was said (return_token_ids)", "none");
  if (!content) throw unusable(server, "the log-probability of every token (logprobs)", "none");
  if (content.length !== ids.length) {
    throw unusable(server, "a log-probability for every token", `${content.length} for ${ids.length} ids`);
  }
  const foreign = content.find(({ token }, i) => token.startsWith("token_id:") && token !== `token_id:${ids[i]}`);
  if (foreign !== undefined)
    throw unusable(server, "log-probabilities of the ids that were said", `one of ${foreign.token}`);
  const values = Float32Array.from(content, (one) => one.logprob);
  const { maxNewTokens, stopIds, vocabSize } = expected;
  const tooLarge = ids.find((one) => one >= vocabSize);
  if (tooLarge !== undefined) throw unusable(server, `ids below ${vocabSize}`, String(tooLarge));
  // A token that was drawn has a probability: this one was clamped, or is another's.
  const clamped = values.find((value) => !(value > clampedLogprob) || value > positiveRounding);
  if (clamped !== undefined) throw new NoReply(`a log-probability of ${clamped} for a token that was drawn`);
  const stopsAt = ids.findIndex((one) => stopIds.includes(one));
  const truncated = stopsAt < 0;
  if (truncated && finish !== "length") {
    throw unusable(
      server,
      `the stop token among the ids of a finished answer (${stopIds.join(" or ")})`,
      `finish_reason ${JSON.stringify(finish ?? null)} after ${ids.slice(-shownIds).join(", ")}`,
    );
  }
  if (!truncated && stopsAt !== ids.length - 1) throw unusable(server, "nothing behind a stop token", "more tokens");
  if (truncated && ids.length !== maxNewTokens) {
    throw new NoReply(`an answer of ${ids.length} tokens that the limit of ${maxNewTokens} has ended`);
  }
  return { ids: Int32Array.from(ids), logprobs: values, truncated };
}

/** Sums of probabilities may exceed 1 by a rounding. */
const positiveRounding = 1e-3;

function requirePrompt(server: string, { prompt_token_ids: ids }: ChatReply, expected: Int32Array): void {
  if (!ids) throw unusable(server, "the ids of the prompt (return_token_ids)", "none");
  const at = expected.findIndex((one, i) => ids[i] !== one);
  if (at < 0 && ids.length === expected.length) return;
  const place = at < 0 ? expected.length : at;
  const shown = (list: ArrayLike<number>) =>
    Array.from(list)
      .slice(place, place + shownIds)
      .join(", ") || "its end";
  throw new OppoError(
    "ERR_ROLLOUT_PROMPT",
    `${server}: expected the prompt's ${expected.length} ids as this run has them, got ${ids.length}, other from place ${place} on: ` +
      `${shown(expected)} here, ${shown(ids)} there. It serves another model, tokenizer or chat template, or resizes media otherwise; serve the folder that the run starts from.`,
  );
}

function unusable(server: string, expected: string, got: string): OppoError {
  return new OppoError(
    "ERR_ROLLOUT_REPLY",
    `${server}: expected ${expected}, got ${got}. docs/scale.md has the server's command line.`,
  );
}
