// Asks a language model for the polarity of lists of emotion words. Replies are kept by the client, so that a score can be
// repeated, also without the endpoint.
import type { PolarityJudge } from "../../bench/mer-unibench/polarity-judge.ts";
import { cleanReply } from "../../emotion/labels.ts";
import { askAll } from "../../endpoint/ask-all.ts";
import { openChatClient } from "../../endpoint/chat-client.ts";
import type { EndpointOptions } from "../../endpoint/endpoint-options.ts";

const maxTokens = 16;
const numAtOnce = 8;

/** Its words are part of the cache's key: another wording is another question. */
const question =
  "You are an expert on emotions. The list below holds words that describe a person's emotional state. Is the state " +
  "positive, negative or neutral? An empty list is neutral. Answer with that one word, in lower case, and nothing else.\n" +
  "[joyful, relieved] -> positive\n[] -> neutral\n";

/** @throws OppoError ERR_ENDPOINT and its siblings */
export function endpointJudge(options: EndpointOptions): PolarityJudge & Disposable {
  const client = openChatClient({ ...options, concurrency: numAtOnce });
  const ask = async (labels: string): Promise<string> => {
    const messages = [{ role: "user", content: `${question}${labels} ->` }] as const;
    return cleanReply((await client.chat({ messages, maxTokens, temperature: 0 })).text);
  };
  return {
    name: client.name,
    judge: (labelStrings) => askAll(labelStrings, numAtOnce, ask),
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}
