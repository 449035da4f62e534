// The samples that were loaded so far, in an order that stays while one works: pages name the decisions that it rests on.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { SampleEntry, SamplePage } from "../../src/serve/studio/data/data-api.ts";
import { ask } from "../server.ts";

const pageSize = 24;
const maxPage = 100;

export interface LoadedSamples {
  readonly entries: readonly SampleEntry[];
  readonly total: number;
  readonly counts: SamplePage["counts"] | null;
  readonly problem: string | null;
  readonly isLoading: boolean;
  /** Loads the next page; does nothing while one is on its way, or where there is none. */
  more(): void;
  /** Puts what is known anew of one sample in its place. */
  put(entry: SampleEntry): void;
  /** Asks again for the states of what is loaded; the order stays. */
  refresh(): Promise<void>;
}

interface Loaded {
  readonly query: string;
  readonly at: number | null;
  readonly entries: readonly SampleEntry[];
  readonly page: SamplePage | null;
  readonly problem: string | null;
}

const none = (query: string): Loaded => ({ query, at: null, entries: [], page: null, problem: null });

/** @param query what is asked for, and by whom; another one begins anew */
export function useSamples(corpus: string, query: string): LoadedSamples {
  const whole = `/api/corpora/${corpus}/samples?${query}`;
  const [loaded, setLoaded] = useState<Loaded>(() => none(whole));
  const latest = useRef(loaded);
  latest.current = loaded.query === whole ? loaded : none(whole);
  const [isLoading, setLoading] = useState(false);
  const busy = useRef<string | null>(null);
  const load = useCallback(
    async (offset: number, limit: number) => {
      if (busy.current === whole) return;
      busy.current = whole;
      setLoading(true);
      const { at } = latest.current;
      try {
        const page = await ask<SamplePage>(`${whole}&offset=${offset}&limit=${limit}${at === null ? "" : `&at=${at}`}`);
        if (busy.current !== whole) return;
        const known = latest.current.entries;
        const entries = [...known.slice(0, offset), ...page.entries, ...known.slice(offset + page.entries.length)];
        setLoaded({ query: whole, at: page.at, entries, page, problem: null });
        // The corpus is still being read: what there is now is not all.
        if (!page.isWhole) setTimeout(() => void load(offset, limit), 300);
      } catch (error) {
        if (busy.current === whole) setLoaded({ ...latest.current, problem: (error as Error).message });
      } finally {
        if (busy.current === whole) {
          busy.current = null;
          setLoading(false);
        }
      }
    },
    [whole],
  );
  useEffect(() => {
    void load(0, pageSize);
  }, [load]);
  // Until the new ones are there the old ones stay, and with them what has the focus.
  const { entries, page, problem } = loaded;
  const total = page?.total ?? 0;
  return {
    ...{ entries, total, counts: page?.counts ?? null, problem, isLoading },
    more: () => {
      if (page !== null && entries.length < total) void load(entries.length, pageSize);
    },
    put: (entry) =>
      setLoaded((before) => ({
        ...before,
        entries: before.entries.map((one) => (one.id === entry.id ? entry : one)),
      })),
    refresh: async () => {
      const length = latest.current.entries.length;
      for (let offset = 0; offset < length; offset += maxPage) await load(offset, Math.min(maxPage, length - offset));
    },
  };
}
