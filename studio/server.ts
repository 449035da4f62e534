// The page's way to its server: JSON, and the stream of what changed.
import { useEffect, useRef, useState } from "preact/hooks";
import type { ChangeEvent } from "../src/serve/studio/api.ts";
import { Latest } from "./latest.ts";

export class ServerError extends Error {}

/** @throws ServerError with the server's words */
export async function ask<T>(path: string, signal?: AbortSignal, method = "GET"): Promise<T> {
  const response = await answered(path, signal, method);
  return (await response.json().catch(() => null)) as T;
}

/** @throws ServerError with the server's words */
export async function askFile(path: string, signal: AbortSignal): Promise<Blob> {
  return (await answered(path, signal)).blob();
}

async function answered(path: string, signal?: AbortSignal, method = "GET"): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { method, ...(signal === undefined ? {} : { signal }) });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ServerError("The studio's server does not answer. Was it stopped?");
  }
  if (response.ok) return response;
  const body = (await response.json().catch(() => null)) as { error?: { message?: string } } | null;
  throw new ServerError(body?.error?.message ?? `status ${response.status}`);
}

export interface Asked<T> {
  /** The last answer; kept while the next one is on its way. */
  readonly value: T | null;
  readonly problem: string | null;
}

const nothing = { value: null, problem: null };

/** Asks whenever the address or `version` changes; null: nothing to ask. */
export function useAsked<T>(path: string | null, version: unknown = 0): Asked<T> {
  const [asked, setAsked] = useState<Asked<T>>(nothing);
  const latest = useRef<Latest<T> | null>(null);
  useEffect(() => {
    latest.current ??= new Latest<T>(ask, setAsked);
    if (path === null) setAsked(nothing);
    latest.current.want(path, version);
  }, [path, version]);
  useEffect(
    () => () => {
      latest.current?.close();
      latest.current = null;
    },
    [],
  );
  return asked;
}

type Listener = (event: ChangeEvent) => void;
const listeners = new Set<Listener>();
let source: EventSource | null = null;

function listen(listener: Listener): () => void {
  listeners.add(listener);
  if (source === null) {
    source = new EventSource("/api/changes");
    source.addEventListener("change", (message) => {
      const event = JSON.parse((message as MessageEvent<string>).data) as ChangeEvent;
      for (const one of listeners) one(event);
    });
  }
  return () => void listeners.delete(listener);
}

/** Calls back for every change while it is shown. */
export function useChanges(onChange: Listener): void {
  const latest = useRef(onChange);
  latest.current = onChange;
  useEffect(() => listen((event) => latest.current(event)), []);
}

/** A number that grows when one of a run's logs changes. */
export function useLogVersion(run: string, log: string): number {
  const [version, setVersion] = useState(0);
  useChanges(({ runs }) => {
    if (runs[run]?.includes(log)) setVersion((before) => before + 1);
  });
  return version;
}
