// What a response states, piece by piece: the clauses of its reasoning, or phrases that somebody takes out of it (in the paper
// a language model). Every score about cues rests on statements, whichever way they were read.

import { reasoningSpan } from "../text/answer.ts";
import type { Span } from "../text/clause.ts";
import { splitClauses } from "../text/clauses.ts";

export interface Statement {
  readonly text: string;
  /** Where it is stated: half-open, in UTF-16 units of the response. */
  readonly chars: Span;
}

export interface Decomposition {
  readonly statements: readonly Statement[];
  /** Why the statements could not be read, so that there being none means nothing; null when they stand. */
  readonly problem: string | null;
}

/** One decomposition per response, in order. */
export type Decompose = (responses: readonly string[]) => Promise<readonly Decomposition[]>;

/** Every clause of the reasoning is a statement; needs nothing, and always stands. */
export function clauseStatements(response: string): Decomposition {
  const clauses = splitClauses([response], reasoningSpan(response));
  return { statements: clauses.map(({ text, chars }) => ({ text, chars })), problem: null };
}

export const decomposeAtPunctuation: Decompose = async (responses) => responses.map(clauseStatements);
