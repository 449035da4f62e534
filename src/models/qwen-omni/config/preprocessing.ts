// The files that say how pictures, videos and sound become numbers (preprocessor_config.json, processor_config.json,
// video_preprocessor_config.json), checked against what the media layer does: other means, other windows, other resizing
// are refused by name. Ranges of pixels and frames, which are honoured, must be ranges.
import { join } from "node:path";
import { melSampleRateHz, numMels } from "../../../media/mel.ts";
import { cellSize, framesPerPatch, patchSize } from "../../../media/sampling.ts";
import { CheckpointError } from "../../../tensor/error.ts";
import { parseJsonObject } from "../../../text/json-file.ts";
import { isOff, shownValue } from "../../checkpoint/config-fields.ts";

type Json = Readonly<Record<string, unknown>>;
type Accepts = (value: unknown) => boolean;

const CODE = "ERR_CHECKPOINT_CONFIG";
const MAX_PIXELS = 2 ** 31;
/** Everything below is made at least this large: what a picture may have at most. */
const MAX_MIN_PIXELS = 16384 * cellSize ** 2;
const MAX_FRAMES = 100_000;
const MAX_FPS = 1000;

const is =
  (...values: unknown[]): Accepts =>
  (value) =>
    values.includes(value);
const near =
  (...wanted: number[]): Accepts =>
  (value) => {
    const numbers = Array.isArray(value) ? value : [value];
    return numbers.length === wanted.length && wanted.every((want, i) => Math.abs(Number(numbers[i]) - want) < 1e-6);
  };
const named =
  (expression: RegExp): Accepts =>
  (value) =>
    typeof value === "string" && expression.test(value);
const any: Accepts = () => true;
const whole =
  (most: number, least = 1): Accepts =>
  (value) =>
    Number.isInteger(value) && (value as number) >= least && (value as number) <= most;

/** What has no effect on numbers here, or is the caller's business. */
const COMMON: Readonly<Record<string, Accepts>> = {
  ...{ processor_class: any, auto_map: any, return_tensors: any, device: any, disable_grouping: any },
  ...{ transformers_version: any, _processor_class: any, name_or_path: any, backend: any },
};

const PICTURES: Readonly<Record<string, Accepts>> = {
  ...COMMON,
  image_processor_type: named(/^Qwen2(_5_?)?VLImageProcessor(Fast|Pil)?$/),
  video_processor_type: named(/^Qwen2(_5_?)?VLVideoProcessor$/),
  // CLIP's.
  image_mean: near(0.48145466, 0.4578275, 0.40821073),
  image_std: near(0.26862954, 0.26130258, 0.27577711),
  rescale_factor: near(1 / 255),
  ...{ do_resize: is(true), do_rescale: is(true), do_normalize: is(true), do_convert_rgb: is(true) },
  /** Bicubic. */
  resample: is(3, "bicubic"),
  patch_size: is(patchSize),
  temporal_patch_size: is(framesPerPatch),
  merge_size: is(cellSize / patchSize),
  ...{ min_pixels: whole(MAX_MIN_PIXELS), max_pixels: whole(MAX_PIXELS, cellSize ** 2) },
  ...{ min_frames: whole(MAX_FRAMES), max_frames: whole(MAX_FRAMES) },
  fps: (value) => typeof value === "number" && value > 0 && value <= MAX_FPS,
  size: isSize,
  ...{ data_format: is("channels_first"), input_data_format: is("channels_first") },
  // Frames are chosen as qwen-omni-utils chooses them, in front of the processor.
  ...{ do_sample_frames: any, return_metadata: any, max_video_tokens: any, default_to_square: any },
};

const SOUND: Readonly<Record<string, Accepts>> = {
  ...COMMON,
  feature_extractor_type: is("WhisperFeatureExtractor"),
  ...{ feature_size: is(numMels), sampling_rate: is(melSampleRateHz), hop_length: is(160), n_fft: is(400) },
  padding_value: is(0),
  dither: is(0),
  // Of the buffer that clips are padded in.
  ...{ chunk_length: any, n_samples: any, nb_max_frames: any, padding_side: any, return_attention_mask: any },
};

/** Which fields each file has, and in which of its objects. */
const FILES: readonly { readonly name: string; readonly parts: readonly [string | null, typeof PICTURES][] }[] = [
  { name: "preprocessor_config.json", parts: [[null, { ...PICTURES, ...SOUND }]] },
  { name: "video_preprocessor_config.json", parts: [[null, PICTURES]] },
  {
    name: "processor_config.json",
    parts: [
      ["image_processor", PICTURES],
      ["video_processor", PICTURES],
      ["feature_extractor", SOUND],
      [null, { ...COMMON, chat_template: any, image_processor: any, video_processor: any, feature_extractor: any }],
    ],
  },
];

/**
 * @param companions the small files of a model's directory by name
 * @throws CheckpointError ERR_CHECKPOINT_CONFIG
 */
export function requirePreprocessing(directory: string, companions: ReadonlyMap<string, string>): void {
  for (const { name, parts } of FILES) {
    const text = companions.get(name);
    if (text === undefined) continue;
    const path = join(directory, name);
    const json = parseJsonObject(text, path, CODE);
    for (const [part, fields] of parts) {
      const own = part === null ? json : json[part];
      if (own !== null && own !== undefined) requireFields(own as Json, fields, path, part === null ? "" : `${part}.`);
    }
  }
}

function requireFields(json: Json, fields: Readonly<Record<string, Accepts>>, path: string, where: string): void {
  for (const [key, value] of Object.entries(json)) {
    const accepts = Object.hasOwn(fields, key) ? fields[key] : undefined;
    // Absent, as transformers reads null. False or 0 are values of fields that are known.
    if (value === null || value === undefined || (accepts ? accepts(value) : isOff(value))) continue;
    const what = `${where}${key}: expected the value that the media layer works with, got ${shownValue(value)}`;
    throw new CheckpointError(CODE, path, `${what}. Other preprocessing is not implemented.`);
  }
  const { min_frames, max_frames } = json;
  const [least, most] = pixelRange(json);
  for (const [low, high, unit] of [
    [least, most, "pixels"],
    [min_frames, max_frames, "frames"],
  ] as const) {
    if (typeof low !== "number" || typeof high !== "number" || low <= high) continue;
    throw new CheckpointError(
      CODE,
      path,
      `${where}${unit}: expected at least ${low} as the most, got ${high}. Fix the file.`,
    );
  }
}

function pixelRange({ min_pixels, max_pixels, size }: Json): [unknown, unknown] {
  const { shortest_edge, longest_edge } = (size ?? {}) as Json;
  return [min_pixels ?? shortest_edge, max_pixels ?? longest_edge];
}

function isSize(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).every(([key, pixels]) => {
    if (pixels === null) return true;
    if (key === "shortest_edge" || key === "min_pixels") return whole(MAX_MIN_PIXELS)(pixels);
    return (key === "longest_edge" || key === "max_pixels") && whole(MAX_PIXELS, cellSize ** 2)(pixels);
  });
}
