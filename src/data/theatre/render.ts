// One scene as files: an mp4 of the actor, a subtitle track beside it, and the sample that describes both.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeClip } from "../../media/encode/encode.ts";
import { createRandom } from "../../random.ts";
import { temporaryBeside } from "../../temporary-files.ts";
import type { Sample } from "../sample.ts";
import type { Scene } from "./draw.ts";
import type { ClipFormat } from "./plan.ts";
import { annotate, exactCues } from "./script.ts";
import { stageFrames } from "./stage.ts";
import { speak } from "./voice.ts";

/** Raise it when pixels or sound change for the same scene; clips made before are then made anew. */
const rendererVersion = 2;

/** A scene with its place in a corpus. */
export interface PlacedScene {
  /** Example: "sft-00012" */
  readonly id: string;
  readonly split: string;
  readonly scene: Scene;
}

/** The path of a scene's clip under the corpus root; it names the content, so an existing file never needs a second look. */
export function clipPath({ id, scene }: PlacedScene, format: ClipFormat): string {
  const { visual, acoustic, subtitle, seed, troupe } = scene;
  const played = troupe === undefined ? [] : [troupe];
  const content = JSON.stringify([rendererVersion, format, visual, acoustic, subtitle, seed, ...played]);
  return `clips/${id}-${createHash("sha256").update(content).digest("hex").slice(0, 10)}.mp4`;
}

/** The row of a scene. Its annotation is a function of the scene, not of any earlier row. */
export function sceneSample(placed: PlacedScene, format: ClipFormat): Sample {
  const { id, split, scene } = placed;
  const { reasoning, labels } = annotate(scene, createRandom(scene.seed ^ 0x40071));
  return {
    id,
    media: clipPath(placed, format),
    subtitle: scene.subtitle,
    labels,
    reasoning,
    cues: exactCues(scene),
    meta: { split, scene },
  };
}

/**
 * Writes the clip and its subtitle track, unless they are there. False when nothing was to do.
 * @throws MediaError ERR_MEDIA_ENCODE, ERR_MEDIA_NO_SPACE, ERR_MEDIA_WRITE
 */
export async function renderClip(root: string, placed: PlacedScene, format: ClipFormat): Promise<boolean> {
  const path = join(root, clipPath(placed, format));
  if (existsSync(path)) return false;
  const { scene } = placed;
  const { size, fps, seconds, sampleRateHz, crf, preset } = format;
  const voice = speak(scene, seconds, sampleRateHz);
  await writeWhole(path.replace(/mp4$/, "vtt"), subtitleTrack(scene.subtitle, seconds));
  // The clip comes last: where it is, the subtitles are too.
  await encodeClip(path, {
    width: size,
    height: size,
    fps,
    frames: stageFrames(scene, voice.lips, { size, fps, numFrames: Math.round(seconds * fps) }),
    waveform: voice.waveform,
    sampleRateHz,
    crf,
    preset,
  });
  return true;
}

/** WebVTT, shown for the clip's whole length. */
function subtitleTrack(line: string, seconds: number): string {
  return `WEBVTT\n\n00:00.000 --> 00:${seconds.toFixed(3).padStart(6, "0")}\n${line}\n`;
}

async function writeWhole(path: string, text: string): Promise<void> {
  const partial = temporaryBeside(path);
  await writeFile(partial, text);
  await rename(partial, path);
}
