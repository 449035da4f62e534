// Answers that will probably be asked for next, asked for before: a key that pages must not wait for the server. Few, and young: what
// they say may change. A key that is held guesses more than a server answers: two guesses are under way at a time, a few wait, and the
// oldest of those are let go of.
const maxKept = 12;
const maxAge = 10_000;
const maxUnderWay = 2;
const maxWaiting = 4;

interface Kept {
  readonly at: number;
  readonly version: unknown;
  /** It is the first asker's alone. */
  readonly isOnce: boolean;
  /** null: it has not been asked for yet. */
  coming: Promise<unknown> | null;
  answer: { readonly value: unknown } | null;
}

export interface Guess<T> {
  readonly path: string;
  readonly version?: unknown;
  readonly isOnce?: boolean;
  /** Told of the answer. */
  readonly then?: (value: T) => void;
}

type Ask = (path: string) => Promise<unknown>;

const kept = new Map<string, Kept>();
const waiting = new Map<string, () => void>();
let numUnderWay = 0;

/** Asks soon, unless it has been asked a moment ago. */
export function askAhead<T>(ask: Ask, { path, version = 0, isOnce = false, then }: Guess<T>): void {
  const known = kept.get(path);
  if (known !== undefined && known.version === version && performance.now() - known.at < maxAge) {
    if (known.answer !== null) then?.(known.answer.value as T);
    return;
  }
  const entry: Kept = { at: performance.now(), version, isOnce, coming: null, answer: null };
  kept.delete(path);
  kept.set(path, entry);
  if (kept.size > maxKept) forget(kept.keys().next().value!);
  waiting.set(path, () => {
    numUnderWay++;
    entry.coming = ask(path).finally(() => {
      numUnderWay--;
      next();
    });
    entry.coming.then(
      (value) => {
        entry.answer = { value };
        then?.(value as T);
      },
      // Whoever really asks is told.
      () => kept.get(path) === entry && kept.delete(path),
    );
  });
  if (waiting.size > maxWaiting) forget(waiting.keys().next().value!);
  next();
}

/** What is there, or on its way, of an answer; null where there is nothing. */
export function takeAhead<T>(
  path: string,
  version: unknown,
): { readonly answer: { readonly value: T } | null; readonly coming: Promise<T> } | null {
  const known = kept.get(path);
  if (known === undefined || known.version !== version || performance.now() - known.at > maxAge) return null;
  if (known.coming === null || known.isOnce) forget(path);
  return known.coming === null ? null : (known as { answer: { value: T } | null; coming: Promise<T> });
}

function next(): void {
  for (const [path, begin] of waiting) {
    if (numUnderWay >= maxUnderWay) return;
    waiting.delete(path);
    begin();
  }
}

function forget(path: string): void {
  waiting.delete(path);
  kept.delete(path);
}
