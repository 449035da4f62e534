// How a line is delivered: the acoustic state and a speaker as numbers for the synthesis. States are far apart, speakers
// close together, so that a high voice is high whoever speaks.
import type { Random } from "../../random.ts";
import { type Troupe, troupeVoices } from "./troupes.ts";
import type { AcousticState } from "./world.ts";

export interface Delivery {
  readonly quality: AcousticState["quality"];
  readonly pitchHz: number;
  readonly syllableSeconds: number;
  /** RMS of the sounding parts, full scale 1. */
  readonly level: number;
  /** Length of the vocal tract relative to average, as a factor on formants. */
  readonly tract: number;
  /** Share of a glottal period during which the folds are open: small is tense, large is breathy. */
  readonly openShare: number;
  /** One-pole smoothing of the source, 1 = none: small is dull. */
  readonly brightness: number;
  /** Noise that leaks through with the voice. */
  readonly breath: number;
  /** Random change of the period from one to the next. */
  readonly jitter: number;
  /** Strength of the tone an octave below, 0 to 1. */
  readonly growl: number;
  /** Factor on the resonances' widths. */
  readonly formantWidth: number;
}

const pitches = { plain: 165, high: 285, low: 98 } as const;
const syllableLengths = { plain: 0.21, fast: 0.125, slow: 0.39 } as const;
const levels = { plain: 0.085, loud: 0.24, quiet: 0.026 } as const;

/** Spread of speakers: standard deviations of log pitch, log length, log level. */
const spread = { pitch: 0.035, pace: 0.05, level: 0.09 } as const;

export function drawDelivery(state: AcousticState, random: Random, troupe: Troupe = "first"): Delivery {
  const voices = troupeVoices[troupe];
  const vary = (deviation: number): number => Math.exp(deviation * Math.max(-2, Math.min(2, random.normal())));
  const loud = state.volume === "loud";
  const quiet = state.volume === "quiet";
  const harsh = state.quality === "harsh";
  return {
    quality: state.quality,
    pitchHz: voices.pitch * pitches[state.pitch] * vary(spread.pitch),
    syllableSeconds: voices.syllableSeconds * syllableLengths[state.pace] * vary(spread.pace),
    level: voices.level * levels[state.volume] * vary(spread.level),
    tract: voices.tract * vary(0.05),
    openShare: harsh ? 0.42 : loud ? 0.52 : quiet ? 0.74 : 0.62,
    brightness: harsh || loud ? 1 : quiet ? 0.5 : 0.8,
    breath: harsh ? 0.5 : quiet ? 0.34 : 0.1,
    jitter: harsh ? 0.09 : 0.012,
    growl: harsh ? 1 : 0,
    formantWidth: harsh ? 1.35 : 1,
  };
}
