// What a model said about a view of a clip, clause by clause: which clauses state a cue, and whether the clip has it.
import { type CueBank, matchCues } from "../bench/cue-bank.ts";
import { reasoningSpan } from "../bench/respondent.ts";
import type { Modality } from "../media/clip.ts";
import { splitClauses } from "../text/clauses.ts";
import { parseResponse } from "../text/response.ts";
import type { Narration, Segment } from "./report/data.ts";

export interface Narrated {
  readonly text: string;
  /** The shown clip's cues as bank indices. */
  readonly present: readonly number[];
  readonly masked: Modality | null;
}

export interface NarratedText {
  readonly narration: Narration;
  /** Bank indices of the cues that are stated. */
  readonly stated: readonly number[];
}

/** All texts in one look-up of their clauses. */
export async function narrateAll(bank: CueBank, items: readonly Narrated[]): Promise<NarratedText[]> {
  const clauses = items.map(({ text }) => splitClauses([text], reasoningSpan(text)));
  const matched = await matchCues(
    bank,
    clauses.flat().map((clause) => [clause.text]),
  );
  let next = 0;
  return items.map(({ text, present, masked }, i) => {
    const response = parseResponse(text);
    const segments: Segment[] = [];
    const stated: number[] = [];
    const span = reasoningSpan(text);
    let at = span.start;
    for (const clause of clauses[i]!) {
      const index = matched[next++]![0];
      if (index === undefined) continue;
      stated.push(index);
      const { kind } = bank.cues[index]!;
      if (clause.chars.start > at) segments.push({ text: text.slice(at, clause.chars.start) });
      const verdict = kind === masked ? "unseen" : present.includes(index) ? "present" : "absent";
      segments.push({ text: clause.text, claim: { kind, verdict } });
      at = clause.chars.end;
    }
    if (at < span.end) segments.push({ text: text.slice(at, span.end) });
    const { labels, wellFormed } = response;
    return { narration: { segments, answer: labels.join(", "), wellFormed }, stated };
  });
}
