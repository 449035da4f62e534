// The media of a prompt as one clip, decoded with the very code that `oppo infer` and the benchmarks use: the same file
// gives the same frames and samples. Sound inside a video is left out unless it is asked for; sound of its own replaces it.
import { readFile } from "node:fs/promises";
import type { MediaClip } from "../../media/clip.ts";
import { decodeClip } from "../../media/decode.ts";
import type { FrameSampling } from "../../models/omni-model.ts";
import { HttpError } from "../http/http-error.ts";
import { decodePictures } from "./pictures.ts";
import type { MediaFile } from "./protocol.ts";

/** What a server decodes at most: an hour of 8K is for other tools. */
const limits = { maxDurationSeconds: 600, maxPixels: 4096 * 2304 };

const empty: MediaClip = {
  frames: new Uint8Array(0),
  numFrames: 0,
  height: 0,
  width: 0,
  fps: 0,
  waveform: new Float32Array(0),
  sampleRateHz: 16000,
  durationSeconds: 0,
};

/** At most one video and one audio. @throws MediaError, HttpError ERR_REQUEST_MEDIA */
export async function clipOf(media: readonly MediaFile[], sampling: FrameSampling): Promise<MediaClip> {
  let clip = empty;
  for (const file of media) {
    if (file.kind === "audio") {
      const { waveform, sampleRateHz, durationSeconds } = await decodeClip(file.path, limits);
      if (waveform.length === 0) throw mediaError("a sound in the audio part", "a file without one");
      clip = { ...clip, waveform, sampleRateHz, durationSeconds: Math.max(clip.durationSeconds, durationSeconds) };
    } else {
      const video = await videoOf(file, sampling);
      const { waveform, sampleRateHz } = clip.waveform.length > 0 ? clip : video;
      clip = { ...video, waveform, sampleRateHz };
    }
  }
  return clip;
}

async function videoOf(file: Exclude<MediaFile, { kind: "audio" }>, sampling: FrameSampling): Promise<MediaClip> {
  if (file.kind === "image") throw mediaError("a video or an audio", "an image");
  if (file.kind === "frames") {
    const pictures = await Promise.all(file.paths.map((path) => readFile(path)));
    const fps = file.fps ?? sampling.fps;
    return { ...empty, ...(await decodePictures(pictures)), fps, durationSeconds: pictures.length / fps };
  }
  const clip = await decodeClip(file.path, { ...sampling, ...limits });
  if (clip.numFrames === 0) throw mediaError("a picture in the video part", "a file without one");
  return file.withSound ? clip : { ...clip, waveform: new Float32Array(0) };
}

function mediaError(expected: string, got: string): HttpError {
  return new HttpError(
    400,
    "ERR_REQUEST_MEDIA",
    `messages: expected ${expected}, got ${got}. Send media of that kind.`,
  );
}
