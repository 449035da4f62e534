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
  const clip = await decode(mediaPath(root, sample), options, signal);
  const soundFile = audioPath(root, sample);
  if (soundFile === null) return clip;
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
