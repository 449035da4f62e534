// A clip in memory as an mp4: without the last row and column where a size is odd, since the encoder takes even ones.
import type { MediaClip } from "../clip.ts";
import { type EncodeInput, encodeClip } from "./encode.ts";

const channels = 3;

/** @throws MediaError ERR_MEDIA_ARGUMENT, ERR_MEDIA_ENCODE, ERR_MEDIA_NO_SPACE, ERR_MEDIA_WRITE */
export function encodeMediaClip(
  path: string,
  clip: MediaClip,
  quality: Pick<EncodeInput, "crf" | "preset" | "audioBitRate">,
): Promise<void> {
  const { fps, waveform, sampleRateHz } = clip;
  const [width, height] = [evenBelow(clip.width), evenBelow(clip.height)];
  const frames = evenFrames(clip, width, height);
  return encodeClip(path, { width, height, fps, frames, waveform, sampleRateHz, ...quality });
}

const evenBelow = (size: number) => size - (size % 2);

function* evenFrames({ frames, numFrames, width: stride, height: rows }: MediaClip, width: number, height: number) {
  for (let f = 0; f < numFrames; f++) {
    const frame = new Uint8Array(width * height * channels);
    for (let y = 0; y < height; y++) {
      const start = (f * rows + y) * stride * channels;
      frame.set(frames.subarray(start, start + width * channels), y * width * channels);
    }
    yield frame;
  }
}
