// How many pixels a checkpoint lets a picture have, and a video where nothing of its own says so: transformers' files in
// transformers' order, min_pixels and max_pixels or the edges of `size`, which are pixels too (Qwen2VLImageProcessor).
import { join } from "node:path";
import { z } from "zod";
import type { PixelRange, VideoFit } from "../../media/fit.ts";
import { imagePixelLimits } from "../../media/sampling.ts";
import { CheckpointError } from "../../tensor/index.ts";
import { parseJsonObject } from "../../text/json-file.ts";
import { readCompanions } from "../checkpoint/model-directory.ts";
import { defaultVideoSettings, parseVideoSettings, type VideoSettings, videoFit } from "./processor.ts";

const positive = z.number().positive();
const rangeSchema = z.looseObject({
  min_pixels: positive.nullish(),
  max_pixels: positive.nullish(),
  size: z
    .looseObject({
      ...{ shortest_edge: positive.nullish(), longest_edge: positive.nullish() },
      // Of older files.
      ...{ min_pixels: positive.nullish(), max_pixels: positive.nullish() },
    })
    .nullish(),
});

const PROCESSOR_FILE = "processor_config.json";
const IMAGE_FILE = "preprocessor_config.json";
const VIDEO_FILE = "video_preprocessor_config.json";

/** A directory's small files by name. */
type Companions = ReadonlyMap<string, string>;

/** Of the picture processor; without one the range of qwen-omni-utils. @throws CheckpointError ERR_CHECKPOINT_CONFIG */
export function imageRange(companions: Companions, directory: string): PixelRange {
  const nested = nestedConfig(companions, directory, "image_processor");
  const own = nested ?? fileConfig(companions, directory, IMAGE_FILE);
  if (own === null) return imagePixelLimits;
  const { minPixels = imagePixelLimits.minPixels, maxPixels = imagePixelLimits.maxPixels } = readRange(own);
  return checkedRange({ minPixels, maxPixels }, own.where);
}

/**
 * Of the video processor. Without one the rules of qwen-omni-utils, within what the picture processor allows, which
 * transformers then applies to videos.
 * @throws CheckpointError ERR_CHECKPOINT_CONFIG
 */
export function videoSettings(companions: Companions, directory: string): VideoSettings {
  const own = nestedConfig(companions, directory, "video_processor") ?? fileConfig(companions, directory, VIDEO_FILE);
  if (own !== null) return parseVideoSettings(own.json, own.where);
  const range = imageRange(companions, directory);
  const maxPixels = Math.min(defaultVideoSettings.maxPixels, range.maxPixels);
  const minPixels = Math.max(Math.min(defaultVideoSettings.minPixels, maxPixels), range.minPixels);
  return { ...defaultVideoSettings, minPixels, maxPixels };
}

/** How a thinker looks at a video, from its folder's small files alone. @param directory null: as the published models do */
export function fittingOf(directory: string | null): VideoFit {
  return videoFit(videoSettings(directory === null ? new Map() : readCompanions(directory), directory ?? "published"));
}

interface ConfigPart {
  readonly json: unknown;
  /** For errors. */
  readonly where: string;
}

function fileConfig(companions: Companions, directory: string, name: string): ConfigPart | null {
  const text = companions.get(name);
  const where = join(directory, name);
  return text === undefined ? null : { json: parseJsonObject(text, where, "ERR_CHECKPOINT_CONFIG"), where };
}

function nestedConfig(companions: Companions, directory: string, key: string): ConfigPart | null {
  const file = fileConfig(companions, directory, PROCESSOR_FILE);
  const json = (file?.json as Record<string, unknown> | undefined)?.[key];
  return json === undefined || json === null ? null : { json, where: `${file!.where}: ${key}` };
}

function readRange({ json, where }: ConfigPart): { minPixels?: number; maxPixels?: number } {
  const parsed = rangeSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new CheckpointError(
      "ERR_CHECKPOINT_CONFIG",
      where,
      `${issue.path.join(".")}: ${issue.message}. Fix the file or remove it.`,
    );
  }
  const { min_pixels, max_pixels, size } = parsed.data;
  const minPixels = min_pixels ?? size?.shortest_edge ?? size?.min_pixels;
  const maxPixels = max_pixels ?? size?.longest_edge ?? size?.max_pixels;
  return { ...(minPixels ? { minPixels } : {}), ...(maxPixels ? { maxPixels } : {}) };
}

function checkedRange(range: PixelRange, where: string): PixelRange {
  if (range.minPixels <= range.maxPixels) return range;
  throw new CheckpointError(
    "ERR_CHECKPOINT_CONFIG",
    where,
    `min_pixels: expected at most max_pixels, ${range.maxPixels}, got ${range.minPixels}. Fix the file or remove it.`,
  );
}
