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

export function useAddress(): Address {
  const [address, setAddress] = useState(() => parseAddress(location.hash));
  useEffect(() => {
    const onChange = () => setAddress(parseAddress(location.hash));
    addEventListener("hashchange", onChange);
    return () => removeEventListener("hashchange", onChange);
  }, []);
  return address;
}

/** @param isSmall the step before is not kept for Back: what a slider passes on its way */
export function go(address: Address, isSmall = false): void {
  const text = addressText(address);
  if (text === location.hash) return;
  if (isSmall) history.replaceState(null, "", text);
  else history.pushState(null, "", text);
  dispatchEvent(new HashChangeEvent("hashchange"));
}

/** Changes some choices of where one is. */
export function choose(choices: Readonly<Record<string, string>>, isSmall = false): void {
  const now = parseAddress(location.hash);
  go({ ...now, choices: { ...now.choices, ...choices } }, isSmall);
}
