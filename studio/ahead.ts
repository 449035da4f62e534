// Answers that will probably be asked for next, asked for before: a key that pages must not wait for the server. Few, and young: what
// they say may change.
const maxKept = 12;
const maxAge = 10_000;

interface Kept {
  readonly at: number;
  readonly version: unknown;
  answer: { readonly value: unknown } | null;
}

const kept = new Map<string, Kept>();

/** Asks now, unless it has been asked a moment ago. @param then told of the answer */
export async function askAhead<T>(
  ask: (path: string) => Promise<T>,
  path: string,
  version: unknown = 0,
  then: (value: T) => void = () => undefined,
): Promise<void> {
  const known = kept.get(path);
  if (known !== undefined && known.version === version && performance.now() - known.at < maxAge) {
    if (known.answer !== null) then(known.answer.value as T);
    return;
  }
  const entry: Kept = { at: performance.now(), version, answer: null };
  kept.delete(path);
  kept.set(path, entry);
  if (kept.size > maxKept) kept.delete(kept.keys().next().value!);
  try {
    const value = await ask(path);
    entry.answer = { value };
    then(value);
  } catch {
    // Whoever really asks is told.
    if (kept.get(path) === entry) kept.delete(path);
  }
}

/** An answer that is there already; null where there is none. */
export function takeAhead<T>(path: string, version: unknown): { readonly value: T } | null {
  const known = kept.get(path);
  if (known === undefined || known.version !== version || performance.now() - known.at > maxAge) return null;
  return known.answer as { readonly value: T } | null;
}
