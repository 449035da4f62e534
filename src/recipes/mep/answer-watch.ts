// Ends a run whose answers nobody can read, before hours are spent on it: fifty in a row, or more than half of the first
// hundred, of the probes or of the free reasonings. What was answered is kept.
import type { AnswerStyle } from "../../bench/faithfulness.ts";
import { countReadings, type Reading, readingOfReasoning, readingOfVerdict } from "../../bench/reading.ts";
import type { Query } from "../../bench/respondent.ts";
import { OppoError } from "../../error.ts";

export const defaultMostInRow = 50;
const firstAnswers = 100;
const numShown = 3;
const longestShown = 120;

export interface AnswerWatchOptions {
  readonly style: AnswerStyle;
  /** The question that asks for a reasoning; every other one is a probe. */
  readonly reasoningPrompt: string;
  /** So many in a row end the run; 0: nothing does. */
  readonly mostInRow: number;
}

/** Looks at answers as they come. */
export class AnswerWatch {
  readonly #options: AnswerWatchOptions;
  readonly #seen = { probes: new Tally(), reasonings: new Tally() };

  constructor(options: AnswerWatchOptions) {
    this.#options = options;
  }

  /** @throws OppoError ERR_MEP_UNREADABLE with a sample of what came */
  look({ prompt }: Query, text: string): void {
    const { style, reasoningPrompt, mostInRow } = this.#options;
    const kind = prompt === reasoningPrompt ? "reasonings" : "probes";
    const reading = kind === "probes" ? readingOfVerdict(text, style) : readingOfReasoning(text);
    const tally = this.#seen[kind];
    tally.add(reading, text);
    if (tally.isHopeless(mostInRow)) throw unreadable(kind, tally, style);
  }
}

class Tally {
  numSeen = 0;
  numInRow = 0;
  readonly unread: Reading[] = [];
  readonly samples = new Set<string>();

  add(reading: Reading, text: string): void {
    this.numSeen++;
    if (reading === "readable") {
      this.numInRow = 0;
      return;
    }
    this.numInRow++;
    this.unread.push(reading);
    if (this.samples.size < numShown) this.samples.add(text.slice(0, longestShown));
  }

  isHopeless(mostInRow: number): boolean {
    if (mostInRow === 0) return false;
    return this.numInRow >= mostInRow || (this.numSeen === firstAnswers && this.unread.length > firstAnswers / 2);
  }
}

function unreadable(kind: "probes" | "reasonings", { numSeen, unread, samples }: Tally, style: AnswerStyle): OppoError {
  const reasons = Object.entries(countReadings(unread)).map(([reading, count]) => `${count} ${reading}`);
  const expected = kind === "probes" ? "a readable yes or no" : "a reasoning";
  const hint =
    kind === "probes" && style === "tagged"
      ? "--answer-style free is for models that were not taught think and answer tags"
      : "Look at the model, and at --max-new-tokens";
  return new OppoError(
    "ERR_MEP_UNREADABLE",
    `mep run: expected ${expected} to most questions, got ${unread.length} of ${numSeen} answers that are none (${reasons.join(", ")}), such as ` +
      `${[...samples].map((text) => JSON.stringify(text)).join(", ")}. ${hint}; --max-unreadable 0 asks on. What was answered is kept.`,
  );
}
