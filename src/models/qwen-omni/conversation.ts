// The chat prompt of a conversation: turns of text, clips and images rendered by the checkpoint's template, placeholders
// expanded, positions given. Texts are escaped: nobody's words open a turn or stand for a medium.
import { OppoError } from "../../error.ts";
import type { ChatTemplate, Message, MessagePart } from "../../text/chat-template.ts";
import type { TextTokenizer } from "../../text/tokenizer.ts";
import { clipTurns } from "../clip-turns.ts";
import type { ChatOptions, ChatTurn, ClipShape } from "../omni-model.ts";
import type { ThinkerShape, ThinkerTokens } from "./clips.ts";
import type { ThinkerConfig } from "./config/config.ts";
import type { Grid, MediaLayout, VideoLayout } from "./layout.ts";
import { ropePositions } from "./positions.ts";
import { expandPlaceholders } from "./prompt.ts";

/** What a prompt is made with. */
export interface PromptMaker {
  readonly tokenizer: TextTokenizer;
  readonly template: ChatTemplate;
  readonly config: Pick<ThinkerConfig, "ids" | "positionsPerSecond" | "secondsPerChunk" | "vision">;
}

/** The media of a conversation in the order of their placeholders, under construction. */
interface Media {
  readonly images: Grid[];
  readonly videos: VideoLayout[];
  readonly audioFrames: number[];
  readonly audioInVideo: boolean;
}

const AUDIO_IN_VIDEO = "audio-in-video";

/**
 * The sound of a clip behind its video, or inside it in chunks of two seconds (use_audio_in_video); every video of the
 * prompt then has one.
 */
export const layouts: readonly string[] = ["separate", AUDIO_IN_VIDEO];

/** @throws OppoError ERR_EMPTY_PROMPT, ERR_PROMPT_MEDIA */
export function chatTokens(
  turns: readonly ChatTurn[],
  { layout = layouts[0]! }: ChatOptions,
  { tokenizer, template, config }: PromptMaker,
): ThinkerTokens {
  if (turns.length === 0) {
    throw new OppoError("ERR_EMPTY_PROMPT", "prompt: expected at least one turn, got none. Give a user turn.");
  }
  if (!layouts.includes(layout)) throw mediaError(`a layout among ${layouts.join(", ")}`, layout);
  const media: Media = { images: [], videos: [], audioFrames: [], audioInVideo: layout === AUDIO_IN_VIDEO };
  const messages = turns.map((turn) => message(turn, media, tokenizer));
  return mediaPrompt(tokenizer.encode(template.render(messages)), media, config);
}

/** One user turn: video, audio, text. */
export function promptTokens(
  text: string,
  shape: ClipShape,
  system: string | undefined,
  maker: PromptMaker,
): ThinkerTokens {
  return chatTokens(clipTurns(text, shape, system), {}, maker);
}

function mediaPrompt(ids: Int32Array, media: MediaLayout, config: PromptMaker["config"]): ThinkerTokens {
  const expanded = expandPlaceholders(ids, media, config);
  const { positions } = ropePositions(expanded, media, config);
  return { ids: expanded, lens: "", positions } as ThinkerTokens;
}

function message({ role, parts }: ChatTurn, media: Media, tokenizer: TextTokenizer): Message {
  // An answer of the model's own has tags that are tokens; it still cannot write a control token.
  const escaped = role === "assistant" ? tokenizer.escapeControl : tokenizer.escape;
  const content = parts.flatMap((part): MessagePart[] => {
    if (part.type === "text") return [{ type: "text", text: escaped(part.text) }];
    if (part.type === "image") return [imagePart(part.image as ThinkerShape, media)];
    return clipParts(part.clip as ThinkerShape, media);
  });
  const texts = content.flatMap((part) => (part.type === "text" ? [part.text] : []));
  return { role, content: texts.length === content.length ? texts.join("") : content };
}

function imagePart({ video }: ThinkerShape, media: Media): MessagePart {
  if (video?.grid[0] !== 1) {
    throw mediaError("an image of one frame", video === null ? "none" : `${video.grid[0]} time steps`);
  }
  media.images.push(video.grid);
  return { type: "image" };
}

function clipParts({ video, audio }: ThinkerShape, media: Media): MessagePart[] {
  const parts: MessagePart[] = [];
  if (video !== null) {
    if (media.audioInVideo && audio === null)
      throw mediaError(`sound in every video (${AUDIO_IN_VIDEO})`, "a silent one");
    media.videos.push({ grid: video.grid, secondsPerGrid: video.secondsPerGrid });
    parts.push({ type: "video" });
  }
  if (audio !== null) {
    media.audioFrames.push(audio.numFrames);
    if (video === null || !media.audioInVideo) parts.push({ type: "audio" });
  }
  return parts;
}

function mediaError(expected: string, got: string): OppoError {
  return new OppoError("ERR_PROMPT_MEDIA", `prompt: expected ${expected}, got ${got}. Change the turn's parts.`);
}
