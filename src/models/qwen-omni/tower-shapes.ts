// What a thinker's towers do with a clip, as numbers: rows, tokens and who sees whom. Loads no native code.
import { melSampleRateHz } from "../../media/mel.ts";
import type { MediaSize, TowerShape } from "../model-shape.ts";
import type { AudioConfig, ThinkerConfig, VisionConfig } from "./config/config.ts";
import { audioTokens, convLength, MIN_AUDIO_FRAMES, visionTokens } from "./layout.ts";

/** Of the log-mel: 100 frames a second. */
const hopSamples = 160;

export function towerShapes({ audio, vision }: ThinkerConfig): TowerShape[] {
  return [visionShape(vision), audioShape(audio)];
}

function visionShape(config: VisionConfig): TowerShape {
  const full = config.fullAttentionBlocks.length;
  const perWindow = (config.windowSize / config.patchSize) ** 2;
  return {
    modality: "video",
    part: "vision tower",
    width: config.hiddenSize,
    numHeads: config.numHeads,
    feedForward: config.intermediateSize,
    isGated: true,
    loadOf({ frames, height, width }: MediaSize) {
      if (frames === 0) return null;
      const [t, h, w] = [frames / config.temporalPatchSize, height / config.patchSize, width / config.patchSize];
      const rows = t * h * w;
      return {
        inputs: rows * config.numChannels * config.temporalPatchSize * config.patchSize ** 2,
        rows,
        tokens: visionTokens([t, h, w], config.mergeSize),
        segments: [
          { layers: config.depth - full, length: Math.min(perWindow, h * w) },
          { layers: full, length: h * w },
        ],
      };
    },
  };
}

function audioShape(config: AudioConfig): TowerShape {
  return {
    modality: "audio",
    part: "audio tower",
    width: config.hiddenSize,
    numHeads: config.numHeads,
    feedForward: config.feedForwardSize,
    isGated: false,
    loadOf({ audioSeconds }: MediaSize) {
      const frames = Math.ceil((audioSeconds * melSampleRateHz) / hopSamples);
      if (frames < MIN_AUDIO_FRAMES) return null;
      const rows = convLength(frames);
      return {
        inputs: config.numMels * frames,
        rows,
        tokens: audioTokens(frames),
        segments: [{ layers: config.numLayers, length: Math.min(rows, config.windowFrames) }],
      };
    },
  };
}
