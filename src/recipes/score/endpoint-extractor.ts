// Asks a language model for the emotion labels in a text, as the community's scorers do before they score. The question
// follows the intent of theirs (toolkit/utils/qwen.py of AffectGPT, reason_to_openset_qwen): an expert on emotions finds the
// main character and gives the emotions that are clearly there as a list in brackets, [] for none, after two examples. Theirs
// samples (temperature 0.7); here the most likely reply is taken and kept, so that a score can be repeated.
import { cleanReply } from "../../emotion/labels.ts";
import { askAll } from "../../endpoint/ask-all.ts";
import type { ChatReply } from "../../endpoint/chat.ts";
import { openChatClient } from "../../endpoint/chat-client.ts";
import type { EndpointOptions } from "../../endpoint/endpoint-options.ts";
import type { EndpointStatistics } from "../../endpoint/statistics.ts";
import { OppoError } from "../../error.ts";
import type { Stage } from "../../run/progress.ts";
import { lenientAnswer } from "../../text/answer.ts";
import type { LabelExtractor } from "./file-answers.ts";

/** As officially; and for a model that thinks before it answers. */
const maxTokens = 512;
const maxTokensThinking = 4096;
const numAtOnce = 8;
/** So many useless replies, more than half of all, end the extraction before the rest is asked. */
const mostUnread = 50;

/** Its words are part of the cache's key: another wording is another question. */
const question =
  "You are an expert on emotions. The text below describes a person in a video. Find the main character, the one about whom the " +
  "text says most, and name the emotions of that character that the text clearly states, as a comma-separated list of words in " +
  "square brackets. Leave out what is only guessed. Where no emotion is clear, answer []. Answer with the list and nothing else.\n" +
  "Text: The man frowns and raises his voice, which shows that he is angry and dissatisfied. -> [angry, dissatisfied]\n" +
  "Text: A woman sits at a table and reads. -> []\n";

const nothing = (): void => undefined;

/**
 * @param stageOf told how many texts are asked about, as progress goes
 * @throws OppoError ERR_SCORE_EXTRACT, ERR_ENDPOINT and its siblings; what was answered is kept
 */
export function endpointExtractor(
  options: EndpointOptions,
  stageOf: (numTexts: number) => Pick<Stage, "advance" | "finish"> = () => ({ advance: nothing, finish: nothing }),
): LabelExtractor & Disposable & { statistics(): EndpointStatistics } {
  const numTogether = options.concurrency ?? numAtOnce;
  const client = openChatClient({ ...options, concurrency: numTogether });
  const tally = { seen: 0, unread: 0 };
  const ask = async (text: string, stage: Pick<Stage, "advance">): Promise<string | null> => {
    const labels = await labelsIn(text);
    tally.seen++;
    if (labels.list === null && ++tally.unread >= mostUnread && 2 * tally.unread > tally.seen) {
      throw hopeless(client.name, tally, labels.reply);
    }
    stage.advance(`${tally.unread} unreadable replies`);
    return labels.list;
  };
  const labelsIn = async (text: string): Promise<{ list: string | null; reply: string }> => {
    const messages = [{ role: "user", content: `${question}Text: ${text.replace(/\s+/g, " ")} ->` }] as const;
    const put = (limit: number) => client.chat({ messages, maxTokens: limit, temperature: 0 });
    try {
      const first = await put(maxTokens);
      const reply = first.finish === "length" && /<think/i.test(first.text) ? await put(maxTokensThinking) : first;
      return { list: listIn(reply), reply: reply.text };
    } catch (error) {
      // Too long, or of what the server does not take: the next text may be fine.
      if (!(error instanceof OppoError && error.code === "ERR_ENDPOINT_REJECTED")) throw error;
      return { list: null, reply: error.message };
    }
  };
  return {
    name: client.name,
    extract: async (texts) => {
      const stage = stageOf(texts.length);
      const labels = await askAll(texts, numTogether, (text) => ask(text, stage));
      stage.finish();
      return labels;
    },
    statistics: () => client.statistics(),
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}

/** The one bracketed list of a reply, or a reply that is a bare list of words; null for anything else. */
function listIn(reply: ChatReply): string | null {
  const text = cleanReply(lenientAnswer(reply.text)).replace(/^\[\s*\[|\]\s*\]$/g, (brackets) => brackets[0]!);
  const lists = text.match(/\[[^[\]]*\]/g) ?? [];
  if (lists.length > 0) return lists.length === 1 ? lists[0]! : null;
  const isWords =
    text !== "" &&
    text.split(",").every((label) => /^\s*[\p{L}\p{M}'\u2019-]+(?: [\p{L}\p{M}'\u2019-]+){0,2}\.?\s*$/u.test(label));
  return isWords ? `[${text.replace(/\.$/, "")}]` : null;
}

const maxShown = 120;

function hopeless(name: string, { seen, unread }: { seen: number; unread: number }, reply: string): OppoError {
  return new OppoError(
    "ERR_SCORE_EXTRACT",
    `${name}: expected lists of labels such as [angry, sad], got something else in ${unread} of the first ${seen} replies, such as ` +
      `${JSON.stringify(reply.slice(0, maxShown))}. Take another model; what was answered is kept.`,
  );
}
