// A thinker from its directory: checkpoint, tokenizer, chat template, stop ids.
import { numMels } from "../../media/mel.ts";
import { CheckpointError } from "../../tensor/index.ts";
import { loadChatTemplate } from "../../text/chat-template.ts";
import { loadTokenizer } from "../../text/tokenizer.ts";
import { generationStopIds } from "../checkpoint/generation-settings.ts";
import { requireModelDirectory } from "../checkpoint/model-directory.ts";
import { type LoadOptions, owning } from "../checkpoint/weight-files.ts";
import { type Checkpoint, readCheckpoint } from "./checkpoint.ts";
import type { ThinkerConfig } from "./config/config.ts";
import { requirePreprocessing } from "./config/preprocessing.ts";
import { imageRange, videoSettings } from "./pixel-ranges.ts";
import { Thinker, type ThinkerParts } from "./thinker.ts";
import { videoTimeOf, withVideoTime } from "./video-time.ts";

/** @throws CheckpointError, OppoError of the tokenizer's and template's files */
export function loadThinker(directory: string, options: LoadOptions = {}): Thinker {
  requireModelDirectory(directory);
  const words = readWords(directory);
  const checkpoint = readCheckpoint(directory, options);
  return owning(checkpoint.parameters, () => assembled(checkpoint, words, options));
}

/** A thinker whose weights are there already; tokenizer and template are read from the checkpoint's directory. */
export function openThinker(checkpoint: Checkpoint): Thinker {
  return assembled(checkpoint, readWords(checkpoint.directory), {});
}

function readWords(directory: string): Pick<ThinkerParts, "tokenizer" | "template"> {
  return { tokenizer: loadTokenizer(directory), template: loadChatTemplate(directory) };
}

function assembled(
  checkpoint: Checkpoint,
  words: Pick<ThinkerParts, "tokenizer" | "template">,
  options: Pick<LoadOptions, "videoTime">,
): Thinker {
  const { directory, config, companions } = checkpoint;
  requireMediaShapes(directory, config);
  requirePreprocessing(directory, companions);
  const video = videoSettings(companions, directory);
  const image = imageRange(companions, directory);
  const videoTime = options.videoTime ?? videoTimeOf(companions, directory);
  // generation_config.json wins where it names them.
  const stopIds = generationStopIds(companions) ?? config.stopIds;
  const timed = { ...checkpoint, companions: withVideoTime(companions, videoTime) };
  return new Thinker({ checkpoint: timed, ...words, video, videoTime, image, stopIds });
}

function requireMediaShapes(directory: string, { vision, audio }: ThinkerConfig): void {
  const { patchSize, mergeSize, temporalPatchSize, numChannels } = vision;
  if (patchSize !== 14 || mergeSize !== 2 || temporalPatchSize !== 2) {
    throw new CheckpointError(
      "ERR_CHECKPOINT_CONFIG",
      directory,
      `vision_config: expected patches of 14 pixels, 2 frames and merge 2, got ${patchSize}, ${temporalPatchSize}, ${mergeSize}. ` +
        "The media layer cuts patches of that size only.",
    );
  }
  if (numChannels !== 3 || audio.numMels !== numMels) {
    throw new CheckpointError(
      "ERR_CHECKPOINT_CONFIG",
      directory,
      `expected in_channels 3 and num_mel_bins ${numMels}, got ${numChannels} and ${audio.numMels}. The media layer makes no others.`,
    );
  }
}
