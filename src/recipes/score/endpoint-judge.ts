// Asks a language model for the polarity of lists of emotion words. Replies are kept by the client, so that a score can be
// repeated, also without the endpoint.
import type { PolarityJudge } from "../../bench/mer-unibench/polarity-judge.ts";
import { cleanReply } from "../../emotion/labels.ts";
import { askAll } from "../../endpoint/ask-all.ts";
import type { ChatReply } from "../../endpoint/chat.ts";
import { openChatClient } from "../../endpoint/chat-client.ts";
import type { EndpointOptions } from "../../endpoint/endpoint-options.ts";
import { OppoError } from "../../error.ts";
import { lenientAnswer } from "../../text/answer.ts";

/** For one word; and for a model that thinks before it says it. */
const maxTokens = 16;
const maxTokensThinking = 4096;
const numAtOnce = 8;

/** Its words are part of the cache's key: another wording is another question. */
const question =
  "You are an expert on emotions. The list below holds words that describe a person's emotional state. Is the state " +
  "positive, negative or neutral? An empty list is neutral. Answer with that one word, in lower case, and nothing else.\n" +
  "[joyful, relieved] -> positive\n[] -> neutral\n";

/** It used its tokens up before it answered. */
function isCutThought({ text, finish }: ChatReply): boolean {
  return (
    finish === "length" && (text.trim() === "" || /<think(?:ing)?>/i.test(text)) && !/<\/think(?:ing)?>/i.test(text)
  );
}

function wordOf({ text }: ChatReply): string {
  return cleanReply(lenientAnswer(text));
}

function endlessThoughts(name: string, labels: string): OppoError {
  return new OppoError(
    "ERR_ENDPOINT_UNFIT",
    `${name}: expected positive, negative or neutral for ${labels.slice(0, 80)}, got ${maxTokensThinking} tokens of thoughts and no answer. Take a model that does not think, or serve it with thinking switched off.`,
  );
}

/** @throws OppoError ERR_ENDPOINT and its siblings */
export function endpointJudge(options: EndpointOptions): PolarityJudge & Disposable {
  const client = openChatClient({ ...options, concurrency: numAtOnce });
  let thinks = false;
  const ask = async (labels: string): Promise<string> => {
    const messages = [{ role: "user", content: `${question}${labels} ->` }] as const;
    const put = (limit: number) => client.chat({ messages, maxTokens: limit, temperature: 0 });
    const reply = thinks ? null : await put(maxTokens);
    if (reply !== null && !isCutThought(reply)) return wordOf(reply);
    thinks = true;
    const longer = await put(maxTokensThinking);
    if (isCutThought(longer)) throw endlessThoughts(client.name, labels);
    return wordOf(longer);
  };
  return {
    name: client.name,
    judge: (labelStrings) => askAll(labelStrings, numAtOnce, ask),
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}
