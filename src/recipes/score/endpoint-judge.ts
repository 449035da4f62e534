// Asks an OpenAI-compatible endpoint for the polarity of a list of emotion words. Replies are kept in a file, one JSON
// object per line, so that a score can be repeated, also without the endpoint.
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { PolarityJudge } from "../../bench/mer-unibench/polarity-judge.ts";
import { cleanReply } from "../../emotion/labels.ts";
import { OppoError } from "../../error.ts";

export interface EndpointOptions {
  /** Up to and with the version: "http://localhost:8000/v1". */
  readonly url: string;
  readonly model: string;
  readonly key: string | null;
  readonly cacheFile: string;
  readonly timeoutMilliseconds?: number;
  readonly numRetries?: number;
  readonly retryMilliseconds?: number;
}

const numParallel = 4;
const maxTokens = 16;
const defaultTimeout = 60_000;
const firstRetry = 500;

/** Its first words are part of the cache's key: another wording is another question. */
const question =
  "You are an expert on emotions. The list below holds words that describe a person's emotional state. Is the state " +
  "positive, negative or neutral? An empty list is neutral. Answer with that one word, in lower case, and nothing else.\n" +
  "[joyful, relieved] -> positive\n[] -> neutral\n";

export function endpointJudge(options: EndpointOptions): PolarityJudge {
  return {
    name: `${options.model} at ${options.url}`,
    async judge(labelStrings) {
      const replies = readCache(options.cacheFile);
      const keyOf = (labels: string) =>
        createHash("sha256").update(`${options.model}\0${question}\0${labels}`).digest("hex");
      const open = [...new Set(labelStrings)].filter((labels) => !replies.has(keyOf(labels)));
      mkdirSync(dirname(options.cacheFile), { recursive: true });
      let next = 0;
      const worker = async (): Promise<void> => {
        while (next < open.length) {
          const labels = open[next++]!;
          const reply = cleanReply(await ask(options, `${question}${labels} ->`));
          replies.set(keyOf(labels), reply);
          appendFileSync(options.cacheFile, `${JSON.stringify({ key: keyOf(labels), labels, reply })}\n`);
        }
      };
      await Promise.all(Array.from({ length: numParallel }, worker));
      return labelStrings.map((labels) => replies.get(keyOf(labels))!);
    },
  };
}

function readCache(file: string): Map<string, string> {
  const replies = new Map<string, string>();
  if (!existsSync(file)) return replies;
  for (const line of readFileSync(file, "utf8").split("\n")) {
    const row = cacheRow(line);
    if (row !== null) replies.set(row.key, row.reply);
  }
  return replies;
}

/** A line that was cut off by a crash is asked again. */
function cacheRow(line: string): { key: string; reply: string } | null {
  try {
    const { key, reply } = JSON.parse(line) as { key?: unknown; reply?: unknown };
    return typeof key === "string" && typeof reply === "string" ? { key, reply } : null;
  } catch {
    return null;
  }
}

async function ask(options: EndpointOptions, prompt: string): Promise<string> {
  const { numRetries = 3, retryMilliseconds = firstRetry } = options;
  for (let attempt = 0; ; attempt++) {
    const outcome = await post(options, prompt);
    if ("reply" in outcome) return outcome.reply;
    if (!outcome.mayRetry || attempt >= numRetries) throw endpointError(options.url, outcome.problem);
    await new Promise((resolve) => setTimeout(resolve, retryMilliseconds * 2 ** attempt));
  }
}

type Outcome = { readonly reply: string } | { readonly problem: string; readonly mayRetry: boolean };

async function post(options: EndpointOptions, prompt: string): Promise<Outcome> {
  const { url, model, key, timeoutMilliseconds = defaultTimeout } = options;
  const messages = [{ role: "user", content: prompt }];
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${url.replace(/\/$/, "")}/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", ...(key === null ? {} : { authorization: `Bearer ${key}` }) },
      body: JSON.stringify({ model, messages, temperature: 0, max_tokens: maxTokens }),
      signal: AbortSignal.timeout(timeoutMilliseconds),
    });
    text = await response.text();
  } catch (error) {
    return { problem: (error as Error).message, mayRetry: true };
  }
  if (!response.ok) {
    return { problem: `status ${response.status}`, mayRetry: response.status === 429 || response.status >= 500 };
  }
  const reply = replyIn(text);
  return reply === null ? { problem: `no reply in ${text.slice(0, 100)}`, mayRetry: false } : { reply };
}

function replyIn(text: string): string | null {
  try {
    const content = (JSON.parse(text) as { choices?: { message?: { content?: unknown } }[] }).choices?.[0]?.message
      ?.content;
    return typeof content === "string" ? content : null;
  } catch {
    return null;
  }
}

function endpointError(url: string, problem: string): OppoError {
  return new OppoError(
    "ERR_ENDPOINT",
    `${url}: expected a chat completion, got ${problem}. Check the address, the model's name and the key; ` +
      "what was answered so far is kept.",
  );
}
