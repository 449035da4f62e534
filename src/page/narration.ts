// What a model said about a view of a clip, statement by statement: which of them state a cue, and whether the clip has it.
import { type CueBank, matchCues } from "../bench/cue-bank.ts";
import { clauseStatements, type Statement } from "../bench/statements.ts";
import type { Modality } from "../media/clip.ts";
import { reasoningSpan } from "../text/answer.ts";
import { parseResponse } from "../text/response.ts";
import type { Narration, Segment } from "./data.ts";

export interface Narrated {
  readonly text: string;
  /** The shown clip's cues as bank indices. */
  readonly present: readonly number[];
  readonly masked: Modality | null;
  /** Left out: its clauses. */
  readonly statements?: readonly Statement[];
}

export interface NarratedText {
  readonly narration: Narration;
  /** Bank indices of the cues that are stated. */
  readonly stated: readonly number[];
}

/** All texts in one look-up of their statements. Of statements that share a word the first one is marked. */
export async function narrateAll(bank: CueBank, items: readonly Narrated[]): Promise<NarratedText[]> {
  const statements = items.map(({ text, statements = clauseStatements(text).statements }) =>
    [...statements].sort((a, b) => a.chars.start - b.chars.start),
  );
  const matched = await matchCues(
    bank,
    statements.flat().map(({ text }) => [text]),
  );
  let next = 0;
  return items.map(({ text, present, masked }, i) => {
    const response = parseResponse(text);
    const segments: Segment[] = [];
    const stated: number[] = [];
    const span = reasoningSpan(text);
    let at = span.start;
    for (const { chars } of statements[i]!) {
      const index = matched[next++]![0];
      if (index === undefined) continue;
      stated.push(index);
      if (chars.start < at) continue;
      const { kind } = bank.cues[index]!;
      if (chars.start > at) segments.push({ text: text.slice(at, chars.start) });
      const verdict = kind === masked ? "unseen" : present.includes(index) ? "present" : "absent";
      segments.push({ text: text.slice(chars.start, chars.end), claim: { kind, verdict } });
      at = chars.end;
    }
    if (at < span.end) segments.push({ text: text.slice(at, span.end) });
    const { labels, wellFormed } = response;
    return { narration: { segments, answer: labels.join(", "), wellFormed }, stated };
  });
}
