// How large a MEP set is and which clips it takes, unless the corpus is of a kind that says otherwise.
import { defaultPriorCount } from "../bench/association.ts";
import type { MepProbeOptions, SelectionOptions } from "../bench/mep-set.ts";
import { absentCue } from "../evidence/claims/cue-probes.ts";

export type MepSetOptions = SelectionOptions & MepProbeOptions;

/** The paper's sizes (300 clips, 500 probes a modality); the thresholds are ours. */
export const corpusSetOptions: MepSetOptions = {
  seed: 5,
  maxSamples: 300,
  minCues: 2,
  maxCues: 100,
  minAssociation: 1.5,
  priorCount: defaultPriorCount,
  maxProbesPerModality: 500,
  maxProbesPerClip: 3,
  absentThreshold: absentCue,
};
