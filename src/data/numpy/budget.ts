// How much memory the values of one archive may take, counted before it is taken. A pickle can ask for a copy of the same
// list or bytes with every few of its own bytes, so it is what comes out that counts, not what went in.
import { archiveError } from "./archive-error.ts";

/** Bytes of a value's place in a list, and of the value itself where it is an object. */
const slotBytes = 8;
const objectBytes = 32;

export class ArchiveBudget {
  #bytes = 0;
  readonly #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Numbers or references. @throws DatasetError ERR_NPZ_TOO_LARGE */
  spendSlots(count: number, file: string): void {
    this.#spend(slotBytes * count, file);
  }

  /** A text or byte string. @throws DatasetError ERR_NPZ_TOO_LARGE */
  spendText(length: number, file: string): void {
    this.#spend(objectBytes + 2 * length, file);
  }

  #spend(bytes: number, file: string): void {
    this.#bytes += bytes;
    if (this.#bytes <= this.#maxBytes) return;
    throw archiveError(
      "ERR_NPZ_TOO_LARGE",
      file,
      `expected values of at most ${this.#maxBytes} bytes, got more`,
      "It may be made to fill the memory; if it is yours, split it.",
    );
  }
}
