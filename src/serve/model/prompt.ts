// From the turns of a job to the model's prompt: the turns as they are, media where their parts stand.
import type { ChatTurn, ClipShape, OmniModel, PromptPart, PromptTokens } from "../../models/omni-model.ts";
import { unsupported } from "../http/http-error.ts";
import type { MediaFile, Turn } from "./protocol.ts";

/** Refuses a conversation that no turn of the model can follow. @throws HttpError ERR_REQUEST_UNSUPPORTED */
export function requireConversation(turns: readonly Turn[]): void {
  const roles = turns.map(({ role }) => role);
  if (roles.at(-1) !== "user") {
    throw unsupported("messages", `expected a user message at the end, got one of the ${roles.at(-1)}. Add one.`);
  }
  if (roles.lastIndexOf("system") > 0) {
    throw unsupported("messages", "expected a system message at the beginning only, got one later. Move it.");
  }
}

/**
 * The tokens of a job. One user turn of video, sound and text gives what `oppo infer` gives.
 * @param shapes of the media, in their order
 */
export function promptOf(
  model: OmniModel,
  turns: readonly Turn[],
  media: readonly MediaFile[],
  shapes: readonly ClipShape[],
): PromptTokens {
  const partsOf = (turn: Turn) =>
    turn.parts.map((part): PromptPart => {
      if (part.type === "text") return part;
      const shape = shapes[part.media]!;
      return media[part.media]!.kind === "image" ? { type: "image", image: shape } : { type: "clip", clip: shape };
    });
  const chat = turns.map((turn): ChatTurn => ({ role: turn.role, parts: partsOf(turn) }));
  const hasSound = media.some((file) => file.kind === "video" && file.withSound);
  // Of a model that does not interleave them the sound follows its video.
  const layout = "audio-in-video";
  return model.chatTokens(chat, hasSound && model.layouts.includes(layout) ? { layout } : {});
}
