// The chat prompt of a conversation as HumanOmni was trained with it: wrappers written as text around every medium, pieces
// between media tokenised apart, and the question as the gate reads it. Texts are escaped, and no text stands for a medium:
// media are known by their places.
import { OppoError } from "../../error.ts";
import type { ChatTemplate } from "../../text/chat-template.ts";
import type { TextTokenizer } from "../../text/tokenizer.ts";
import type { WordPiece } from "../../text/word-piece.ts";
import { clipTurns } from "../clip-turns.ts";
import type { ChatOptions, ChatTurn, ClipShape, PromptPart } from "../omni-model.ts";
import type { HumanOmniShape } from "./clips.ts";
import { type HumanOmniTokens, placeholders } from "./prompt.ts";

/** What a prompt is made with. */
export interface PromptMaker {
  readonly tokenizer: TextTokenizer;
  readonly template: ChatTemplate;
  readonly question: WordPiece;
}

type MediumKind = keyof typeof placeholders;

interface Medium {
  readonly kind: MediumKind;
  readonly numTokens: number;
}

const wrappers: Readonly<Record<MediumKind, readonly [string, string]>> = {
  image: ["<im_start>", "<im_end>"],
  video: ["<vi_start>", "<vi_end>"],
  audio: ["<au_start>", "<au_end>"],
};

/** The prompts of the reference: where it answers, in its fine-tuning, and in its reinforcement learning. */
export const layouts = ["inference", "sft", "rl"] as const;
type Layout = (typeof layouts)[number];

/** What the reference's processor of another model leaves in front of the media. */
const strayTriple = "<|vision_start|><|video_pad|><|vision_end|>";

/** @throws OppoError ERR_EMPTY_PROMPT, ERR_PROMPT_MEDIA, ERR_PLACEHOLDER_COUNT */
export function chatTokens(turns: readonly ChatTurn[], options: ChatOptions, maker: PromptMaker): HumanOmniTokens {
  if (turns.length === 0) {
    throw new OppoError("ERR_EMPTY_PROMPT", "prompt: expected at least one turn, got none. Give a user turn.");
  }
  const layout = requireLayout(options.layout ?? layouts[0]);
  const mark = markAbsentFrom(turns);
  const media: Medium[] = [];
  const messages = turns.map(({ role, parts }) => {
    const escaped = role === "assistant" ? maker.tokenizer.escapeControl : maker.tokenizer.escape;
    return {
      role,
      content: role === "user" ? userContent(parts, layout, mark, media, escaped) : plainText(parts, escaped),
    };
  });
  const pieces = maker.template.render(messages).split(mark);
  if (pieces.length !== media.length + 1) {
    throw new OppoError(
      "ERR_PLACEHOLDER_COUNT",
      `prompt: expected a template that shows all ${media.length} media, got ${pieces.length - 1}. Check the checkpoint's template.`,
    );
  }
  const ids: number[] = [];
  for (const [i, piece] of pieces.entries()) {
    for (const id of maker.tokenizer.encode(piece)) ids.push(id);
    const medium = media[i];
    if (medium) for (let k = 0; k < medium.numTokens; k++) ids.push(placeholders[medium.kind]);
  }
  const question = maker.question.encode(questionText(turns, layout));
  return { ids: Int32Array.from(ids), question, lens: question.join() } as HumanOmniTokens;
}

/** One user turn: video, audio, text. */
export function promptTokens(
  text: string,
  shape: ClipShape,
  system: string | undefined,
  maker: PromptMaker,
): HumanOmniTokens {
  return chatTokens(clipTurns(text, shape, system), {}, maker);
}

function requireLayout(layout: string): Layout {
  const known = layouts.find((name) => name === layout);
  if (known !== undefined) return known;
  throw new OppoError(
    "ERR_PROMPT_MEDIA",
    `prompt: expected a layout among ${layouts.join(", ")}, got ${layout}. Sound and video do not interleave in HumanOmni: leave the layout out.`,
  );
}

/** A character for the place of a medium that no text has. */
function markAbsentFrom(turns: readonly ChatTurn[]): string {
  const all = turns.flatMap(({ parts }) => parts.map((part) => (part.type === "text" ? part.text : ""))).join("");
  let code = 0xe000; // private use
  while (all.includes(String.fromCharCode(code))) code++;
  return String.fromCharCode(code);
}

function plainText(parts: readonly PromptPart[], escaped: (text: string) => string): string {
  return parts
    .map((part) => {
      if (part.type === "text") return escaped(part.text);
      throw new OppoError("ERR_PROMPT_MEDIA", `prompt: expected media in user turns, got one in another. Move it.`);
    })
    .join("");
}

/** Media in their wrappers, a line each, then the texts; the reference's layouts part them by more or less. */
function userContent(
  parts: readonly PromptPart[],
  layout: Layout,
  mark: string,
  media: Medium[],
  escaped: (text: string) => string,
): string {
  const own = parts.flatMap(mediaOf);
  media.push(...own);
  const wrapped = own.map(({ kind }) => `${wrappers[kind][0]}${mark}${wrappers[kind][1]}`).join("\n");
  const text = parts.map((part) => (part.type === "text" ? escaped(part.text) : "")).join("");
  if (layout === "rl" && own.length > 0) return `${strayTriple}${wrapped}\n${text}`;
  // The tags are moved to the front there, and each leaves its line behind.
  const left = layout === "sft" ? own.filter(({ kind }) => kind !== "image").length : 0;
  return `${wrapped}\n${"\n".repeat(left)}${text}`;
}

function mediaOf(part: PromptPart): Medium[] {
  if (part.type === "text") return [];
  const { video, audio } = (part.type === "image" ? part.image : part.clip) as HumanOmniShape;
  if (part.type === "image" && video === null) {
    throw new OppoError(
      "ERR_PROMPT_MEDIA",
      "prompt: expected an image of one frame, got none. Change the turn's parts.",
    );
  }
  return [
    ...(video === null
      ? []
      : [{ kind: part.type === "image" ? "image" : "video", numTokens: video.numTokens } as const]),
    ...(audio === null ? [] : [{ kind: "audio", numTokens: audio.numTokens } as const]),
  ];
}

/** What the gate reads: the last user turn's texts. In fine-tuning the wrappers too, without lines and most placeholders. */
function questionText(turns: readonly ChatTurn[], layout: Layout): string {
  const parts = turns.findLast(({ role }) => role === "user")?.parts ?? [];
  const text = parts.map((part) => (part.type === "text" ? part.text : "")).join("");
  if (layout !== "sft") return text;
  const tag = (kind: MediumKind) => `${wrappers[kind][0]}${kind === "audio" ? "<audio>" : ""}${wrappers[kind][1]}`;
  const tags = parts.flatMap(mediaOf).map(({ kind }) => tag(kind));
  return `${tags.join("")}${text}`.replaceAll("\n", "");
}
