// The paper's way from a reasoning to what it states: a language model takes the cues out, or rules do where there is none;
// every phrase is checked against the text (src/evidence/extraction). A reasoning that could not be taken apart is named and
// counts in no score of cues; too many of them end the run.
import type { MepResult } from "../../bench/mep.ts";
import { reasoningParts } from "../../bench/mep.ts";
import type { Decompose, Decomposition } from "../../bench/statements.ts";
import { askAll } from "../../endpoint/ask-all.ts";
import { openChatClient } from "../../endpoint/chat-client.ts";
import type { EndpointOptions } from "../../endpoint/endpoint-options.ts";
import { OppoError } from "../../error.ts";
import { cueLexiconVersion } from "../../evidence/extraction/cue-lexicon.ts";
import { type AskOptions, type CueExtraction, extractCues } from "../../evidence/extraction/extract-cues.ts";
import { extractOffline } from "../../evidence/extraction/extract-offline.ts";
import { promptVersion } from "../../evidence/extraction/prompt.ts";
import type { Interrupt } from "../../run/interrupt.ts";
import type { Progress } from "../../run/progress.ts";
import { reasoningSpan } from "../../text/answer.ts";

export interface DecomposeOptions {
  /** A language model behind a server, or the rules. */
  readonly by: EndpointOptions | "offline";
  /** How a model is asked. */
  readonly ask?: AskOptions;
  /** Reasonings that cannot be taken apart to tolerate; null: 2 in 100, and 10 at least. */
  readonly maxSkipped: number | null;
}

export const statementsAreClauses = "clauses";

/** As results are stamped. Example: "Qwen/Qwen2.5-7B-Instruct, prompt cues-1" */
export function statementsName(options: DecomposeOptions | null): string {
  if (options === null) return statementsAreClauses;
  if (options.by === "offline") return `offline rules, no model, ${cueLexiconVersion}`;
  const extra = options.ask?.extra;
  return `${options.by.model}, prompt ${promptVersion}${extra === undefined ? "" : `, ${JSON.stringify(extra)}`}`;
}

const defaultConcurrency = 8;
const skippedShare = 0.02;
const fewestTolerated = 10;
/** More phrases than this that are not in their reasoning are said beside the scores. */
const droppedShare = 0.05;

/** @param notes gets a line where many phrases were left out */
export function decomposer(
  { by, ask, maxSkipped }: DecomposeOptions,
  notes: string[],
  { progress, interrupt }: { readonly progress: Progress; readonly interrupt: Interrupt },
): Decompose {
  return async (responses) => {
    using client = by === "offline" ? null : openChatClient(by);
    const extract = async (text: string) => (client === null ? extractOffline(text) : extractCues(client, text, ask));
    const limit = maxSkipped ?? Math.max(fewestTolerated, Math.ceil(skippedShare * responses.length));
    const timesGiven = new Map<string, number>();
    for (const response of responses) timesGiven.set(response, (timesGiven.get(response) ?? 0) + 1);
    const counts = { kept: 0, dropped: 0, skipped: 0 };
    const stage = progress.stage("statements", timesGiven.size);
    const concurrency = by === "offline" ? 1 : (by.concurrency ?? defaultConcurrency);
    const read = await askAll([...timesGiven], concurrency, async ([response, times]) => {
      await interrupt.safePoint();
      const { decomposition, numDropped } = await takeApart(response, extract);
      counts.kept += decomposition.statements.length;
      counts.dropped += numDropped;
      if (decomposition.problem !== null) counts.skipped += times;
      if (counts.skipped > limit) throw tooManySkipped(response, decomposition.problem!, limit);
      stage.advance();
      return [response, decomposition] as const;
    });
    stage.finish();
    if (counts.dropped > droppedShare * (counts.kept + counts.dropped)) {
      notes.push(
        `statements: ${counts.dropped} of ${counts.kept + counts.dropped} phrases that were taken out of reasonings do not stand in them, or are no short phrases, and are left out`,
      );
    }
    const byResponse = new Map(read);
    return responses.map((response) => byResponse.get(response)!);
  };
}

/** Who says nothing states nothing; that is no fault of the language model. Conclusions are no cues to be recalled. */
async function takeApart(
  response: string,
  extract: (text: string) => Promise<CueExtraction>,
): Promise<{ readonly decomposition: Decomposition; readonly numDropped: number }> {
  const span = reasoningSpan(response);
  const text = response.slice(span.start, span.end);
  if (text.trim() === "") return { decomposition: { statements: [], problem: null }, numDropped: 0 };
  const { cues, dropped, problem } = await extract(text);
  const statements = cues
    .filter(({ kind }) => kind !== "emotion")
    .map((cue) => ({ text: cue.text, chars: { start: span.start + cue.start, end: span.start + cue.end } }));
  return {
    decomposition: { statements, problem },
    numDropped: dropped.filter(({ kind, reason }) => kind !== "emotion" && reason !== "repeated").length,
  };
}

const longestShown = 80;

function tooManySkipped(response: string, problem: string, limit: number): OppoError {
  return new OppoError(
    "ERR_MEP_STATEMENTS",
    `mep run: expected at most ${limit} reasonings that cannot be taken apart, got one more: ${problem}, for ` +
      `${JSON.stringify(response.slice(0, longestShown))}. Look at the answers or try another model; --max-skipped raises ` +
      "the limit. What was answered is kept.",
  );
}

const mostNamed = 3;

/** Example: "statements: 2 of 40 reasonings could not be taken apart (2 refused by the model): a12 intact, a13 maskedVideo; ..." */
export function unreadNotes({ reasonings }: Pick<MepResult, "reasonings">): string[] {
  const all = reasoningParts.flatMap((part) => reasonings[part].map((reasoning) => ({ part, ...reasoning })));
  const unread = all.filter(({ decomposition }) => decomposition.problem !== null);
  if (unread.length === 0) return [];
  const problems = new Map<string, number>();
  for (const { decomposition } of unread) {
    problems.set(decomposition.problem!, (problems.get(decomposition.problem!) ?? 0) + 1);
  }
  const reasons = [...problems].map(([problem, count]) => `${count} ${problem}`).sort();
  const named = unread.slice(0, mostNamed).map(({ part, view }) => `${view.sample.id} ${part}`);
  const more = unread.length > mostNamed ? ` and ${unread.length - mostNamed} more` : "";
  return [
    `statements: ${unread.length} of ${all.length} reasonings could not be taken apart (${reasons.join(", ")}): ${named.join(", ")}${more}. They count in no score of cues`,
  ];
}
