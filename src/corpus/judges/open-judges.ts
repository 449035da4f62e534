// The judged terms of a run, with the client that asks for them.
import { openChatClient } from "../../endpoint/chat-client.ts";
import type { EndpointOptions } from "../../endpoint/endpoint-options.ts";
import { OppoError } from "../../error.ts";
import type { JudgedTerm } from "../../rl/rewards/judged.ts";
import { judgedTerms, type WeightedJudgement } from "./judged-terms.ts";

export interface OpenedJudges extends Disposable {
  /** Empty where none are asked for. */
  readonly terms: readonly JudgedTerm[];
}

const defaultConcurrency = 8;
/** For a judge that thinks before it replies. */
const maxTokens = 2048;

/**
 * @param endpoint the judge; null: there is none
 * @throws OppoError ERR_REWARD_JUDGE where terms are asked for and there is no judge, ERR_ENDPOINT_URL and its siblings
 */
export function openJudges(
  { judged, maxUnjudged }: { readonly judged: readonly WeightedJudgement[]; readonly maxUnjudged: number },
  endpoint: EndpointOptions | null,
): OpenedJudges {
  if (judged.length === 0) return { terms: [], [Symbol.dispose]: () => undefined };
  if (endpoint === null) {
    const names = judged.map(({ name }) => name).join(", ");
    throw new OppoError(
      "ERR_REWARD_JUDGE",
      `reward.judged: expected a judge for ${names}, got none. Name a server with --judge URL#MODEL.`,
    );
  }
  const client = openChatClient(endpoint);
  const concurrency = endpoint.concurrency ?? defaultConcurrency;
  return {
    terms: judgedTerms(judged, { client, concurrency, maxMissing: maxUnjudged, maxTokens }),
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}
