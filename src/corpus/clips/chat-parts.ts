// A clip as parts of a chat message: its picture as a video file, its sound as a WAV file, both as base64.
import type { ChatPart } from "../../endpoint/chat.ts";
import type { MediaClip } from "../../media/clip.ts";
import { wavBytes } from "../../media/encode/wav.ts";
import type { VideoFile } from "../../media/remux.ts";

export function videoPart({ bytes, mimeType }: VideoFile): ChatPart {
  return { type: "video_url", video_url: { url: `data:${mimeType};base64,${Buffer.from(bytes).toString("base64")}` } };
}

export function soundPart({ waveform, sampleRateHz }: Pick<MediaClip, "waveform" | "sampleRateHz">): ChatPart {
  const data = Buffer.from(wavBytes(waveform, sampleRateHz)).toString("base64");
  return { type: "input_audio", input_audio: { data, format: "wav" } };
}
