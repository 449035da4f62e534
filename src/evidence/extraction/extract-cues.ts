// The cues of one written account, by a language model. A reply that is of no use is a problem with a name; an empty list is
// an empty list only when the model said so.
import { z } from "zod";
import type { ChatClient, ChatRequest } from "../../endpoint/chat.ts";
import { RejectedRequestError, UnfitReplyError } from "../../endpoint/chat-client.ts";
import { OppoError } from "../../error.ts";
import { type CheckedPhrases, checkPhrases, scriptsOf } from "./check-phrases.ts";
import { cueMessages, cueSchema } from "./prompt.ts";

export const extractionProblems = [
  "empty text",
  "text too long",
  "text in another language",
  "refused by the model",
  "reply in another language",
  "reply not as asked",
  "reply cut off at its limit of tokens",
  "too long for the model's context",
  "rejected by the server",
  "nothing of the reply is in the text",
] as const;
export type ExtractionProblem = (typeof extractionProblems)[number];

export interface CueExtraction extends CheckedPhrases {
  /** Why there are no cues although there may be some in the text; null when the extraction stands. */
  readonly problem: ExtractionProblem | null;
  /** The reply reached its limit of tokens: its end is missing. */
  readonly isCutOff: boolean;
}

/** Characters; about ten times a long account. */
const longestText = 20_000;
const replySchema = z.object({
  visual_cues: z.array(z.string()),
  audio_cues: z.array(z.string()),
  emotion_cues: z.array(z.string()),
});

export interface AskOptions {
  /** Of a reply; models that think before they answer need more. */
  readonly maxTokens: number;
  /** Further fields of the body. Example: `{ reasoning_effort: "low" }` */
  readonly extra?: Readonly<Record<string, unknown>>;
}

export const defaultAskOptions: AskOptions = { maxTokens: 1024 };

/** What is asked about an account. */
export function cueRequest(text: string, options: AskOptions = defaultAskOptions): ChatRequest {
  return { messages: cueMessages(text), temperature: 0, schema: cueSchema, ...options };
}

/** @throws OppoError when the endpoint does not answer or the budget is used up; replies of no use are problems instead */
export async function extractCues(
  client: ChatClient,
  text: string,
  options: AskOptions = defaultAskOptions,
): Promise<CueExtraction> {
  const problem = textProblem(text);
  if (problem !== null) return nothing(problem);
  try {
    const reply = await client.chat(cueRequest(text, options));
    const { visual_cues: video, audio_cues: audio, emotion_cues: emotion } = replySchema.parse(JSON.parse(reply.text));
    const checked = checkPhrases(text, { video, audio, emotion });
    return { ...checked, problem: problemOf(checked), isCutOff: reply.finish === "length" };
  } catch (error) {
    if (error instanceof UnfitReplyError) return nothing(unfitProblem(error, text));
    if (error instanceof OppoError && error.code === "ERR_ENDPOINT_REJECTED") {
      const isTooLong = error instanceof RejectedRequestError && error.isTooLong;
      return nothing(isTooLong ? "too long for the model's context" : "rejected by the server");
    }
    throw error;
  }
}

/** What keeps a text from being looked at, or null. */
export function textProblem(text: string): ExtractionProblem | null {
  if (text.trim() === "") return "empty text";
  return text.length > longestText ? "text too long" : null;
}

/** An extraction of nothing, with the reason. */
export function nothing(problem: ExtractionProblem): CueExtraction {
  return { cues: [], dropped: [], problem, isCutOff: false };
}

function problemOf({ cues, dropped }: CheckedPhrases): ExtractionProblem | null {
  if (cues.length > 0 || dropped.length === 0) return null;
  const isForeign = dropped.every(({ reason }) => reason === "another language");
  return isForeign ? "reply in another language" : "nothing of the reply is in the text";
}

/** "I'm sorry", "I cannot", "as an AI"; the last row is Chinese: sorry, cannot, as an AI. */
const refusal =
  /\b(?:sorry|apologi[sz]e|cannot|can[\u2019']?t|unable to|won[\u2019']?t|not able to|as an ai|against my|decline)\b|\u62b1\u6b49|\u65e0\u6cd5|\u4e0d\u80fd|\u4f5c\u4e3a.{0,4}AI/i;

function unfitProblem({ reply, finish }: UnfitReplyError, text: string): ExtractionProblem {
  if (finish === "length") return "reply cut off at its limit of tokens";
  if (refusal.test(reply.slice(0, 400))) return "refused by the model";
  const scripts = scriptsOf(text);
  const isForeign = reply !== "" && [...scriptsOf(reply)].some((script) => script !== "Latin" && !scripts.has(script));
  return isForeign ? "reply in another language" : "reply not as asked";
}
