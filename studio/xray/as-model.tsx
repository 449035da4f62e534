// What is played: the clip, or what the chosen model gets of it, whose frames and sound the server makes as the model's process does.
import { useEffect, useState } from "preact/hooks";
import type { ChangeView, ModelEntry, SampleView, XrayQuestion } from "../../src/serve/studio/api.ts";
import { askFile } from "../server.ts";

/** A dial that is being turned asks for nothing. */
const pauseMilliseconds = 350;

/** "": the model's where something is changed, else the clip. */
export type Played = "" | "clip" | "model";

export function isChanged({ swap, masks }: ChangeView): boolean {
  return swap !== null || masks.length > 0;
}

export function playsModel(played: string, change: ChangeView): boolean {
  return played === "model" || (played !== "clip" && isChanged(change));
}

export interface PlayedClip {
  readonly sample: SampleView;
  /** Why what the model gets cannot be played. */
  readonly problem: string | null;
  /** What is played is not yet what was asked for. */
  readonly isComing: boolean;
}

interface Made {
  readonly sample: string;
  readonly question: string;
  /** Of what came; null: nothing did. */
  readonly path: string | null;
  readonly problem: string | null;
}

/** What was played stays until the next is there. @param asked null: the clip itself */
export function usePlayed(own: SampleView, asked: XrayQuestion | null): PlayedClip {
  const question = asked === null ? null : JSON.stringify(asked);
  const [made, setMade] = useState<Made | null>(null);
  useEffect(() => {
    if (question === null || question === made?.question) return;
    const gone = new AbortController();
    const timer = setTimeout(
      () => {
        askFile(`/api/xray/shown?question=${encodeURIComponent(question)}`, gone.signal).then(
          (file) => setMade({ sample: own.id, question, path: URL.createObjectURL(file), problem: null }),
          (error: Error) =>
            gone.signal.aborted || setMade({ sample: own.id, question, path: null, problem: error.message }),
        );
      },
      made === null ? 0 : pauseMilliseconds,
    );
    return () => {
      clearTimeout(timer);
      gone.abort();
    };
  }, [question]);
  useEffect(() => {
    const path = made?.path ?? null;
    return path === null ? undefined : () => URL.revokeObjectURL(path);
  }, [made]);
  if (question === null) return { sample: own, problem: null, isComing: false };
  const path = made?.sample === own.id ? made.path : null;
  return {
    sample: path === null ? own : { ...own, media: { path, kind: "video" }, sound: null },
    problem: made?.question === question ? made.problem : null,
    isComing: made?.question !== question,
  };
}

export interface PlayedChoiceProps {
  readonly model: ModelEntry | undefined;
  readonly change: ChangeView;
  readonly isModel: boolean;
  /** What the model gets is there, and not still being made. */
  readonly isThere: boolean;
  readonly onChoose: (played: Played) => void;
}

export function PlayedChoice({ model, change, isModel, isThere, onChoose }: PlayedChoiceProps) {
  if (model === undefined) return null;
  const choice = (title: string, isThis: boolean, played: Played) => (
    <button type="button" class="quiet" aria-pressed={isThis} onClick={() => onChoose(played)}>
      {title}
    </button>
  );
  return (
    <>
      <fieldset class="row-of-tools">
        <legend>play</legend>
        {choice("the clip", !isModel, "clip")}
        {choice("what the model gets", isModel, "model")}
      </fieldset>
      <p class="soft small">{isModel ? (isThere ? modelWords(model, change) : "") : clipWords(change)}</p>
    </>
  );
}

function modelWords({ name }: ModelEntry, change: ChangeView): string {
  return `Picture and sound as ${name} gets them, at its size and its frames a second: ${wordsOf(change)}.`;
}

function clipWords(change: ChangeView): string {
  return `The clip as it is${isChanged(change) ? ": nothing of the changes is seen or heard in it" : ""}.`;
}

function wordsOf({ swap, masks }: ChangeView): string {
  const parts = [
    ...(swap === null ? [] : [`the sound of ${swap}`]),
    ...masks.map(({ modality, kind }) => `${modality === "video" ? "picture" : "sound"} masked (${kind})`),
  ];
  return parts.length === 0 ? "nothing changed" : parts.join(", ");
}
