// The clip of a group, with its sound: its controls stand below it, so that they cover no face.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { SampleView } from "../../src/serve/studio/api.ts";
import { useKeys } from "../keys.ts";

export interface ClipProps {
  readonly sample: SampleView | null;
  readonly problem: string | null;
  /** What lies over the picture. */
  readonly children?: ComponentChildren;
}

export function Clip({ sample, problem, children }: ClipProps) {
  const box = useRef<HTMLDivElement>(null);
  const [time, setTime] = useState(0);
  const [length, setLength] = useState(0);
  const [isPlaying, setPlaying] = useState(false);
  const [broken, setBroken] = useState<string | null>(null);
  // Another version of the clip goes on where the one before was.
  const left = useRef({ time: 0, isPlaying: false });
  const path = sample?.media?.path;
  useEffect(() => {
    left.current = { time, isPlaying };
  }, [path]);
  // A separate sound takes the place of the video's own; the first part leads, the other goes with it.
  const parts = () => [...(box.current?.querySelectorAll<HTMLMediaElement>("video, audio") ?? [])];
  const toggle = () => {
    const [lead] = parts();
    for (const part of parts()) {
      if (isPlaying) part.pause();
      else void part.play().catch(() => undefined);
      if (part !== lead) part.currentTime = lead!.currentTime;
    }
  };
  const seek = (to: number) => {
    for (const part of parts()) part.currentTime = to;
  };
  useKeys({ v: toggle });
  if (sample === null || (sample.media === null && sample.sound === null)) {
    return <p class="no-clip">No clip: {problem ?? "the data name none."}</p>;
  }
  const { media, sound } = sample;
  const watched = {
    onTimeUpdate: (event: Event) => setTime((event.currentTarget as HTMLMediaElement).currentTime),
    onLoadedMetadata: (event: Event) => {
      const lead = event.currentTarget as HTMLMediaElement;
      setLength(lead.duration);
      if (left.current.time > 0) lead.currentTime = Math.min(left.current.time, lead.duration);
      if (left.current.isPlaying) void lead.play().catch(() => undefined);
      left.current = { time: 0, isPlaying: false };
    },
    onPlay: () => setPlaying(true),
    onPause: () => setPlaying(false),
  };
  const shared = { loop: true, preload: "metadata" as const, onError: () => setBroken(path ?? null) };
  const name = `clip ${sample.id}`;
  const leads = media?.kind === "image" || media === null ? watched : {};
  return (
    <div class="clip" ref={box}>
      {media?.kind === "video" && (
        <div class="picture">
          <video
            {...{ ...shared, ...watched }}
            src={media.path}
            playsInline
            aria-label={name}
            muted={sound !== null}
            onClick={toggle}
          />
          {children}
        </div>
      )}
      {media?.kind === "audio" && <audio {...{ ...shared, ...watched }} src={media.path} aria-label={name} />}
      {media?.kind === "image" && <img src={media.path} alt={name} onError={shared.onError} />}
      {sound !== null && <audio {...{ ...shared, ...leads }} src={sound.path} aria-label={`sound of ${name}`} />}
      <p class="player">
        <button type="button" onClick={toggle} title="key v">
          {isPlaying ? "Pause" : "Play"}
        </button>
        <input
          type="range"
          min="0"
          max={Number.isFinite(length) ? length : 0}
          step="0.01"
          value={time}
          aria-label="time in the clip"
          onInput={(event) => seek(Number(event.currentTarget.value))}
        />
        <span>{time.toFixed(1)} s</span>
      </p>
      {broken !== null && broken === path && (
        <p class="warn">This browser cannot play the clip: its codec, or the file is broken.</p>
      )}
      {problem !== null && <p class="warn">{problem}</p>}
    </div>
  );
}
