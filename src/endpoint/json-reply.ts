// JSON out of a model's reply. Strict JSON is taken as it is; else what surrounds it (thoughts, a code fence, a sentence)
// is left off and small flaws are mended: commas before a bracket, raw line breaks in strings, an end that is missing. Of
// a cut-off list only whole entries are kept. What is still not what the schema asks for is refused with a reason.
import { z } from "zod";

/** Says what is wrong with a value, or null. */
export type SchemaCheck = (value: unknown) => string | null;

/** What was mended: something around or in the JSON, or its missing end, which may have held more. */
export type Flaw = "untidy" | "cut off";

export type JsonReading =
  | { readonly json: string; readonly flaw: Flaw | null }
  /** Why the reply is not what was asked for. */
  | { readonly reason: string };

const maxDepth = 64;
/** A longer reply is taken as it is or not at all. */
const maxMended = 1_000_000;

/** @throws Error when the schema uses what zod's reader of JSON schemas does not know; schemas are ours, not the user's */
export function schemaCheck(schema: Readonly<Record<string, unknown>>): SchemaCheck {
  const type = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
  return (value) => {
    const issue = type.safeParse(value).error?.issues[0];
    return issue === undefined ? null : `${issue.path.join(".") || "the value"}: ${issue.message}`;
  };
}

/** The JSON in a reply, in one line and as the schema wants it. */
export function readJsonReply(reply: string, check: SchemaCheck): JsonReading {
  const strict = parse(reply);
  if (strict !== undefined) {
    const issue = check(strict);
    return issue === null ? { json: JSON.stringify(strict), flaw: null } : { reason: issue };
  }
  let reason = "no JSON";
  for (const text of candidates(reply)) {
    const whole = parse(text);
    const patched = whole === undefined ? mended(text) : null;
    const value = whole ?? parse(patched?.text ?? null);
    if (value === undefined) continue;
    const issue = check(value);
    if (issue === null) return { json: JSON.stringify(value), flaw: patched?.isCut ? "cut off" : "untidy" };
    reason = issue;
  }
  return { reason };
}

function parse(text: string | null): unknown {
  if (text === null) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Where the JSON may be: in a fence, after the thoughts, from the first bracket on. */
function candidates(reply: string): string[] {
  const spoken = reply.replace(/^[\s\S]*<\/think(?:ing)?>/, "");
  const fenced = /```(?:json)?\s*([\s\S]*?)(?:```|$)/.exec(spoken)?.[1];
  const found = [fenced, spoken].flatMap((text) => {
    const start = text?.search(/[[{]/) ?? -1;
    return start < 0 ? [] : [text!.slice(start)];
  });
  return [...new Set(found)];
}

interface Frame {
  readonly closer: "}" | "]";
  /** Inside an object, before the colon. */
  isKey: boolean;
}

/** The value that starts with the text's first character, its small flaws mended; null where there is too much wrong. */
function mended(text: string): { readonly text: string; readonly isCut: boolean } | null {
  if (text.length > maxMended) return null;
  const tokens = text.matchAll(/"[^"\\]*(?:\\[\s\S][^"\\]*)*"|[[\]{},:]|[^\s"[\]{},:]+|"/g);
  const stack: Frame[] = [];
  const out: string[] = [];
  /** The most pieces that end with a whole entry, and the brackets that they leave open. */
  let whole: { readonly length: number; readonly closers: string } | null = null;
  const entryEnds = (): void => {
    if (stack.at(-1)?.isKey !== true) whole = { length: out.length, closers: closersOf(stack) };
  };
  for (const { 0: token, index } of tokens) {
    const top = stack.at(-1);
    if (token === '"') break;
    if (token === "{" || token === "[") {
      if (stack.length >= maxDepth) return null;
      stack.push({ closer: token === "{" ? "}" : "]", isKey: token === "{" });
      out.push(token);
    } else if (token === "}" || token === "]") {
      if (top?.closer !== token) break;
      stack.pop();
      if (out.at(-1) === ",") out.pop();
      out.push(token);
      if (stack.length === 0) return { text: out.join(""), isCut: false };
      entryEnds();
    } else if (token === "," || token === ":") {
      if (top?.closer === "}") top.isKey = token === ",";
      out.push(token);
    } else if (token.startsWith('"')) {
      out.push(token.replace(/\n/g, "\\n").replace(/\r/g, "\\r").replace(/\t/g, "\\t"));
      entryEnds();
    } else {
      out.push(token);
      // A number or a word at the very end may be cut.
      if (index + token.length < text.length) entryEnds();
    }
  }
  if (whole === null) return null;
  const { length, closers } = whole as { readonly length: number; readonly closers: string };
  return { text: out.slice(0, length).join("") + closers, isCut: true };
}

function closersOf(stack: readonly Frame[]): string {
  return stack
    .map(({ closer }) => closer)
    .reverse()
    .join("");
}
