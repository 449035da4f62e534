// One completion as trainers send it, to the one text that is scored: a text, content parts, a message or a conversation,
// with the reasoning that a parser has put into a field of its own back in its tags. What is none of these is refused by place.
import { opensThinking } from "../../text/response.ts";
import { lastTurn } from "../../text/special-tokens.ts";
import { fieldError } from "../http/http-error.ts";
import { kindOf } from "./reference.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Where servers and templates keep the thoughts of a message. */
const reasoningFields = ["reasoning_content", "reasoning", "thinking"] as const;
const textParts = ["text", "output_text", "input_text"];
const reasoningParts = ["thinking", "reasoning"];
const advice = "docs/reward-server.md has the shapes.";

/**
 * @param where names the completion, such as "completions.3"
 * @throws HttpError ERR_REQUEST_FIELD
 */
export function completionText(value: unknown, where: string): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return isConversation(value) ? lastReply(value, where) : partsText(value, where);
  if (isFields(value) && "content" in value) return messageText(value, where);
  throw fieldError(where, "a completion as text", kindOf(value), "Send a text, content parts or messages.");
}

/** A text with the reasoning that came beside it, in its tags; a text with thoughts of its own stays as it is. */
export function withReasoning(text: string, fields: Fields, where: string): string {
  const name = reasoningFields.find((one) => fields[one] !== undefined && fields[one] !== null);
  if (name === undefined) return text;
  const value = fields[name];
  const reasoning = Array.isArray(value) ? partsText(value, `${where}.${name}`) : value;
  if (typeof reasoning !== "string") throw fieldError(`${where}.${name}`, "a text", kindOf(value), advice);
  if (reasoning.trim() === "" || text.includes("</think>")) return text;
  return `<think>${reasoning.replace(/^\s*<think>|<\/think>\s*$/g, "")}</think>${text}`;
}

/**
 * Whether a prompt leaves the think tag open: true or false where its end shows it, undefined where it does not (a
 * conversation before its template, a bare question).
 * @throws HttpError ERR_REQUEST_FIELD
 */
export function promptOpensThinking(prompt: unknown, where: string): boolean | undefined {
  if (prompt === undefined || prompt === null) return undefined;
  if (Array.isArray(prompt)) {
    const last = prompt.at(-1);
    const isPrefix = isFields(last) && last.role === "assistant" && typeof last.content === "string";
    return isPrefix && opensThinking(last.content as string) ? true : undefined;
  }
  if (typeof prompt !== "string") throw fieldError(where, "a text or messages", kindOf(prompt), advice);
  if (opensThinking(prompt)) return true;
  return lastTurn(prompt) === null ? undefined : false;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isConversation(list: readonly unknown[]): boolean {
  return list.some((one) => isFields(one) && "role" in one);
}

/** Of a conversation the last assistant message counts. */
function lastReply(messages: readonly unknown[], where: string): string {
  for (const [i, message] of messages.entries()) {
    if (!isFields(message)) throw fieldError(`${where}.${i}`, "a message", kindOf(message), advice);
  }
  const at = messages.findLastIndex((message) => (message as Fields).role === "assistant");
  if (at < 0) throw fieldError(where, "an assistant message", "none", "Send the completion.");
  return messageText(messages[at] as Fields, `${where}.${at}`);
}

/** A message without a content said nothing. */
function messageText(message: Fields, where: string): string {
  const { content } = message;
  const place = `${where}.content`;
  if (content !== null && typeof content !== "string" && !Array.isArray(content)) {
    throw fieldError(place, "a text, content parts or null", content === undefined ? "none" : kindOf(content), advice);
  }
  return withReasoning(Array.isArray(content) ? partsText(content, place) : (content ?? ""), message, where);
}

/** Text parts joined; parts of thoughts stand in their tags. */
function partsText(parts: readonly unknown[], where: string): string {
  if (parts.length === 0) throw fieldError(where, "a completion as text or content parts", "an empty list", advice);
  return parts.map((part, i) => partText(part, `${where}.${i}`)).join("");
}

function partText(part: unknown, where: string): string {
  if (!isFields(part)) throw fieldError(where, 'a part {"type": "text", "text"}', kindOf(part), advice);
  const { type = "text" } = part;
  const isThought = reasoningParts.includes(type as string);
  if (!isThought && !textParts.includes(type as string)) {
    const got = typeof type === "string" ? JSON.stringify(type.slice(0, 40)) : kindOf(type);
    throw fieldError(`${where}.type`, '"text" or "thinking"', got, "A completion is text.");
  }
  const field = isThought && part.text === undefined ? (type as string) : "text";
  const text = part[field];
  if (typeof text !== "string") {
    throw fieldError(`${where}.${field}`, "a text", text === undefined ? "none" : kindOf(text), advice);
  }
  return isThought ? `<think>${text}</think>` : text;
}
