// A view of a clip as parts of a chat message. Masking is done here, on the media, so that a server cannot see what it should
// not: black frames and silence of the same size and length, or no part at all. What is not masked arrives as it is: the
// video's own packets without the sound, the sound as the samples that we decode ourselves.
import { createHash } from "node:crypto";
import type { ClipView } from "../../bench/respondent.ts";
import { soundPart, videoPart } from "../../corpus/clips/chat-parts.ts";
import type { MaskedAs } from "../../corpus/clips/local-respondent.ts";
import type { Sample } from "../../data/sample.ts";
import type { ChatPart } from "../../endpoint/chat.ts";
import { blackVideo, decodeClip, soundlessVideo, videoShape } from "../../media/isolated/index.ts";
import { MediaError } from "../../media/media-error.ts";
import type { VideoFile } from "../../media/remux.ts";
import type { MediaFiles } from "./media-files.ts";

export interface PartSource {
  readonly files: ReadonlyMap<string, MediaFiles>;
  readonly masked: MaskedAs;
  /** Black videos by shape, since clips of a corpus often share one. Filled here. */
  readonly blackVideos: Map<string, VideoFile>;
  /** Ends decoding at once. */
  readonly signal?: AbortSignal;
}

/** A black video is small, its encoding is not. */
const maxBlackVideos = 32;

/** Changes when the same view would be sent in other bytes. */
const partsVersion = "mep-parts-1";

/** Video, then sound: the order in which prompts have them. Made when they are sent, and not kept. */
export async function viewParts(view: ClipView, source: PartSource): Promise<ChatPart[]> {
  const parts: ChatPart[] = [];
  if (view.video !== null) parts.push(videoPart(await intactVideo(filesOf(view.video, source), source)));
  else if (source.masked === "blank") parts.push(videoPart(await blankVideo(filesOf(view.sample, source), source)));
  if (view.audio !== null) parts.push(soundPart(await soundOf(filesOf(view.audio, source), source)));
  else if (source.masked === "blank") {
    const { waveform, sampleRateHz } = await soundOf(filesOf(view.sample, source), source);
    parts.push(soundPart({ waveform: new Float32Array(waveform.length), sampleRateHz }));
  }
  return parts;
}

/** Stands for the parts of a view and the text beside them, without making them. */
export function viewKey(view: ClipView, text: string, source: PartSource): string {
  const shown = (sample: Sample | null) =>
    sample === null
      ? [source.masked, source.masked === "blank" ? filesOf(view.sample, source).hash : null]
      : ["intact", filesOf(sample, source).hash];
  const content = [partsVersion, shown(view.video), shown(view.audio), text];
  return createHash("sha256").update(JSON.stringify(content)).digest("hex");
}

function filesOf(sample: Sample, { files }: PartSource): MediaFiles {
  return files.get(sample.id)!;
}

async function intactVideo({ video }: MediaFiles, { signal }: PartSource): Promise<VideoFile> {
  return (await soundlessVideo(video, {}, signal)) ?? fail(video);
}

async function blankVideo({ video }: MediaFiles, { blackVideos, signal }: PartSource): Promise<VideoFile> {
  const shape = (await videoShape(video, {}, signal)) ?? fail(video);
  const key = JSON.stringify(shape);
  const known = blackVideos.get(key);
  if (known !== undefined) return known;
  const made = await blackVideo(video, shape, signal);
  if (blackVideos.size >= maxBlackVideos) blackVideos.clear();
  blackVideos.set(key, made);
  return made;
}

function fail(path: string): never {
  throw new MediaError(
    "ERR_MEDIA_NO_STREAMS",
    path,
    "expected a video with a frame rate, got none. Build the set again without this clip.",
  );
}

async function soundOf({ video, sound }: MediaFiles, { signal }: PartSource) {
  const { waveform, sampleRateHz } = await decodeClip(sound ?? video, { soundOnly: true }, signal);
  return { waveform, sampleRateHz };
}
