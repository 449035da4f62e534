// Renders conversations with a checkpoint's own chat template (Jinja). Media parts become the template's placeholders,
// which the model's processor expands to as many tokens as the clip has. Which default system prompt a template inserts is
// the template's business; pass a system message to decide it.
import { existsSync } from "node:fs";
import path from "node:path";
import { Template } from "@huggingface/jinja";
import { type ErrorCode, OppoError } from "../error.ts";
import { readJsonFile, readTextFile } from "./json-file.ts";
import { MAX_SOURCE, renderWithin } from "./template-budget.ts";

export type MessagePart =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "image" }
  | { readonly type: "video" }
  | { readonly type: "audio" };

/** Example: `{ role: "user", content: [{ type: "video" }, { type: "text", text: "what does she feel?" }] }` */
export interface Message {
  readonly role: "system" | "user" | "assistant";
  readonly content: string | readonly MessagePart[];
}

export interface RenderOptions {
  /** Opens an assistant turn at the end. Default true: the usual case is a prompt. */
  readonly addGenerationPrompt?: boolean;
  /** Numbers pictures and videos ("Video 1: "). */
  readonly addVisionId?: boolean;
  /** Numbers audio parts ("Audio 1: "). */
  readonly addAudioId?: boolean;
}

export interface ChatTemplate {
  /** @throws OppoError ERR_CHAT_TEMPLATE_RENDER when the template refuses the messages, or takes more work than a prompt is worth. */
  render(messages: readonly Message[], options?: RenderOptions): string;
}

/** @throws OppoError ERR_CHAT_TEMPLATE_SYNTAX when the source is no Jinja template. */
export function createChatTemplate(source: string): ChatTemplate {
  const template = attempt("ERR_CHAT_TEMPLATE_SYNTAX", "a Jinja template", () => {
    if (source.length > MAX_SOURCE) throw new RangeError(`${source.length} characters, at most ${MAX_SOURCE} are read`);
    return new Template(source);
  });
  return {
    render: (messages, options = {}) =>
      attempt("ERR_CHAT_TEMPLATE_RENDER", "messages that the template accepts", () =>
        renderWithin(
          template,
          {
            messages,
            add_generation_prompt: options.addGenerationPrompt ?? true,
            add_vision_id: options.addVisionId ?? false,
            add_audio_id: options.addAudioId ?? false,
          },
          numCharacters(messages),
        ),
      ),
  };
}

/**
 * Reads a checkpoint's template from `chat_template.jinja`, `chat_template.json` or `tokenizer_config.json`, in this order.
 * @throws OppoError ERR_CHAT_TEMPLATE_FILE when none of them holds one, ERR_CHAT_TEMPLATE_SYNTAX
 */
export function loadChatTemplate(directory: string): ChatTemplate {
  const jinja = path.join(directory, "chat_template.jinja");
  if (existsSync(jinja)) return createChatTemplate(readTextFile(jinja, "ERR_CHAT_TEMPLATE_FILE"));
  for (const name of ["chat_template.json", "tokenizer_config.json"]) {
    if (!existsSync(path.join(directory, name))) continue;
    const source = templateSource(readJsonFile(directory, name, "ERR_CHAT_TEMPLATE_FILE").chat_template);
    if (source !== null) return createChatTemplate(source);
  }
  throw new OppoError(
    "ERR_CHAT_TEMPLATE_FILE",
    `${directory}: expected a chat template in chat_template.jinja, chat_template.json or tokenizer_config.json, got none. ` +
      "Copy the file that belongs to the checkpoint.",
  );
}

function numCharacters(messages: readonly Message[]): number {
  return messages.reduce((sum, { content }) => {
    if (typeof content === "string") return sum + content.length;
    return content.reduce((own, part) => own + (part.type === "text" ? part.text.length : 0), sum);
  }, 0);
}

/** A template is a string, or a list of named ones of which "default" is meant. */
function templateSource(value: unknown): string | null {
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) return null;
  const named = value as readonly { readonly name?: unknown; readonly template?: unknown }[];
  const chosen = named.find((entry) => entry.name === "default");
  return typeof chosen?.template === "string" ? chosen.template : null;
}

function attempt<T>(code: ErrorCode, expected: string, body: () => T): T {
  try {
    return body();
  } catch (cause) {
    throw new OppoError(
      code,
      `chat template: expected ${expected}, got ${String(cause)}. Check the checkpoint's template.`,
      {
        cause,
      },
    );
  }
}
