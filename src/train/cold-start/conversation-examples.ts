// What a conversation gives to learn: one example per assistant turn, whose prompt is all that was said and shown before it. The
// examples that have seen the same clips share their prefix (train/sft.ts).
import type { ClipLibrary } from "../../corpus/clips/clip-library.ts";
import type { Conversation, ConversationPart, ConversationTurn } from "../../data/conversations/conversation.ts";
import { textOf } from "../../data/conversations/conversation.ts";
import type { Modality } from "../../media/clip.ts";
import { joinRows } from "../../models/clip-rows.ts";
import type { ChatTurn, ClipRows, ClipShape, ModelPrompt, OmniModel, PromptPart } from "../../models/omni-model.ts";
import { keep } from "../../tensor/index.ts";
import type { SftExample } from "../sft.ts";

type ClipPart = Extract<ConversationPart, { type: "clip" }>;

/** Turns conversations into examples. Owner of the rows that it put together of several clips. */
export class ConversationExamples implements Disposable {
  readonly #model: OmniModel;
  readonly #library: ClipLibrary;
  readonly #rowsOf: (clip: string) => ClipRows;
  readonly #joined: ClipRows[] = [];

  /** @param rowsOf rows of a clip; left out: the library's own, which no gradient reaches */
  constructor(model: OmniModel, library: ClipLibrary, rowsOf?: (clip: string) => ClipRows) {
    this.#model = model;
    this.#library = library;
    this.#rowsOf = rowsOf ?? ((clip) => library.rows(clip));
  }

  /** Lists of examples that show the same rows. */
  of(conversation: Conversation): SftExample[][] {
    const groups = new Map<number, SftExample[]>();
    const prompts = new Map<number, ClipRows | null>();
    for (const [at, turn] of conversation.turns.entries()) {
      if (turn.role !== "assistant") continue;
      const before = conversation.turns.slice(0, at);
      const numClips = clipPartsOf(before).length;
      if (!prompts.has(numClips)) prompts.set(numClips, this.#rows(before));
      const target = targetIds(this.#model, textOf(turn));
      const example: SftExample = {
        prompt: { tokens: this.#tokens(before), rows: prompts.get(numClips)! },
        target,
        weights: new Float32Array(target.length).fill(1),
      };
      groups.set(numClips, [...(groups.get(numClips) ?? []), example]);
    }
    return [...groups.values()];
  }

  /** The prompt of a conversation's last answer, and that answer. */
  lastQuestion(conversation: Conversation): { readonly prompt: ModelPrompt; readonly answer: string } {
    const at = conversation.turns.findLastIndex(({ role }) => role === "assistant");
    const before = conversation.turns.slice(0, at);
    const prompt = { tokens: this.#tokens(before), rows: this.#rows(before) };
    return { prompt, answer: textOf(conversation.turns[at]!) };
  }

  #tokens(turns: readonly ConversationTurn[]) {
    const partOf = (part: ConversationPart): PromptPart =>
      part.type === "text" ? part : { type: "clip", clip: shownShape(this.#library.shape(part.clip.id), part) };
    return this.#model.chatTokens(turns.map(({ role, parts }): ChatTurn => ({ role, parts: parts.map(partOf) })));
  }

  #rows(turns: readonly ConversationTurn[]): ClipRows | null {
    const shown = clipPartsOf(turns).map((part) => shownRows(this.#rowsOf(part.clip.id), part));
    if (shown.length < 2) return shown[0] ?? null;
    const rows = joinRows(shown);
    for (const tensor of [rows.video, rows.audio]) if (tensor !== null) keep(tensor);
    this.#joined.push(rows);
    return rows;
  }

  [Symbol.dispose](): void {
    for (const rows of this.#joined) rows[Symbol.dispose]();
  }
}

/** Tokens of the longest prompt with its answer. */
export function longestTokens(examples: readonly SftExample[][]): number {
  return Math.max(...examples.flat().map(({ prompt, target }) => prompt.tokens.ids.length + target.length));
}

/** What a conversation asks to show and its clips do not have, or null. Example: "clips/a.mp4 has no audio" */
export function missingModality({ turns }: Conversation, shapeOf: (clip: string) => ClipShape): string | null {
  for (const { clip, shows } of clipPartsOf(turns)) {
    const missing = (shows ?? []).find((modality) => shapeOf(clip.id)[modality] === null);
    if (missing !== undefined) return `${clip.id} has no ${missing}`;
  }
  return null;
}

function clipPartsOf(turns: readonly ConversationTurn[]): ClipPart[] {
  return turns.flatMap(({ parts }) => parts.filter((part) => part.type === "clip"));
}

const isShown = ({ shows }: ClipPart, modality: Modality) => shows?.includes(modality) ?? true;

function shownShape(shape: ClipShape, part: ClipPart): ClipShape {
  return {
    video: isShown(part, "video") ? shape.video : null,
    audio: isShown(part, "audio") ? shape.audio : null,
  };
}

function shownRows(rows: ClipRows, part: ClipPart): ClipRows {
  return {
    video: isShown(part, "video") ? rows.video : null,
    audio: isShown(part, "audio") ? rows.audio : null,
    [Symbol.dispose]() {},
  };
}

function targetIds(model: OmniModel, text: string): Int32Array {
  return Int32Array.from([...model.encodeText(text), model.stopIds[0]!]);
}
