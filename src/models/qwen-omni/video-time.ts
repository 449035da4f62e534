// How much time lies between two frame pairs of a video, as its position ids say: 1 s whatever the sampling was, as transformers
// has it, or what the frames were really sampled at. A model that learned otherwise than transformers keeps a word of it.
import { join } from "node:path";
import { z } from "zod";
import { framesPerPatch } from "../../media/sampling.ts";
import { CheckpointError } from "../../tensor/index.ts";
import { parseJsonObject } from "../../text/json-file.ts";
import type { VideoTime } from "../omni-model.ts";

const fileName = "oppo_video.json";
const fileSchema = z.strictObject({ version: z.literal(1), videoTime: z.enum(["fixed", "sampled"]) });

type Companions = ReadonlyMap<string, string>;

/** @throws CheckpointError ERR_CHECKPOINT_CONFIG */
export function videoTimeOf(companions: Companions, directory: string): VideoTime {
  const text = companions.get(fileName);
  if (text === undefined) return "fixed";
  const where = join(directory, fileName);
  const parsed = fileSchema.safeParse(parseJsonObject(text, where, "ERR_CHECKPOINT_CONFIG"));
  if (parsed.success) return parsed.data.videoTime;
  const [issue] = parsed.error.issues;
  throw new CheckpointError(
    "ERR_CHECKPOINT_CONFIG",
    where,
    `expected the time between frame pairs that the model learned, got ${issue!.path.join(".") || "file"}: ${issue!.message}. Repair or remove it.`,
  );
}

/** What a save writes beside the weights. */
export function withVideoTime(companions: Companions, videoTime: VideoTime): Companions {
  const others = [...companions].filter(([name]) => name !== fileName);
  if (videoTime === "fixed") return new Map(others);
  return new Map([...others, [fileName, `${JSON.stringify({ version: 1, videoTime })}\n`]]);
}

/** @param fps of the frames that were sampled; of a picture 0 */
export function secondsPerGrid(fps: number, videoTime: VideoTime): number {
  return videoTime === "fixed" || !(fps > 0) ? 1 : framesPerPatch / fps;
}
