// What HumanOmni's towers do with a clip, as numbers: rows, tokens and who sees whom. Loads no native code.
import type { TowerShape } from "../model-shape.ts";
import type { HumanOmniConfig } from "./config/config.ts";
import { audioTokens, videoTokens } from "./towers/tokens.ts";

export function towerShapes({ vision, audio, projector, numFrames }: HumanOmniConfig): TowerShape[] {
  const side = Math.floor(vision.imageSize / vision.patchSize);
  return [
    {
      modality: "video",
      part: "vision tower",
      width: vision.hiddenSize,
      numHeads: vision.numHeads,
      feedForward: vision.feedForwardSize,
      isGated: false,
      loadOf({ frames }) {
        if (frames === 0) return null;
        const looked = numFrames ?? frames;
        return {
          inputs: looked * 3 * vision.imageSize ** 2,
          rows: looked * side ** 2,
          tokens: videoTokens(projector, looked, side),
          segments: [{ layers: vision.numUsedLayers, length: side ** 2 }],
        };
      },
    },
    {
      modality: "audio",
      part: "audio tower",
      width: audio.hiddenSize,
      numHeads: audio.numHeads,
      feedForward: audio.feedForwardSize,
      isGated: false,
      loadOf({ audioSeconds }) {
        if (audioSeconds === 0) return null;
        return {
          inputs: audio.numMels * 2 * audio.maxPositions,
          rows: audio.maxPositions,
          tokens: audioTokens(audio),
          segments: [{ layers: audio.numLayers, length: audio.maxPositions }],
        };
      },
    },
  ];
}
