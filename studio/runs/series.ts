// Curves of several runs, kept and added to as logs grow: only new points come over the wire.
import { useEffect, useRef, useState } from "preact/hooks";
import type { SeriesAnswer } from "../../src/serve/studio/api.ts";
import { ask, useChanges } from "../server.ts";
import { tokensPerSecond } from "./panels.ts";

export interface Curve {
  readonly steps: readonly number[];
  readonly values: Readonly<Record<string, readonly (number | null)[]>>;
  readonly stride: number;
}

interface Kept extends Curve {
  readonly generation: string;
  /** Names asked for. */
  readonly key: string;
}

/** Numbers of one request. */
const atOnce = 48;
/** A log that grows faster is asked for less often. */
const pauseMilliseconds = 700;

/** Run -> its curves of these numbers, live. */
export function useCurves(runs: readonly string[], metrics: readonly string[]): ReadonlyMap<string, Curve> {
  const kept = useRef(new Map<string, Kept>());
  const [curves, setCurves] = useState<ReadonlyMap<string, Curve>>(new Map());
  const [version, setVersion] = useState(0);
  const dirty = useRef(new Set<string>());
  useChanges((event) => {
    const touched = runs.filter((run) => event.runs[run]?.some((log) => /^(metrics|evaluation)/.test(log)));
    for (const run of touched) dirty.current.add(run);
    if (touched.length > 0) setVersion((before) => before + 1);
  });
  const key = JSON.stringify([runs, metrics]);
  const lastAt = useRef(0);
  useEffect(() => {
    const gone = new AbortController();
    const wait = Math.max(0, lastAt.current + pauseMilliseconds - performance.now());
    const timer = setTimeout(
      async () => {
        lastAt.current = performance.now();
        const parts = partsOf(metrics);
        const wanted = runs.flatMap((run) => parts.map((names) => ({ run, names })));
        const isMissing = ({ run, names }: { run: string; names: readonly string[] }) =>
          dirty.current.has(run) || kept.current.get(slot(run, names))?.key !== names.join();
        await Promise.all(
          wanted.filter(isMissing).map(({ run, names }) => extend(kept.current, run, names, gone.signal)),
        );
        if (gone.signal.aborted) return;
        dirty.current.clear();
        const slots = new Set(wanted.map(({ run, names }) => slot(run, names)));
        for (const name of kept.current.keys()) if (!slots.has(name)) kept.current.delete(name);
        setCurves(
          new Map(runs.map((run) => [run, joined(parts.flatMap((names) => kept.current.get(slot(run, names)) ?? []))])),
        );
      },
      kept.current.size === 0 ? 0 : wait,
    );
    return () => {
      gone.abort();
      clearTimeout(timer);
    };
  }, [key, version]);
  return curves;
}

const isEvaluation = (name: string) => name.startsWith("eval/");
const slot = (run: string, names: readonly string[]) => `${run} ${names[0] ?? ""}`;

/** Evaluations have steps of their own; one request is about one log. */
function partsOf(metrics: readonly string[]): string[][] {
  const wanted = metrics.filter((name) => name !== tokensPerSecond);
  return [wanted.filter((name) => !isEvaluation(name)), wanted.filter(isEvaluation)].flatMap((names) =>
    Array.from({ length: Math.ceil(names.length / atOnce) }, (_, i) => names.slice(i * atOnce, (i + 1) * atOnce)),
  );
}

async function extend(
  kept: Map<string, Kept>,
  run: string,
  names: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const name = slot(run, names);
  const key = names.join();
  const before = kept.get(name);
  const known = before?.key === key ? before : null;
  // The last point may not have had all its steps.
  const from = Math.max(0, (known?.steps.length ?? 0) - 1);
  const query = new URLSearchParams({ names: key, generation: known?.generation ?? "", from: String(from) });
  let answer: SeriesAnswer;
  try {
    answer = await ask<SeriesAnswer>(`/api/runs/${run}/series?${query}`, signal);
  } catch {
    // Gone, or asked anew already; the room says so.
    return;
  }
  const head = (list: readonly (number | null)[] | undefined) => (list ?? []).slice(0, answer.start);
  kept.set(name, {
    key,
    generation: answer.generation,
    stride: answer.stride,
    steps: [...(known?.steps ?? []).slice(0, answer.start), ...answer.steps],
    values: Object.fromEntries(names.map((one) => [one, [...head(known?.values[one]), ...(answer.values[one] ?? [])]])),
  });
}

/** One curve per number, on the steps of all logs. */
function joined(parts: readonly Kept[]): Curve {
  const steps = [...new Set(parts.flatMap((part) => part.steps))].sort((a, b) => a - b);
  const indexOf = new Map(steps.map((step, i) => [step, i]));
  const values: Record<string, (number | null)[]> = {};
  for (const part of parts) {
    for (const [name, list] of Object.entries(part.values)) {
      const column = new Array<number | null>(steps.length).fill(null);
      part.steps.forEach((step, i) => {
        column[indexOf.get(step)!] = list[i] ?? null;
      });
      values[name] = column;
    }
  }
  const { num_tokens: tokens, step_time: times } = values;
  if (tokens !== undefined && times !== undefined)
    values[tokensPerSecond] = tokens.map((count, i) => ratio(count, times[i]));
  return { steps, values, stride: Math.max(1, ...parts.map(({ stride }) => stride)) };
}

function ratio(above: number | null, below: number | null | undefined): number | null {
  return above === null || below === null || below === undefined || below === 0 ? null : above / below;
}
