// Keys that do something wherever one is in a room; not while a person types.
import { useEffect, useRef } from "preact/hooks";

/** What a key does. @param isHeld it has been down for a while and repeats itself */
export type Keys = Readonly<Record<string, (isHeld: boolean) => void>>;

const typed = /^(INPUT|SELECT|TEXTAREA)$/;
/** Keys that a focused part of the page has its own use for. */
const own: Readonly<Record<string, RegExp>> = {
  " ": /^(BUTTON|A|SUMMARY|VIDEO|AUDIO)$/,
  ArrowLeft: /^(VIDEO|AUDIO)$/,
  ArrowRight: /^(VIDEO|AUDIO)$/,
};

export function useKeys(keys: Keys): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const tag = (event.target as HTMLElement | null)?.tagName ?? "";
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (typed.test(tag) && event.key !== "Escape") return;
      if (own[event.key]?.test(tag)) return;
      const act = latest.current[event.key];
      if (act === undefined) return;
      event.preventDefault();
      act(event.repeat);
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
}
