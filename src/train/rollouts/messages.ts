// A request as a chat: the clip's frames as PNG, its sound as a WAV file of 32-bit floats, then the text, in the order in which our
// prompts have them. vLLM and our own server read a list of frames from one data URL of type video/jpeg.

import { pngBytes } from "../../media/encode/png.ts";
import { wavBytes } from "../../media/encode/wav.ts";
import type { RolloutRequest } from "./engine.ts";

const channels = 3;

/** The fields of a chat request that say what is asked about. */
export function conversationOf({ clip, text, system }: Pick<RolloutRequest, "clip" | "text" | "system">) {
  const { frames, numFrames, width, height, fps, waveform, sampleRateHz } = clip;
  const content: unknown[] = [];
  if (numFrames > 0) {
    const size = channels * width * height;
    const pictures = Array.from({ length: numFrames }, (_, i) =>
      pngBytes(frames.subarray(i * size, (i + 1) * size), width, height).toString("base64"),
    );
    content.push({ type: "video_url", video_url: { url: `data:video/jpeg;base64,${pictures.join(",")}` } });
  }
  if (waveform.length > 0) {
    const data = Buffer.from(wavBytes(waveform, sampleRateHz)).toString("base64");
    content.push({ type: "input_audio", input_audio: { data, format: "wav" } });
  }
  content.push({ type: "text", text });
  return {
    messages: [...(system === null ? [] : [{ role: "system", content: system }]), { role: "user", content }],
    ...(numFrames > 0 ? { media_io_kwargs: { video: { fps, num_frames: numFrames } } } : {}),
  };
}
