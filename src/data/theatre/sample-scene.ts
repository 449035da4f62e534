// What a theatre sample's `meta` says about its scene: read back for probes, warm-up labels and typical cues.

import { OppoError } from "../../error.ts";
import type { Cue } from "../../evidence/cue.ts";
import type { Modality } from "../../media/clip.ts";
import type { Sample } from "../sample.ts";
import type { Scene } from "./draw.ts";
import { cueOfPhrase } from "./script.ts";
import {
  acousticAttributes,
  acousticStates,
  typicalAcoustic,
  typicalVisual,
  visualAttributes,
  visualStates,
} from "./world.ts";

/** @throws OppoError ERR_NOT_THEATRE when the sample does not come from the theatre. */
export function sceneOf(sample: Sample): Scene {
  const scene = sample.meta?.scene as Scene | undefined;
  if (scene === undefined) {
    throw new OppoError(
      "ERR_NOT_THEATRE",
      `${sample.id}: expected a theatre sample with meta.scene, got none. Build the corpus with "oppo theatre build".`,
    );
  }
  return scene;
}

export function isTheatreSample(sample: Sample): boolean {
  const scene = sample.meta?.scene as Partial<Scene> | undefined;
  return scene?.visual !== undefined && scene.acoustic !== undefined;
}

export const numStates: Readonly<Record<Modality, readonly number[]>> = {
  video: visualAttributes.map((attribute) => visualStates[attribute].length),
  audio: acousticAttributes.map((attribute) => acousticStates[attribute].length),
};

export const attributeNames: Readonly<Record<Modality, readonly string[]>> = {
  video: visualAttributes,
  audio: acousticAttributes,
};

/** State index of every attribute of a modality, in table order. */
export function stateIndices(scene: Scene, modality: Modality): number[] {
  return modality === "video"
    ? visualAttributes.map((name) => (visualStates[name] as readonly string[]).indexOf(scene.visual[name]))
    : acousticAttributes.map((name) => (acousticStates[name] as readonly string[]).indexOf(scene.acoustic[name]));
}

/** Whether the other modality suggests the cue: it is typical of the emotion that the other one expresses. */
export function isTypicalCue(sample: Sample, cue: Cue): boolean {
  const scene = sceneOf(sample);
  const known = cueOfPhrase(cue.text);
  const emotion = cue.kind === "video" ? scene.audioEmotion : scene.videoEmotion;
  if (known === null || emotion === null) return false;
  const typical: Readonly<Record<string, string>> =
    cue.kind === "video" ? typicalVisual[emotion] : typicalAcoustic[emotion];
  return typical[known.attribute] === known.state;
}
