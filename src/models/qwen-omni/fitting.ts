// How a thinker looks at a video, from its folder's small files alone.
import type { VideoFit } from "../../media/fit.ts";
import { readCompanions } from "../checkpoint/model-directory.ts";
import { videoSettings } from "./pixel-ranges.ts";
import { videoFit } from "./processor.ts";

/** @param directory null: as the published models do @throws CheckpointError ERR_CHECKPOINT_CONFIG */
export function fittingOf(directory: string | null): VideoFit {
  return videoFit(videoSettings(directory === null ? new Map() : readCompanions(directory), directory ?? "published"));
}
