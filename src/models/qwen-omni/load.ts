// A thinker from its directory: checkpoint, tokenizer, chat template, stop ids.
import { join } from "node:path";
import { CheckpointError } from "../../tensor/index.ts";
import { loadChatTemplate } from "../../text/chat-template.ts";
import { loadTokenizer } from "../../text/tokenizer.ts";
import { type Checkpoint, type LoadOptions, readCheckpoint, requireCheckpoint } from "./checkpoint.ts";
import { defaultVideoSettings, parseVideoSettings } from "./processor.ts";
import { Thinker } from "./thinker.ts";

/** @throws CheckpointError, OppoError of the tokenizer's and template's files */
export function loadThinker(directory: string, options: LoadOptions = {}): Thinker {
  requireCheckpoint(directory);
  const tokenizer = loadTokenizer(directory);
  const template = loadChatTemplate(directory);
  const checkpoint = readCheckpoint(directory, options);
  const { patchSize, mergeSize, temporalPatchSize } = checkpoint.config.vision;
  if (patchSize !== 14 || mergeSize !== 2 || temporalPatchSize !== 2) {
    throw new CheckpointError(
      "ERR_CHECKPOINT_CONFIG",
      directory,
      `vision_config: expected patches of 14 pixels, 2 frames and merge 2, got ${patchSize}, ${temporalPatchSize}, ${mergeSize}. ` +
        "The media layer cuts patches of that size only.",
    );
  }
  const settings = checkpoint.companions.get("video_preprocessor_config.json");
  const video = settings
    ? parseVideoSettings(JSON.parse(settings), join(directory, "video_preprocessor_config.json"))
    : defaultVideoSettings;
  return new Thinker({ checkpoint, tokenizer, template, video, stopIds: stopIdsOf(checkpoint) });
}

/** generation_config.json where it names them, else the configuration. */
function stopIdsOf({ companions, config }: Checkpoint): readonly number[] {
  const text = companions.get("generation_config.json");
  const stop = text ? (JSON.parse(text) as { eos_token_id?: number | number[] | null }).eos_token_id : null;
  if (stop === null || stop === undefined) return config.stopIds;
  return typeof stop === "number" ? [stop] : stop;
}
