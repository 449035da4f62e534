// From the turns of a job to the model's prompt. What the prompt code does not know yet is refused with its reason, before
// anything is decoded.
import type { ClipShape, OmniModel, PromptTokens } from "../../models/omni-model.ts";
import { type HttpError, unsupported } from "../http/http-error.ts";
import type { MediaFile, Turn } from "./protocol.ts";

/** A prompt that the model can be given: one user turn about at most one video and one sound. */
export interface PlainPrompt {
  readonly system: string | null;
  readonly text: string;
}

/** @throws HttpError ERR_REQUEST_UNSUPPORTED */
export function plainPrompt(turns: readonly Turn[], media: readonly MediaFile[]): PlainPrompt {
  const system = turns[0]?.role === "system" ? textOf(turns[0]) : null;
  const rest = system === null ? turns : turns.slice(1);
  const [user, ...more] = rest;
  if (user?.role !== "user" || more.length > 0) {
    const roles = turns.map(({ role }) => role).join(", ");
    throw unsupported(
      "messages",
      `expected an optional system message and one user message, got ${roles}. Send one turn.`,
    );
  }
  requireOrder(user, media);
  return { system, text: textOf(user) };
}

/** Ids and positions, exactly as `oppo infer` makes them. */
export function promptTokens(model: OmniModel, { system, text }: PlainPrompt, shape: ClipShape): PromptTokens {
  return model.promptTokens(text, shape, system === null ? {} : { system });
}

function textOf(turn: Turn): string {
  return turn.parts.map((part) => (part.type === "text" ? part.text : "")).join("");
}

/** Video, then sound, then text: the order in which the model was trained. */
function requireOrder(user: Turn, media: readonly MediaFile[]): void {
  const kinds = user.parts.map((part) => (part.type === "text" ? "text" : kindOf(media[part.media]!)));
  const wrong = (got: string): HttpError =>
    unsupported(
      "messages",
      `expected at most one video, then at most one audio, then text, got ${got}. Order the parts so.`,
    );
  const order = ["video", "audio", "text"];
  const ranks = kinds.map((kind) => order.indexOf(kind));
  if (kinds.includes("image"))
    throw unsupported("messages", "this model's prompts take video and audio, got an image.");
  if (ranks.some((rank, i) => i > 0 && rank < ranks[i - 1]!)) throw wrong(kinds.join(", "));
  for (const kind of ["video", "audio"])
    if (kinds.filter((one) => one === kind).length > 1) throw wrong(kinds.join(", "));
  if (media.some((file) => file.kind === "video" && file.withSound) && kinds.includes("audio")) {
    throw unsupported(
      "mm_processor_kwargs.use_audio_in_video",
      "expected no audio part beside it, got one. Leave one of them out.",
    );
  }
}

function kindOf(file: MediaFile): "video" | "audio" | "image" {
  return file.kind === "frames" ? "video" : file.kind;
}
