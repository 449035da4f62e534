// The gallery: a card for every clip, more of them as one scrolls; a picture is loaded when its card comes into sight.
import { useEffect, useRef, useState } from "preact/hooks";
import type { SampleEntry, SampleState } from "../../src/serve/studio/data/data-api.ts";
import { type Address, addressText } from "../address.ts";
import { useKeys } from "../keys.ts";
import type { LoadedSamples } from "./samples.ts";

export const stateNames: Readonly<Record<SampleState, string>> = {
  disagreed: "disagreement",
  doubtful: "doubtful",
  open: "to review",
  bare: "without cues",
  done: "reviewed",
};

interface GalleryProps {
  readonly address: Address;
  readonly samples: LoadedSamples;
}

export function Gallery({ address, samples }: GalleryProps) {
  const list = useRef<HTMLUListElement>(null);
  const { entries, total, isLoading } = samples;
  const move = (by: number) => {
    const links = [...(list.current?.querySelectorAll<HTMLAnchorElement>("a") ?? [])];
    const at = links.indexOf(document.activeElement as HTMLAnchorElement);
    links[Math.min(links.length - 1, Math.max(0, at + by))]?.focus();
    if (at + by >= links.length - 6) samples.more();
  };
  useKeys({ j: () => move(1), ArrowRight: () => move(1), k: () => move(-1), ArrowLeft: () => move(-1) });
  return (
    <>
      <ul class="gallery" ref={list}>
        {entries.map((entry) => (
          <Card key={entry.id} entry={entry} address={address} />
        ))}
      </ul>
      {entries.length < total ? (
        <More key={entries.length} onSight={samples.more} isLoading={isLoading} />
      ) : (
        <p class="soft pad">{total === 0 && !isLoading ? "No sample is like that." : ""}</p>
      )}
    </>
  );
}

function Card({ entry, address }: { readonly entry: SampleEntry; readonly address: Address }) {
  const { id, numCues, numOpen, state, confidence } = entry;
  const href = addressText({ ...address, choices: { ...address.choices, sample: id } });
  return (
    <li class={`card ${state}`}>
      <a class="card-link" href={href} data-sample={id}>
        <Thumbnail entry={entry} />
        <span class="card-name">{id}</span>
        <span class="card-facts">
          <span class={`mark ${state}`}>{stateNames[state]}</span>
          <span>
            {numCues} {numCues === 1 ? "cue" : "cues"}
            {state !== "done" && numOpen < numCues && `, ${numOpen} open`}
          </span>
          {state === "doubtful" && <span>{`lowest confidence ${confidence!.toFixed(2)}`}</span>}
        </span>
      </a>
    </li>
  );
}

/** Only what is near the window holds a player: a browser has room for a few dozen. */
function Thumbnail({ entry: { media } }: { readonly entry: SampleEntry }) {
  const box = useRef<HTMLSpanElement>(null);
  const [isNear, setNear] = useState(false);
  const [isBroken, setBroken] = useState(false);
  useEffect(() => {
    const observer = new IntersectionObserver((seen) => setNear(seen.at(-1)!.isIntersecting), { rootMargin: "200px" });
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, []);
  const onError = () => setBroken(true);
  const text = media === null ? "no clip" : isBroken ? "cannot be played" : media.kind === "audio" ? "sound" : "";
  return (
    <span class="thumb" ref={box}>
      {text !== "" && <span>{text}</span>}
      {text === "" && isNear && media!.kind === "video" && (
        <video
          src={`${media!.path}#t=0.4`}
          preload="metadata"
          muted
          playsInline
          tabIndex={-1}
          aria-hidden
          onError={onError}
        />
      )}
      {text === "" && isNear && media!.kind === "image" && <img src={media!.path} alt="" onError={onError} />}
    </span>
  );
}

interface MoreProps {
  readonly onSight: () => void;
  readonly isLoading: boolean;
}

function More({ onSight, isLoading }: MoreProps) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // Coming into sight may be the second of two things told at once.
    const told = (seen: readonly IntersectionObserverEntry[]) => seen.at(-1)!.isIntersecting && onSight();
    const observer = new IntersectionObserver(told, { rootMargin: "600px" });
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, [isLoading]);
  return (
    <div ref={box} class="pad">
      <button type="button" onClick={onSight} disabled={isLoading}>
        {isLoading ? "Loading ..." : "More"}
      </button>
    </div>
  );
}
