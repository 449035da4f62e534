// A clause of a reasoning: the unit that cues are matched with (u_k of Eq. 1).

/** Half-open span [start, end). */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Example: `{ text: "a furrowed brow", chars: {start: 28, end: 43}, tokens: {start: 7, end: 10} }` */
export interface Clause {
  readonly text: string;
  /** Character span in the completion's text. */
  readonly chars: Span;
  /** Token span in the completion's ids; a token belongs to the clause that holds its first non-space character. */
  readonly tokens: Span;
}
