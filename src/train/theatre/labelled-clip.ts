// What a tower warms up on: clips of its modality alone with the states that they show, and which parameters are its own.
import type { FittedSample } from "../../corpus/clips/fitted-samples.ts";
import { sceneOf, stateIndices } from "../../data/theatre/sample-scene.ts";
import type { Modality } from "../../media/clip.ts";
import type { ModelPart, OmniModel } from "../../models/omni-model.ts";
import type { Tensor } from "../../tensor/index.ts";
import type { LabelledClip } from "../warm-up.ts";

const towers: Readonly<Record<Modality, ModelPart>> = { video: "vision tower", audio: "audio tower" };

export function labelledClip(model: OmniModel, { sample, clip }: FittedSample, modality: Modality): LabelledClip {
  const only =
    modality === "video"
      ? { ...clip, waveform: new Float32Array(0) }
      : { ...clip, frames: new Uint8Array(0), numFrames: 0 };
  return { features: model.features(only), states: stateIndices(sceneOf(sample), modality) };
}

/** A tower with its projector, by parameter name. */
export function towerOf(model: OmniModel, modality: Modality): Map<string, Tensor> {
  return new Map([...model.parameters()].filter(([name]) => model.partOf(name) === towers[modality]));
}
