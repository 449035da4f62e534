// Questions of one place in the page, of which the last one counts: a key that is held asks for more than a server answers. Two are
// under way at a time and one waits; what comes is shown as it comes, never an older answer after a newer one, so that the page
// goes on moving and ends with what was asked last.
import { takeAhead } from "./ahead.ts";

const maxUnderWay = 2;

export type Told<T> =
  | { readonly value: T; readonly problem: null }
  | { readonly value: null; readonly problem: string };

interface Question {
  readonly number: number;
  readonly path: string;
  readonly version: unknown;
}

export class Latest<T> {
  readonly #ask: (path: string, signal: AbortSignal) => Promise<T>;
  readonly #tell: (told: Told<T>) => void;
  readonly #gone = new AbortController();
  #waiting: Question | null = null;
  #numUnderWay = 0;
  #lastAsked = 0;
  #lastTold = 0;

  constructor(ask: (path: string, signal: AbortSignal) => Promise<T>, tell: (told: Told<T>) => void) {
    this.#ask = ask;
    this.#tell = tell;
  }

  /** null: nothing is asked any more. */
  want(path: string | null, version: unknown): void {
    const number = ++this.#lastAsked;
    this.#waiting = null;
    if (path === null) {
      this.#lastTold = number;
      return;
    }
    const ahead = takeAhead<T>(path, version);
    if (ahead === null) {
      this.#waiting = { number, path, version };
      this.#next();
    } else if (ahead.answer !== null) this.#told(number, { value: ahead.answer.value, problem: null });
    else {
      const anew = () => this.#ask(path, this.#gone.signal);
      this.#under(number, ahead.coming.catch(anew));
    }
  }

  /** What is under way is broken off. */
  close(): void {
    this.#waiting = null;
    this.#gone.abort();
  }

  #next(): void {
    const question = this.#waiting;
    if (question === null || this.#numUnderWay >= maxUnderWay) return;
    this.#waiting = null;
    this.#under(question.number, this.#ask(question.path, this.#gone.signal));
  }

  #under(number: number, coming: Promise<T>): void {
    this.#numUnderWay++;
    coming
      .then(
        (value) => this.#told(number, { value, problem: null }),
        // What nobody waits for any more may fail.
        (error: Error) => number === this.#lastAsked && this.#told(number, { value: null, problem: error.message }),
      )
      .finally(() => {
        this.#numUnderWay--;
        this.#next();
      });
  }

  #told(number: number, told: Told<T>): void {
    if (number < this.#lastTold || this.#gone.signal.aborted) return;
    this.#lastTold = number;
    this.#tell(told);
  }
}
