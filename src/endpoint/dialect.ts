// How one server wants to be spoken to. Servers differ in what they take of a chat request; what a server refuses in so
// many words is put in another way once, for all requests to come, and reported.
import type { ChatMessage, ChatPart } from "./chat.ts";
import type { Failure } from "./transport.ts";

export interface Dialect {
  /** Whether the server is given the JSON schema to enforce, or the model is asked in words. */
  readonly schema: "enforced" | "in words";
  readonly limit: "max_tokens" | "max_completion_tokens";
  /** Some hosted models take only their own. */
  readonly temperature: "sent" | "left out";
}

export const firstDialect: Dialect = { schema: "enforced", limit: "max_tokens", temperature: "sent" };

/** A dialect to try after a refusal, and the line that reports it; null when no other one is likely to help. */
export function otherDialect(
  dialect: Dialect,
  { status, complaint }: Failure,
  hasSchema: boolean,
): { readonly dialect: Dialect; readonly notice: string } | null {
  if (status !== 400 && status !== 422 && status !== 501) return null;
  if (dialect.limit === "max_tokens" && complaint.includes("max_completion_tokens")) {
    const notice = "the server takes max_completion_tokens instead of max_tokens";
    return { dialect: { ...dialect, limit: "max_completion_tokens" }, notice };
  }
  if (dialect.temperature === "sent" && /\btemperature\b/.test(complaint)) {
    const notice = "the model does not take a temperature and samples with its own: a fresh run may answer differently";
    return { dialect: { ...dialect, temperature: "left out" }, notice };
  }
  if (dialect.schema === "enforced" && hasSchema) {
    const notice = "the server does not enforce a JSON schema: the model is asked for JSON in words";
    return { dialect: { ...dialect, schema: "in words" }, notice };
  }
  return null;
}

/** The messages with the schema put in words at the end of the last one. */
export function withSchemaInWords(
  messages: readonly ChatMessage[],
  schema: Readonly<Record<string, unknown>>,
): readonly ChatMessage[] {
  const words =
    "Reply with one JSON value and nothing else: no explanation, no code fence. It must meet this JSON schema:\n" +
    JSON.stringify(schema);
  const last = messages.at(-1);
  if (last === undefined) return messages;
  const content: string | readonly ChatPart[] =
    typeof last.content === "string"
      ? `${last.content}\n\n${words}`
      : [...last.content, { type: "text", text: `\n\n${words}` }];
  return [...messages.slice(0, -1), { ...last, content }];
}
