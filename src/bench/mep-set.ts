// The benchmark as a thing: which clips, which cues they have, which questions are asked. One function makes it, for the
// theatre and for any annotated corpus: cue-rich clips whose sound suggests their picture and the other way round, and
// probes for the cues that can be guessed that way.
//
// What is left to the corpus: the theatre knows its cues and which of them its emotions suggest; elsewhere both are measured
// (cue-concepts.ts, association.ts).
import type { Sample } from "../data/sample.ts";
import type { Cue, Embedder } from "../evidence/cue.ts";
import type { Modality } from "../media/clip.ts";
import { createRandom, permutation } from "../random.ts";
import { deriveSeed } from "../seeds.ts";
import { type AssociationTable, measureAssociation } from "./association.ts";
import { type CueBank, ofKind } from "./cue-bank.ts";
import { type CueConcepts, cueConceptsOf } from "./cue-concepts.ts";
import { buildProbes, type Probe } from "./probes.ts";
import type { AbsenceOf } from "./said.ts";
import { type Swap, swapsOf } from "./swap.ts";

export interface MepSet {
  readonly bank: CueBank;
  /** Clips on which face and voice agree: they carry everything but the conflict scores. */
  readonly congruent: readonly Sample[];
  /** May be empty. */
  readonly conflict: readonly Sample[];
  readonly probes: readonly Probe[];
  /** Which clips are shown with another one's video or sound. */
  readonly swaps: readonly Swap[];
  /** Reads statements that name no cue. Left out: whether a model says that it cannot perceive is not measured. */
  readonly absenceOf?: AbsenceOf | undefined;
}

export interface SelectionOptions {
  readonly seed: number;
  /** The paper takes 300. */
  readonly maxSamples: number;
  /** Distinct cues that a clip must have in either modality. */
  readonly minCues: number;
  /** And may have: hundreds are no annotation of a short clip. */
  readonly maxCues: number;
  /** Lift from which the other modality suggests a cue. */
  readonly minAssociation: number;
  readonly priorCount: number;
}

export interface MepProbeOptions {
  readonly seed: number;
  readonly maxProbesPerModality: number;
  readonly maxProbesPerClip: number;
  readonly absentThreshold: number;
}

/** Which cues a clip suggests. */
export type IsTypical = (sample: Sample, cue: Cue) => boolean;

/** Why candidates were left out, and how the cues of the others are suggested. */
export interface Selection {
  /** In the corpus' order. */
  readonly samples: readonly Sample[];
  /** Whether the other modality suggests a cue of the clip. */
  readonly isTypical: IsTypical;
  /** Whether the clip's emotion suggests a cue, which the clip may have or not. */
  readonly fitsEmotion: IsTypical;
  readonly counts: {
    readonly candidates: number;
    readonly fewCues: number;
    readonly manyCues: number;
    readonly weakAssociation: number;
    readonly notDrawn: number;
    readonly refused: number;
  };
  /** Distinct concepts among the candidates' cues. */
  readonly numConcepts: Readonly<Record<Modality, number>>;
  /** Per video (audio) cue of the chosen clips: its association. Empty where it is not measured. */
  readonly associations: Readonly<Record<Modality, readonly number[]>>;
}

const modalities = ["video", "audio"] as const;

/**
 * Chooses clips whose association is measured: rich in cues, with at least one cue in either modality that the other one
 * suggests. More of them than wanted are drawn from the seed, not ranked: the strongest would all be the same emotion.
 * @param accept last word on a clip, asked until enough are found (are its media there?)
 */
export async function selectSamples(
  candidates: readonly Sample[],
  embedder: Embedder,
  groupsOf: (sample: Sample) => readonly string[],
  options: SelectionOptions,
  accept: (sample: Sample) => Promise<boolean> = async () => true,
): Promise<Selection> {
  const concepts = await cueConceptsOf(candidates, embedder);
  const all = candidates.map((sample) => ({ ...conceptsIn(concepts, sample), groups: groupsOf(sample) }));
  const isOverfull = all.map((item) => modalities.some((modality) => item[modality].length > options.maxCues));
  const numOverfull = isOverfull.filter(Boolean).length;
  const items = all.map((item, i) => (isOverfull[i] ? { video: [], audio: [], groups: [] } : item));
  const table = measureAssociation(items, options.priorCount);
  const rich: number[] = [];
  const eligible: number[] = [];
  for (const [i, item] of items.entries()) {
    if (isOverfull[i]) continue;
    if (modalities.some((modality) => item[modality].length < options.minCues)) continue;
    rich.push(i);
    const isSuggested = (modality: Modality) =>
      item[modality].some((concept) => table.of(i, modality, concept) >= options.minAssociation);
    if (modalities.every(isSuggested)) eligible.push(i);
  }
  const order = permutation(eligible.length, createRandom(deriveSeed(options.seed, "mep", "samples")));
  const chosen: number[] = [];
  let refused = 0;
  for (const at of order) {
    if (chosen.length === options.maxSamples) break;
    if (await accept(candidates[eligible[at]!]!)) chosen.push(eligible[at]!);
    else refused++;
  }
  chosen.sort((a, b) => a - b);
  const place = new Map(chosen.map((i) => [candidates[i]!.id, i]));
  const reaches =
    (association: AssociationTable["of"]): IsTypical =>
    (sample, cue) => {
      const i = place.get(sample.id);
      const concept = concepts.conceptOf(cue);
      if (i === undefined || concept < 0 || cue.kind === "emotion") return false;
      return association(i, cue.kind, concept) >= options.minAssociation;
    };
  return {
    samples: chosen.map((i) => candidates[i]!),
    isTypical: reaches(table.of),
    fitsEmotion: reaches(table.throughEmotion),
    counts: {
      candidates: candidates.length,
      fewCues: candidates.length - rich.length - numOverfull,
      manyCues: numOverfull,
      weakAssociation: rich.length - eligible.length,
      notDrawn: eligible.length - chosen.length - refused,
      refused,
    },
    numConcepts: {
      video: ofKind(concepts.bank, [...concepts.bank.cues.keys()], "video").length,
      audio: ofKind(concepts.bank, [...concepts.bank.cues.keys()], "audio").length,
    },
    associations: associationsOf(chosen, items, table),
  };
}

function conceptsIn(concepts: CueConcepts, sample: Sample): Record<Modality, number[]> {
  const of = (kind: Modality) => [
    ...new Set(sample.cues.filter((cue) => cue.kind === kind).map((cue) => concepts.conceptOf(cue))),
  ];
  return { video: of("video"), audio: of("audio") };
}

function associationsOf(
  chosen: readonly number[],
  items: readonly Readonly<Record<Modality, readonly number[]>>[],
  table: AssociationTable,
): Record<Modality, number[]> {
  const of = (modality: Modality) =>
    chosen.flatMap((i) => items[i]![modality].map((concept) => table.of(i, modality, concept)));
  return { video: of("video"), audio: of("audio") };
}

/** The set of some clips: every model is asked the same. @param bank null: the concepts of the clips' own cues */
export async function makeMepSet(
  clips: Pick<MepSet, "congruent" | "conflict">,
  cues: {
    readonly embedder: Embedder;
    readonly bank: CueBank | null;
    readonly isTypical?: IsTypical;
    /** For adversarial controls; none without it. */
    readonly fitsEmotion?: IsTypical;
    /** A clip's emotions, for partners of another one. Default: its labels. */
    readonly groupsOf?: (sample: Sample) => readonly string[];
    readonly absenceOf?: AbsenceOf;
  },
  options: MepProbeOptions,
): Promise<MepSet> {
  const { congruent, conflict } = clips;
  const merged = cues.bank === null ? await cueConceptsOf([...congruent, ...conflict], cues.embedder) : null;
  const bank = cues.bank ?? merged!.bank;
  const probes = await buildProbes(bank, congruent, {
    seed: options.seed,
    maxPerModality: options.maxProbesPerModality,
    maxPerClip: options.maxProbesPerClip,
    absentThreshold: options.absentThreshold,
    ...(cues.isTypical === undefined ? {} : { isTypical: cues.isTypical }),
    ...(cues.fitsEmotion === undefined ? {} : { fitsEmotion: cues.fitsEmotion }),
    ...(merged === null ? {} : { counts: merged.counts }),
  });
  const { absenceOf } = cues;
  const set = { bank, congruent, conflict, probes, swaps: swapsOf(congruent, cues.groupsOf) };
  return absenceOf === undefined ? set : { ...set, absenceOf };
}
