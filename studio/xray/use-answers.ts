// What a model says about a clip as it is and as it was changed, asked anew whenever the change does; and how much each token of the
// first answer depends on what the change takes away.
import { useEffect, useRef, useState } from "preact/hooks";
import type { ChangeView, XrayAnswer } from "../../src/serve/studio/api.ts";
import { askStreamed } from "./streamed.ts";

export interface Told {
  /** What has come of the text so far. */
  readonly text: string;
  readonly answer: XrayAnswer | null;
  readonly problem: string | null;
  /** Milliseconds from the question to the first word. */
  readonly firstAfter: number | null;
}

export interface Place {
  readonly model: string;
  readonly run: string;
  readonly sample: string;
}

const nothing: Told = { text: "", answer: null, problem: null, firstAfter: null };
/** A slider passes many values on its way. */
const restMilliseconds = 150;

/** @param change null: nothing is asked */
export function useAnswer({ model, run, sample }: Place, change: ChangeView | null): Told {
  const [told, setTold] = useState<Told>(nothing);
  useEffect(() => {
    setTold(nothing);
    if (change === null) return;
    const gone = new AbortController();
    const timer = setTimeout(() => {
      const start = performance.now();
      const onEvent = (event: string, data: unknown) => {
        if (event === "done")
          setTold((before) => ({ ...before, answer: data as XrayAnswer, text: (data as XrayAnswer).text }));
        else if (event === "delta") {
          const firstAfter = performance.now() - start;
          setTold((before) => ({
            ...before,
            text: before.text + (data as { text: string }).text,
            firstAfter: before.firstAfter ?? firstAfter,
          }));
        }
      };
      askStreamed("/api/xray/ask", { model, run, sample, change }, onEvent, gone.signal).catch((error: Error) => {
        if (!gone.signal.aborted) setTold({ ...nothing, problem: error.message });
      });
    }, restMilliseconds);
    return () => {
      clearTimeout(timer);
      gone.abort();
    };
  }, [model, run, sample, JSON.stringify(change)]);
  return told;
}

export interface Compared {
  /** Per change the nats of every token; undefined where it has not come yet. */
  readonly nats: readonly (readonly number[] | undefined)[];
  readonly numDone: number;
  readonly problem: string | null;
}

const empty: Compared = { nats: [], numDone: 0, problem: null };

/** @param changes null: nothing is compared, and what runs is cancelled */
export function useCompared(
  place: Place,
  completion: readonly number[] | null,
  changes: readonly ChangeView[] | null,
): Compared {
  const [compared, setCompared] = useState<Compared>(empty);
  const { model, run, sample } = place;
  const latest = useRef(changes);
  latest.current = changes;
  useEffect(() => {
    setCompared(empty);
    if (completion === null || latest.current === null || latest.current.length === 0) return;
    const gone = new AbortController();
    const nats: (readonly number[])[] = [];
    let numDone = 0;
    const onEvent = (event: string, data: unknown) => {
      if (event !== "compared") return;
      const { change, nats: values } = data as { change: number; nats: readonly number[] };
      nats[change] = values;
      numDone++;
      setCompared({ nats: [...nats], numDone, problem: null });
    };
    const timer = setTimeout(() => {
      askStreamed(
        "/api/xray/compare",
        { model, run, sample, completion, changes: latest.current },
        onEvent,
        gone.signal,
      ).catch((error: Error) => {
        if (!gone.signal.aborted) setCompared({ ...empty, problem: error.message });
      });
    }, restMilliseconds);
    return () => {
      clearTimeout(timer);
      gone.abort();
    };
  }, [model, run, sample, completion?.join(), JSON.stringify(changes)]);
  return compared;
}
