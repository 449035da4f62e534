// What a decoded clip and a modality mask are. Typed arrays only: no file, no tensor.

/** The two modalities that can be masked. */
export type Modality = "video" | "audio";

/**
 * A clip as host data, either as decoded (native size) or brought to a model's resolution.
 *
 * Example: a 2 s theatre clip sampled at 2 frames per second has `numFrames` 4 and 32,000 samples at 16 kHz.
 */
export interface MediaClip {
  /** RGB, row-major [numFrames, height, width, 3]. Empty when the file has no video stream (numFrames 0). */
  readonly frames: Uint8Array;
  readonly numFrames: number;
  readonly height: number;
  readonly width: number;
  /** Frames per second of the sampled frames (not of the file). */
  readonly fps: number;
  /** Mono samples in [-1, 1]. Empty when the file has no audio stream. */
  readonly waveform: Float32Array;
  readonly sampleRateHz: number;
  readonly durationSeconds: number;
  /** What a mask of kind "features" leaves to whoever turns the sound into a log-mel spectrogram; left out, nothing. */
  readonly zeroedMel?: readonly ZeroedMel[];
  /** Where the file gave less than it states, with figures; left out where it gave everything. */
  readonly notices?: readonly string[];
}

/** A random share of a log-mel spectrogram's values that are set to 0, the middle of their range. */
export interface ZeroedMel {
  readonly share: number;
  readonly seed: number;
}

/** A counterfactual: one modality with a part of it taken away (Eq. 6). */
export interface ModalityMask {
  readonly modality: Modality;
  /** rho in [0, 1]. Of units: the share masked, exactly round(ratio * units) of them. Of another kind: its dose. */
  readonly ratio: number;
  readonly seed: number;
  /** Left out: a random share of the units, black or silent. Else a kind of `degrade/` for that modality. */
  readonly kind?: string | undefined;
  /** Clips that the kind takes from, fitted as the masked one is: one for another clip's picture or voice, any number for babble. */
  readonly others?: readonly MediaClip[];
}
