// A model behind an OpenAI-compatible server as the respondent of MEP-Bench. Before anything is asked, three small requests
// find out whether the server takes video and sound at all: a model that never saw the clip must not get a score for it.
import type { Query, Respondent } from "../../bench/respondent.ts";
import type { Sample } from "../../data/sample.ts";
import { askAll } from "../../endpoint/ask-all.ts";
import {
  type ChatClient,
  type ChatMessage,
  type ChatPart,
  type LazyChatRequest,
  wholeText,
} from "../../endpoint/chat.ts";
import { OppoError } from "../../error.ts";
import type { Modality } from "../../media/clip.ts";
import { type PartSource, viewKey, viewParts } from "./media-parts.ts";

export interface EndpointRespondentOptions extends PartSource {
  readonly client: ChatClient;
  readonly maxNewTokens: number;
  /** Questions under way at once, at least as many as the client's requests. */
  readonly concurrency: number;
  /** The user turn for a question about a sample (it may quote the subtitle). */
  readonly promptText: (sample: Sample, question: string) => string;
  /** Further fields of every request. */
  readonly extra: Readonly<Record<string, unknown>> | null;
  readonly onAnswer?: (query: Query, text: string) => void;
  /** Gets what a reader of the scores should know, by name of the clip. */
  readonly incidents?: Incidents;
}

/** Questions that the server refused (too long, a part that it does not take), and answers whose tokens went into thoughts. */
export interface Incidents {
  readonly refused: string[];
  readonly cutOff: string[];
  /** More refusals end the run. */
  readonly maxRefused: number;
}

const refusedShare = 0.02;
const fewestTolerated = 10;

export function noIncidents(numQuestions: number): Incidents {
  return { refused: [], cutOff: [], maxRefused: Math.max(fewestTolerated, Math.ceil(refusedShare * numQuestions)) };
}

export function endpointRespondent(options: EndpointRespondentOptions): Respondent {
  const { client, concurrency, onAnswer } = options;
  return {
    name: client.name,
    respond: (queries) =>
      askAll(queries, concurrency, async (query) => {
        const text = await ask(query, options);
        onAnswer?.(query, text);
        return text;
      }),
  };
}

/** The whole text, thoughts in their tags; empty where the server refuses this one question. */
async function ask({ prompt, view }: Query, options: EndpointRespondentOptions): Promise<string> {
  const { refused, cutOff, maxRefused } = options.incidents ?? noIncidents(0);
  const text = options.promptText(view.sample, prompt);
  const messages = async () => userTurn([...(await viewParts(view, options)), { type: "text", text }]);
  try {
    const reply = await options.client.chat(requestOf(viewKey(view, text, options), messages, options));
    if (reply.finish === "length" && reply.text.trim() === "") cutOff.push(view.sample.id);
    return wholeText(reply);
  } catch (error) {
    if (!(error instanceof OppoError) || error.code !== "ERR_ENDPOINT_REJECTED") throw error;
    refused.push(view.sample.id);
    if (refused.length <= maxRefused) return "";
    throw new OppoError(
      error.code,
      `${view.sample.id}: ${error.message} It is the ${refused.length}th question that was refused, of at most ${maxRefused}. What was answered is kept; a set without this clip, or a server with a longer context, goes on.`,
      { cause: error },
    );
  }
}

const mostNamed = 5;

/** The order in which answers came makes no difference. */
export function incidentNotes({ refused, cutOff }: Incidents): string[] {
  const named = (ids: readonly string[]) => {
    const distinct = [...new Set(ids)].sort();
    const more = distinct.length > mostNamed ? ` and ${distinct.length - mostNamed} more clips` : "";
    return `${distinct.slice(0, mostNamed).join(", ")}${more}`;
  };
  return [
    ...(refused.length > 0
      ? [`${refused.length} questions were refused by the server and count as empty answers: ${named(refused)}`]
      : []),
    ...(cutOff.length > 0
      ? [
          `${cutOff.length} answers are empty because thoughts used up their tokens (raise --max-new-tokens, or switch thinking off with --extra): ${named(cutOff)}`,
        ]
      : []),
  ];
}

function requestOf(
  contentKey: string,
  messages: LazyChatRequest["messages"],
  { maxNewTokens, extra }: Pick<EndpointRespondentOptions, "maxNewTokens" | "extra">,
): LazyChatRequest {
  return { contentKey, messages, maxTokens: maxNewTokens, temperature: 0, ...(extra === null ? {} : { extra }) };
}

function userTurn(content: readonly ChatPart[]): ChatMessage[] {
  return [{ role: "user", content }];
}

const preflightQuestion = "Answer with one word: yes.";
const preflightTokens = 8;

/**
 * Asks with text alone, then with a video, then with sound: each must be taken, and must make the prompt longer.
 * @returns notes for the report
 * @throws OppoError ERR_MEP_MODALITY when the server takes no video or no sound
 */
export async function preflight(
  sample: Sample,
  options: Omit<EndpointRespondentOptions, "incidents">,
): Promise<string[]> {
  const { client } = options;
  const shown = { ...options, masked: "dropped" as const, maxNewTokens: preflightTokens };
  const put = (view: { video: Sample | null; audio: Sample | null }) => {
    const whole = { sample, ...view };
    const key = `preflight ${viewKey(whole, preflightQuestion, shown)}`;
    const messages = async () =>
      userTurn([...(await viewParts(whole, shown)), { type: "text", text: preflightQuestion }]);
    return client.chat(requestOf(key, messages, shown));
  };
  const bare = await put({ video: null, audio: null });
  let isCounted = bare.promptTokens !== null;
  for (const modality of ["video", "audio"] as const) {
    const view = { video: null, audio: null, [modality]: sample };
    const reply = await put(view).catch((error: unknown) => {
      if (!(error instanceof OppoError) || !mayMeanUnsupported.has(error.code)) throw error;
      throw unsupported(client, modality, `a refusal: ${error.message}`);
    });
    if (reply.promptTokens === null || bare.promptTokens === null) isCounted = false;
    else if (reply.promptTokens <= bare.promptTokens) {
      throw unsupported(
        client,
        modality,
        `the part left out: the prompt has ${reply.promptTokens} tokens with it and ${bare.promptTokens} without`,
      );
    }
  }
  return isCounted
    ? []
    : ["the server does not count prompt tokens: that it looked at video and sound could not be checked"];
}

/** The text alone was taken just before, so a failure is about the part. */
const mayMeanUnsupported: ReadonlySet<string> = new Set(["ERR_ENDPOINT", "ERR_ENDPOINT_REJECTED"]);

function unsupported(client: ChatClient, modality: Modality, got: string): OppoError {
  const part = modality === "video" ? "video_url" : "input_audio";
  return new OppoError(
    "ERR_MEP_MODALITY",
    `${client.name}: expected a model that takes ${modality} (a part of type "${part}"), got ${got} No score is given to a model that cannot ${modality === "video" ? "see" : "hear"} the clips; serve an omni-modal one.`,
  );
}
