// Decisions on their way: kept in this browser until the server has them on its disk, sent again while it does not answer, one after
// another. Each has a name of its own, so that one that did arrive is not taken twice.
import { useEffect, useState } from "preact/hooks";
import type { DecisionAnswer, DecisionRequest } from "../../src/serve/studio/data/data-api.ts";

export interface Waiting {
  readonly corpus: string;
  readonly request: DecisionRequest;
}

/** A decision that is on the server's disk, as the so manieth line of the journal. */
export interface Arrived extends Waiting {
  readonly total: number;
}

export interface Pending {
  readonly waiting: readonly Waiting[];
  /** Those of the last seconds: what is shown may rest on an older journal. */
  readonly arrived: readonly Arrived[];
  /** Why the last try failed; null where it did not. */
  readonly problem: string | null;
}

const place = "oppo-studio-decisions";
const retryMilliseconds = 1000;
const arrivedMilliseconds = 10_000;

const listeners = new Set<() => void>();
const arrivals = new Set<(corpus: string, answer: DecisionAnswer) => void>();
let arrivedLately: readonly Arrived[] = [];
let problem: string | null = null;
let isSending = false;
let counter = 0;

/** Each under a key of its own: two tabs must not write over each other's. */
function waiting(): { readonly key: string; readonly one: Waiting }[] {
  return Object.keys(localStorage)
    .filter((key) => key.startsWith(`${place}/`))
    .sort()
    .flatMap((key) => {
      try {
        return [{ key, one: JSON.parse(localStorage.getItem(key)!) as Waiting }];
      } catch {
        localStorage.removeItem(key);
        return [];
      }
    });
}

export function decide(corpus: string, decision: Omit<DecisionRequest, "id">): void {
  const random = crypto.getRandomValues(new Uint32Array(2));
  const id = `${Date.now().toString(36)}-${(counter++).toString(36).padStart(3, "0")}-${[...random].map((one) => one.toString(36)).join("")}`;
  localStorage.setItem(`${place}/${id}`, JSON.stringify({ corpus, request: { id, ...decision } } satisfies Waiting));
  tell();
  void send();
}

async function send(): Promise<void> {
  if (isSending) return;
  isSending = true;
  try {
    for (let next = waiting()[0]; next !== undefined; next = waiting()[0]) {
      const { key, one } = next;
      const response = await fetch(`/api/corpora/${one.corpus}/decisions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(one.request),
      });
      const body = (await response.json()) as DecisionAnswer & { error?: { message?: string } };
      // A decision that the server will never take is told and let go; anything else is tried again.
      if (!response.ok && response.status !== 400) throw new Error(body.error?.message ?? `status ${response.status}`);
      localStorage.removeItem(key);
      if (response.ok) keepAwhile({ ...one, total: body.total });
      problem = response.ok ? null : (body.error?.message ?? "not taken");
      tell();
      if (response.ok) for (const arrived of arrivals) arrived(one.corpus, body);
    }
  } catch (error) {
    problem = error instanceof TypeError ? "The studio's server does not answer." : (error as Error).message;
    tell();
    setTimeout(() => void send(), retryMilliseconds);
  } finally {
    isSending = false;
  }
}

function keepAwhile(one: Arrived): void {
  arrivedLately = [...arrivedLately, one];
  setTimeout(() => {
    arrivedLately = arrivedLately.filter((other) => other !== one);
  }, arrivedMilliseconds);
}

const stateNow = (): Pending => ({ waiting: waiting().map(({ one }) => one), arrived: arrivedLately, problem });

function tell(): void {
  for (const listener of listeners) listener();
}

/** @param onArrival told of every decision that is on the server's disk */
export function usePending(onArrival: (corpus: string, answer: DecisionAnswer) => void): Pending {
  const [state, setState] = useState<Pending>(stateNow);
  useEffect(() => {
    const listener = () => setState(stateNow());
    listeners.add(listener);
    void send();
    return () => void listeners.delete(listener);
  }, []);
  useEffect(() => {
    arrivals.add(onArrival);
    return () => void arrivals.delete(onArrival);
  }, [onArrival]);
  return state;
}
