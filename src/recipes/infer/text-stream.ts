// Generated tokens while they come: their text, and how fast they are.
import type { OmniModel } from "../../models/omni-model.ts";

/** When tokens came. */
export class TokenClock {
  first = Number.NaN;
  #last = Number.NaN;
  #count = 0;

  tick(): void {
    this.#last = performance.now();
    if (this.#count++ === 0) this.first = this.#last;
  }

  rate(): number | null {
    return this.#count < 2 ? null : (this.#count - 1) / seconds(this.first, this.#last);
  }
}

const millisecondsPerSecond = 1000;

export function seconds(from: number, to: number): number {
  return (to - from) / millisecondsPerSecond;
}

/** Text of ids as they come: a character whose bytes are spread over tokens appears with its last one. */
export class TextStream {
  readonly #model: OmniModel;
  readonly #onText: (text: string) => void;
  readonly #ids: number[] = [];
  #numShown = 0;

  constructor(model: OmniModel, onText: (text: string) => void) {
    this.#model = model;
    this.#onText = onText;
  }

  push(id: number): void {
    this.#ids.push(id);
    // What ends in replacement characters may still become something else.
    this.#show(this.#text().replace(/\uFFFD+$/, ""));
  }

  /** Shows what was held back. */
  finish(): void {
    this.#show(this.#text());
  }

  #text(): string {
    return this.#model.decodePieces(Int32Array.from(this.#ids)).join("");
  }

  #show(text: string): void {
    if (text.length <= this.#numShown) return;
    this.#onText(text.slice(this.#numShown));
    this.#numShown = text.length;
  }
}
