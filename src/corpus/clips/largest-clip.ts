// The largest clip that a model will be shown, told by the headers of files: what memory has to be enough for.
import { audioPath, mediaPath } from "../../data/jsonl.ts";
import type { Sample } from "../../data/sample.ts";
import { OppoError } from "../../error.ts";
import { fittedSize, type VideoFit } from "../../media/fit.ts";
import { probeClip } from "../../media/isolated/index.ts";
import { countSampledFrames } from "../../media/sampling.ts";
import type { MediaSize } from "../../models/model-shape.ts";

/** Headers are read of so many clips, spread evenly over the corpus: thousands would take minutes. */
const maxProbed = 64;
/** Of a file that states none. */
const defaultFps = 2;

export interface LargestClip {
  /** The most of each that any clip has; null where no clip could be read. */
  readonly media: MediaSize | null;
  readonly numProbed: number;
}

/** Unreadable files are passed over: loading them says so. @param root where media paths begin */
export async function largestClip(
  root: string,
  samples: readonly Pick<Sample, "id" | "media" | "audio">[],
  fit: VideoFit,
  signal?: AbortSignal,
): Promise<LargestClip> {
  const sizes: MediaSize[] = [];
  const stride = Math.max(1, samples.length / maxProbed);
  for (let at = 0; at < samples.length; at += stride) {
    signal?.throwIfAborted();
    const size = await sizeOf(root, samples[Math.floor(at)]!, fit, signal);
    if (size !== null) sizes.push(size);
  }
  if (sizes.length === 0) return { media: null, numProbed: 0 };
  const most = sizes.reduce((a, b) => (b.frames * b.height * b.width > a.frames * a.height * a.width ? b : a));
  return {
    media: { ...most, audioSeconds: Math.max(...sizes.map(({ audioSeconds }) => audioSeconds)) },
    numProbed: sizes.length,
  };
}

async function sizeOf(
  root: string,
  sample: Pick<Sample, "id" | "media" | "audio">,
  fit: VideoFit,
  signal: AbortSignal | undefined,
): Promise<MediaSize | null> {
  try {
    const { video, audio, durationSeconds } = await probeClip(mediaPath(root, sample), {}, signal);
    const soundFile = audioPath(root, sample);
    const sound = soundFile === null ? null : await probeClip(soundFile, {}, signal);
    const audioSeconds = sound?.durationSeconds ?? (audio === null ? 0 : durationSeconds);
    if (video === null) return { frames: 0, height: 0, width: 0, audioSeconds };
    const fps = video.fps || fit.fps || defaultFps;
    const total = video.numFrames || Math.max(2, Math.round(durationSeconds * fps));
    const frames = countSampledFrames(total, fps, fit) ?? 0;
    return { frames, ...fittedSize(video, Math.max(1, frames), fit), audioSeconds };
  } catch (error) {
    if (!(error instanceof OppoError) || signal?.aborted) throw error;
    return null;
  }
}
