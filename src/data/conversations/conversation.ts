// A conversation about clips that a model is to learn from: who says what, and where in it which part of which clip is shown.
import type { Modality } from "../../media/clip.ts";
import type { Sample } from "../sample.ts";

/** The files of a clip, below the media's root. */
export type ClipFiles = Pick<Sample, "id" | "media" | "audio">;

export type ConversationPart =
  | { readonly type: "text"; readonly text: string }
  | {
      readonly type: "clip";
      readonly clip: ClipFiles;
      /** What the row asks to see and hear, which the clip must have; null: all that it has. */
      readonly shows: readonly Modality[] | null;
    };

export interface ConversationTurn {
  readonly role: "system" | "user" | "assistant";
  readonly parts: readonly ConversationPart[];
}

export interface Conversation {
  readonly id: string;
  /** Where it stands. Example: "train.json row 12" */
  readonly place: string;
  /** Whether the file gave the id; one that was made up from the row's number says nothing of the content. */
  readonly isNamed: boolean;
  readonly turns: readonly ConversationTurn[];
}

/** The different clips of some conversations, in the order of their first places. */
export function clipsOf(conversations: readonly Conversation[]): ClipFiles[] {
  const clips = new Map<string, ClipFiles>();
  for (const { turns } of conversations) {
    for (const part of turns.flatMap(({ parts }) => parts)) {
      if (part.type === "clip" && !clips.has(part.clip.id)) clips.set(part.clip.id, part.clip);
    }
  }
  return [...clips.values()];
}

/** The text of a turn, without its clips. */
export function textOf({ parts }: Pick<ConversationTurn, "parts">): string {
  return parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("");
}

/** What keeps turns from being a conversation to learn from, or null. */
export function turnProblem(turns: readonly ConversationTurn[]): string | null {
  const said = turns[0]?.role === "system" ? turns.slice(1) : turns;
  if (!said.some(({ role }) => role === "assistant")) return "no assistant turn to learn";
  const wrong = said.findIndex(({ role }, i) => role !== (i % 2 === 0 ? "user" : "assistant"));
  if (wrong >= 0)
    return `turn ${wrong + 1}: expected the ${wrong % 2 === 0 ? "user" : "assistant"}, got ${said[wrong]!.role}`;
  for (const turn of said) {
    if (turn.role !== "assistant") continue;
    const text = textOf(turn);
    if (text.trim() === "") return "an empty assistant turn";
    const token = /<\|[^<>\s]*\|>/.exec(text)?.[0];
    // It would be learnt as the token itself.
    if (token !== undefined) return `an assistant turn with the control token ${token}`;
    if (turn.parts.some(({ type }) => type === "clip")) return "a marker of a clip in an assistant turn";
  }
  return null;
}
