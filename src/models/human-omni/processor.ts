// From a decoded clip or picture to what the towers read: frames of the tower's square size, log-mel of one window. How frames
// become square and what is heard of stereo stands in processor_config.json; what the towers' own files say is checked.
import { join } from "node:path";
import { z } from "zod";
import { OppoError } from "../../error.ts";
import type { MediaClip } from "../../media/clip.ts";
import { zeroMel } from "../../media/degrade/zeroed-mel.ts";
import { fitPicture, fitVideo, type StereoMix, type VideoFit } from "../../media/fit.ts";
import { createMelExtractor, type MelExtractor, melSampleRateHz, numMels } from "../../media/mel.ts";
import type { SquareFit } from "../../media/square.ts";
import { CheckpointError } from "../../tensor/error.ts";
import { parseJsonObject } from "../../text/json-file.ts";
import { type HumanOmniFeatures, soundFeatures, videoFeatures } from "./clips.ts";
import type { HumanOmniConfig } from "./config/config.ts";
import type { Json, Towers } from "./config/towers.ts";

const CODE = "ERR_CHECKPOINT_CONFIG";
const FILE = "processor_config.json";
const hop = 160;
const window = 400;

/** How a model looks and listens. */
export interface MediaSettings {
  readonly fit: VideoFit & { readonly square: SquareFit };
  /** Mel frames of a sound, the silence behind it included. */
  readonly melFrames: number;
}

const settingsSchema = z.strictObject({
  processor_class: z.unknown().optional(),
  /** The reference squashes frames where it answers and pads them where it trains; here both do as this says. */
  square: z.enum(["squash", "pad"]).default("squash"),
  /** "power" is what the reference hears of two channels. */
  stereo: z.enum(["mean", "power"] satisfies StereoMix[]).default("mean"),
  /** null: one of every second. */
  num_frames: z.number().int().positive().max(512).nullish(),
});

/**
 * @param companions the small files of the model's directory by name
 * @throws CheckpointError ERR_CHECKPOINT_CONFIG
 */
export function mediaSettings(
  config: HumanOmniConfig,
  companions: ReadonlyMap<string, string>,
  towers: Towers,
  directory: string,
): MediaSettings {
  const text = companions.get(FILE);
  const parsed = settingsSchema.safeParse(text === undefined ? {} : parseJsonObject(text, join(directory, FILE), CODE));
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new CheckpointError(
      CODE,
      join(directory, FILE),
      `${issue.path.join(".") || "fields"}: ${issue.message}. Fix the file.`,
    );
  }
  requireTowerFiles(config, companions, towers, directory);
  const { square: shape, stereo, num_frames: asked } = parsed.data;
  const numFrames = asked === undefined ? config.numFrames : asked;
  const melFrames = 2 * config.audio.maxPositions;
  return {
    fit: {
      parts: numFrames ?? "seconds",
      square: { side: config.vision.imageSize, shape },
      sound: { maxSeconds: (melFrames * hop) / melSampleRateHz, stereo },
    },
    melFrames,
  };
}

/** What SigLIP's and Whisper's files say of pictures and sound, against what the media layer does. */
function requireTowerFiles(
  { vision, audio }: HumanOmniConfig,
  companions: ReadonlyMap<string, string>,
  { vision: seeing, audio: hearing }: Towers,
  directory: string,
): void {
  const { imageSize } = vision;
  const half = [0.5, 0.5, 0.5];
  const pictures = {
    image_mean: half,
    image_std: half,
    resample: 3,
    do_resize: true,
    do_normalize: true,
    do_rescale: true,
  };
  const wanted: Json = { ...pictures, size: { height: imageSize, width: imageSize } };
  requireFields(companions, `${seeing.folder}/preprocessor_config.json`, wanted, directory);
  const sounds: Json = {
    ...{ feature_size: numMels, sampling_rate: melSampleRateHz, hop_length: hop, n_fft: window, padding_value: 0 },
    nb_max_frames: 2 * audio.maxPositions,
  };
  requireFields(companions, `${hearing.folder}/preprocessor_config.json`, sounds, directory);
}

function requireFields(companions: ReadonlyMap<string, string>, name: string, wanted: Json, directory: string): void {
  const text = companions.get(name);
  if (text === undefined) return;
  const path = join(directory, name);
  const json = parseJsonObject(text, path, CODE);
  for (const [key, value] of Object.entries(wanted)) {
    const got = json[key];
    if (got === null || got === undefined || JSON.stringify(got) === JSON.stringify(value)) continue;
    const what = `${key}: expected ${JSON.stringify(value)}, got ${JSON.stringify(got).slice(0, 60)}`;
    throw new CheckpointError(CODE, path, `${what}. Other preprocessing is not implemented.`);
  }
}

/** The clip as the model looks and listens. @throws OppoError ERR_SAMPLE_RATE */
export function fitClip(clip: MediaClip, { fit }: MediaSettings): MediaClip {
  if (clip.waveform.length > 0 && clip.sampleRateHz !== melSampleRateHz) {
    throw new OppoError(
      "ERR_SAMPLE_RATE",
      `fitClip: expected a waveform at ${melSampleRateHz} Hz, got ${clip.sampleRateHz}. Decode the clip at that rate.`,
    );
  }
  return fitVideo(clip, fit);
}

/** A picture of the tower's size. @throws OppoError ERR_PROMPT_MEDIA */
export function fitImage(image: MediaClip, { fit }: MediaSettings): MediaClip {
  if (image.numFrames !== 1) {
    throw new OppoError(
      "ERR_PROMPT_MEDIA",
      `fitImage: expected a picture, one frame, got ${image.numFrames} frames. Fit a video with fitClip.`,
    );
  }
  return fitPicture(image, fit.square);
}

/** Turns fitted clips into features; keeps the mel tables. @throws OppoError ERR_FRAME_SIZE */
export function createFeatureExtractor(
  config: HumanOmniConfig,
  { fit, melFrames }: MediaSettings,
): (fitted: MediaClip) => HumanOmniFeatures {
  let mel: MelExtractor | null = null;
  const { side } = fit.square;
  return (clip) => {
    const { frames, numFrames, height, width, waveform } = clip;
    if (numFrames > 0 && (height !== side || width !== side)) {
      throw new OppoError(
        "ERR_FRAME_SIZE",
        `features: expected frames of ${side} x ${side}, got ${height} x ${width}. Fit the clip first.`,
      );
    }
    mel ??= createMelExtractor();
    const sound = waveform.length > 0 ? melOfWindow(mel, waveform, melFrames) : null;
    if (sound !== null) zeroMel(sound, clip);
    return {
      video: numFrames > 0 ? videoFeatures(frames, numFrames, config) : null,
      audio: sound === null ? null : soundFeatures(sound, config),
    };
  };
}

/**
 * Log-mel of a window that begins with the waveform and is silent behind it, [M, melFrames]. Only the frames that hear some of
 * the sound are computed: those behind are all alike.
 */
function melOfWindow(mel: MelExtractor, waveform: Float32Array, melFrames: number): Float32Array {
  const bufferSeconds = (melFrames * hop) / melSampleRateHz;
  const audible = waveform.subarray(0, melFrames * hop);
  const padded = new Float32Array(Math.min(melFrames * hop, (Math.ceil(audible.length / hop) + 1) * hop + window));
  padded.set(audible);
  const { values, numFrames } = mel(padded, { bufferSeconds });
  if (numFrames === melFrames) return values;
  const whole = new Float32Array(numMels * melFrames);
  for (let band = 0; band < numMels; band++) {
    const row = band * melFrames;
    whole.set(values.subarray(band * numFrames, (band + 1) * numFrames), row);
    whole.fill(values[(band + 1) * numFrames - 1]!, row + numFrames, row + melFrames);
  }
  return whole;
}
