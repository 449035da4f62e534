// The text of one sequence as its tokens come: characters whose bytes are spread over tokens appear with the last one, and
// what may be the beginning of a stop string is held back until it is clear.

export class SequenceText {
  readonly #decode: (ids: Int32Array) => readonly string[];
  readonly #stop: readonly string[];
  /** Ids that end within a character. */
  #open: number[] = [];
  #held = "";
  #shown = "";

  /** @param decode one text per id, joined the text of all */
  constructor(decode: (ids: Int32Array) => readonly string[], stop: readonly string[]) {
    this.#decode = decode;
    this.#stop = stop;
  }

  /** All that was shown so far. */
  get text(): string {
    return this.#shown;
  }

  /** @returns the text that can be shown now, and whether a stop string was reached (it is not shown itself) */
  push(id: number): { readonly text: string; readonly isStopped: boolean } {
    this.#open.push(id);
    const piece = this.#decode(Int32Array.from(this.#open)).join("");
    // What ends in replacement characters may still become something else.
    if (piece.endsWith("\uFFFD") && this.#open.length < maxOpenIds) return { text: "", isStopped: false };
    this.#open = [];
    this.#held += piece;
    const end = firstOf(this.#held, this.#stop);
    if (end >= 0) {
      const text = this.#show(end);
      this.#held = "";
      return { text, isStopped: true };
    }
    return { text: this.#show(this.#held.length - this.#partial()), isStopped: false };
  }

  /** Shows what was held back. */
  finish(): string {
    this.#held += this.#decode(Int32Array.from(this.#open)).join("");
    this.#open = [];
    return this.#show(this.#held.length);
  }

  #show(count: number): string {
    const text = this.#held.slice(0, count);
    this.#held = this.#held.slice(count);
    this.#shown += text;
    return text;
  }

  /** How much of the end may be the beginning of a stop string. */
  #partial(): number {
    let longest = 0;
    for (const stop of this.#stop) {
      for (let length = Math.min(stop.length - 1, this.#held.length); length > longest; length--) {
        if (this.#held.endsWith(stop.slice(0, length))) longest = length;
      }
    }
    return longest;
  }
}

/** No character has more bytes than this; more open ids are bytes that are no text. */
const maxOpenIds = 8;

/** Where the first of the strings begins; -1 without one. */
function firstOf(text: string, strings: readonly string[]): number {
  const found = strings.map((one) => text.indexOf(one)).filter((at) => at >= 0);
  return found.length === 0 ? -1 : Math.min(...found);
}
