// POST /tokenize in vLLM's shape: the ids of a text, or of a conversation as it would be asked, its media read too. What it
// asks of the engine is a job that says nothing.
import { z } from "zod";
import { unsupported } from "../http/http-error.ts";
import { issueError } from "./body-issue.ts";
import { type CallLimits, type ChatCall, readChatCall, requireShortText } from "./chat-call.ts";

const schema = z.looseObject({ model: z.string().max(1000).nullish(), prompt: z.string().max(1 << 20) });
/** Fields of this route that say what is done anyway -> the value that says so. */
const standing: Readonly<Record<string, unknown>> = {
  add_generation_prompt: true,
  continue_final_message: false,
  return_token_strs: false,
};

/** @throws HttpError as readChatCall */
export function readTokenizeCall(value: unknown, limits: CallLimits): Pick<ChatCall, "job" | "media"> {
  const body = typeof value === "object" && value !== null ? { ...(value as Record<string, unknown>) } : value;
  if (typeof body === "object" && body !== null) {
    const fields = body as Record<string, unknown>;
    for (const [name, usual] of Object.entries(standing)) {
      const given = fields[name] ?? usual;
      if (given !== usual) throw unsupported(name, `expected ${usual}, got ${JSON.stringify(given)}. Leave it out.`);
      delete fields[name];
    }
    // Special tokens come with a conversation's template alone, as in the models that we know.
    delete fields.add_special_tokens;
    if (fields.prompt !== undefined) return plainCall(fields, limits);
  }
  const { job, media } = readChatCall(body, limits, () => 0);
  return { job: { ...job, maxNewTokens: 0, isStreamed: false }, media };
}

function plainCall(body: unknown, limits: CallLimits): Pick<ChatCall, "job" | "media"> {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw issueError(parsed.error.issues[0]!, body);
  const { model, prompt } = parsed.data;
  const turn = { role: "user" as const, parts: [{ type: "text" as const, text: prompt }] };
  requireShortText([turn], limits);
  const { job } = readChatCall({ model, messages: [{ role: "user", content: "" }] }, limits, () => 0);
  return { job: { ...job, turns: [], plainText: prompt, maxNewTokens: 0 }, media: [] };
}
