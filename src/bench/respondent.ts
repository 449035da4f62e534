// The face of a model under test: questions about clips in, texts out. A benchmark never sees weights or tensors, so
// any model can be measured: ours, an endpoint, a stub in a test.

import type { Sample } from "../data/sample.ts";
import type { Modality, ModalityMask } from "../media/clip.ts";

/**
 * What the model gets to see and hear. `video` and `audio` name the sample whose stream is played; null is a fully
 * masked one (black frames, silence). The subtitle is always that of `sample`.
 *
 * Example: `{ sample, video: null, audio: sample }` hides the face and keeps the voice.
 */
export interface ClipView {
  readonly sample: Sample;
  readonly video: Sample | null;
  readonly audio: Sample | null;
  /** What is done to one of the streams that are played; left out, nothing. */
  readonly mask?: ViewMask;
}

export interface ViewMask extends Omit<ModalityMask, "others"> {
  /** Whose streams the kind takes, where it takes any. */
  readonly partners: readonly Sample[];
}

export interface Query {
  readonly prompt: string;
  readonly view: ClipView;
}

export interface Respondent {
  readonly name: string;
  /** One text per query, in order. Batching is the respondent's business. */
  respond(queries: readonly Query[]): Promise<readonly string[]> | readonly string[];
}

export function intactView(sample: Sample): ClipView {
  return { sample, video: sample, audio: sample };
}

export function maskedView(sample: Sample, modality: Modality): ClipView {
  return { sample, video: modality === "video" ? null : sample, audio: modality === "audio" ? null : sample };
}
