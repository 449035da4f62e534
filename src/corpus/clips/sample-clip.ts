// A sample's media as one clip. Where the corpus keeps sound in a file of its own, that file is the sound, whatever track the
// video has; a sound file that is missing or silent by mistake is an error, never a reason to take the other track.
import { audioPath, mediaPath } from "../../data/jsonl.ts";
import type { Sample } from "../../data/sample.ts";
import type { MediaClip } from "../../media/clip.ts";
import { type ClipOptions, type DecodeClip, decodeClip } from "../../media/isolated/index.ts";
import { MediaError } from "../../media/media-error.ts";

/** @throws MediaError, DatasetError ERR_DATASET_MEDIA_OUTSIDE; the signal's reason at once when it aborts */
export async function decodeSample(
  root: string,
  sample: Pick<Sample, "id" | "media" | "audio">,
  options: ClipOptions = {},
  signal?: AbortSignal,
  decode: DecodeClip = decodeClip,
): Promise<MediaClip> {
  const soundFile = audioPath(root, sample);
  const file = mediaPath(root, sample);
  return soundFile === null ? decode(file, options, signal) : decodeWithSound(file, soundFile, options, signal, decode);
}

/** A clip whose sound is another file's. @throws MediaError */
export async function decodeWithSound(
  file: string,
  soundFile: string,
  options: ClipOptions = {},
  signal?: AbortSignal,
  decode: DecodeClip = decodeClip,
): Promise<MediaClip> {
  const clip = await decode(file, options, signal);
  const sound = await decode(soundFile, { ...options, soundOnly: true }, signal);
  const { waveform, sampleRateHz, durationSeconds, notices = [] } = sound;
  if (waveform.length === 0) {
    throw new MediaError(
      "ERR_MEDIA_NO_STREAMS",
      soundFile,
      "expected a sound track, got none. Name a file that has one.",
    );
  }
  return {
    ...clip,
    waveform,
    sampleRateHz,
    durationSeconds: clip.numFrames > 0 ? clip.durationSeconds : durationSeconds,
    ...(notices.length === 0 ? {} : { notices: [...(clip.notices ?? []), ...notices] }),
  };
}
