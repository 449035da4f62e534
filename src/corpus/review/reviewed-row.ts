// A row of a corpus after its review, in the row's own layout: its keys as they were, its cues as they stand, and in its extras what
// was decided, so that every program that reads the corpus reads it.
import { type FieldMap, keyOf } from "../../data/row-fields.ts";
import type { Cue } from "../../evidence/cue.ts";
import { cueKey, type Decision } from "./decision.ts";
import type { JudgedCue, Reviews, Verdict } from "./reviews.ts";

export interface RowChoice {
  /** Whose decisions count; null: everybody's, of two the later one. */
  readonly by: string | null;
  readonly fields: FieldMap;
}

/** A row as JSON gave it, and what of it is a sample. */
export interface ReviewedSample {
  readonly row: Readonly<Record<string, unknown>>;
  readonly id: string;
  readonly cues: readonly Cue[];
}

export function reviewedRow(
  { row, id, cues }: ReviewedSample,
  reviews: Reviews,
  { by, fields }: RowChoice,
): Record<string, unknown> {
  const isAsked = (one: string) => by === null || one === by;
  const standing = reviews.standing(id).filter((decision) => isAsked(decision.by));
  if (standing.length === 0) return { ...row };
  const judged = reviews.judged(id, cues).filter(({ addedBy }) => addedBy.length === 0 || addedBy.some(isAsked));
  const kept = new Map<string, Cue>();
  for (const one of judged) {
    const cue = outcome(one, isAsked);
    if (cue !== null) kept.set(cueKey(cue), cue);
  }
  const [cuesAt, metaAt] = [keyOf(row, "cues", fields) ?? "cues", keyOf(row, "meta", fields) ?? "meta"];
  const review = {
    by: [...new Set(standing.map((decision) => decision.by))],
    isDisagreed: reviews.isDisagreed(id),
    decisions: standing.map(plain),
  };
  const meta = (row[metaAt] ?? {}) as Readonly<Record<string, unknown>>;
  return {
    ...row,
    [cuesAt]: [...kept.values()].map((cue) => original(row[cuesAt], cue)),
    [metaAt]: { ...meta, review },
  };
}

/** What becomes of a cue: itself, another one, or nothing. */
function outcome({ cue, verdicts }: JudgedCue, isAsked: (by: string) => boolean): Cue | null {
  const last: Verdict | undefined = verdicts.filter(({ by }) => isAsked(by)).at(-1);
  if (last === undefined || last.act === "accept") return cue;
  return last.act === "reject" ? null : last.to!;
}

/** A cue as the row has it, with whatever else it says of it; a new one as it is. */
function original(list: unknown, cue: Cue): unknown {
  const same = (one: unknown) => (one as Cue | null)?.kind === cue.kind && (one as Cue).text === cue.text;
  return (Array.isArray(list) ? list.find(same) : undefined) ?? cue;
}

function plain({ by, at, act, cue, to }: Decision) {
  return { by, at, act, cue, ...(to === undefined ? {} : { to }) };
}
