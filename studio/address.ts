// Every state of the page is an address: #/ROOM/RUN?key=value. What a person chooses goes into it, so that a link leads there and the
// browser's Back undoes it.
import { useEffect, useState } from "preact/hooks";

export interface Address {
  readonly room: string;
  /** Of the room: a run; empty where none is chosen. */
  readonly id: string;
  readonly choices: Readonly<Record<string, string>>;
}

export function parseAddress(hash: string): Address {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [room = "", id = ""] = path.split("/");
  return { room: room === "" ? "runs" : room, id, choices: Object.fromEntries(new URLSearchParams(query)) };
}

export function addressText({ room, id, choices }: Address): string {
  const query = new URLSearchParams(Object.entries(choices).filter(([, value]) => value !== "")).toString();
  return `#/${room}${id === "" ? "" : `/${id}`}${query === "" ? "" : `?${query}`}`;
}

/** Browsers drop what is written into their history more often than about 20 times a second. */
const pauseMilliseconds = 150;
const listeners = new Set<(address: Address) => void>();
let current = parseAddress(location.hash);
let writtenAt = Number.NEGATIVE_INFINITY;
let timer: number | null = null;

export function useAddress(): Address {
  const [address, setAddress] = useState(current);
  useEffect(() => {
    listeners.add(setAddress);
    return () => void listeners.delete(setAddress);
  }, []);
  return address;
}

/**
 * @param isSmall what a slider, or a key that is held, passes on its way: the step before is not kept for Back, and the browser's
 * address follows a moment later
 */
export function go(address: Address, isSmall = false): void {
  const text = addressText(address);
  if (text === addressText(current)) return;
  if (!isSmall) {
    written();
    history.pushState(null, "", text);
  }
  show(address);
  if (!isSmall) writtenAt = performance.now();
  else timer ??= setTimeout(written, Math.max(0, writtenAt + pauseMilliseconds - performance.now()));
}

/** Changes some choices of where one is. */
export function choose(choices: Readonly<Record<string, string>>, isSmall = false): void {
  go({ ...current, choices: { ...current.choices, ...choices } }, isSmall);
}

/** The browser's address is where one is. */
function written(): void {
  if (timer === null) return;
  clearTimeout(timer);
  timer = null;
  history.replaceState(null, "", addressText(current));
  writtenAt = performance.now();
}

function show(address: Address): void {
  current = address;
  for (const tell of listeners) tell(address);
}

// A link, the browser's Back, or somebody who typed.
addEventListener("hashchange", () => {
  if (timer !== null) clearTimeout(timer);
  timer = null;
  show(parseAddress(location.hash));
});
