// MEP-Bench, whole: utilization and faithfulness of one model on a set (paper section 5 and Table 1), with the controls that
// keep the numbers honest. Congruent clips (face and voice agree) carry the cue, mask, probe and swap scores; conflict clips,
// where they are given, show what is guessed from the other modality.

import type { Sample } from "../data/sample.ts";
import type { EmotionScore } from "../emotion/score.ts";
import type { Modality } from "../media/clip.ts";
import { type BootstrapOptions, defaultBootstrapOptions } from "./bootstrap.ts";
import { presentCues, type StatedCues } from "./cue-bank.ts";
import { emotionScores, formatScores } from "./emotion-score.ts";
import { type AnswerStyle, askedClips, faithfulnessMeasures } from "./faithfulness.ts";
import { hallucinationMeasures, hallucinationValues } from "./hallucination.ts";
import { type Measures, meanMeasure, reportOf } from "./measure.ts";
import type { MepSet } from "./mep-set.ts";
import { type Probe, probeQuery } from "./probes.ts";
import { countReadings, type Reading, readingOfReasoning, readingOfVerdict } from "./reading.ts";
import type { Report } from "./report.ts";
import { intactView, maskedView, type Query, type Respondent } from "./respondent.ts";
import { falseRefusals, maskedSaidMeasures, type Said, saidOf } from "./said.ts";
import { type Decompose, type Decomposition, decomposeAtPunctuation } from "./statements.ts";
import { swapMeasures, swappedView, swapValues } from "./swap.ts";
import { cosineRecall, statedCues, suggestedMeasures, utilizationMeasures, utilizationValues } from "./utilization.ts";

export interface MepOptions extends MepSet {
  /** The question of free reasoning. What else belongs to a user turn (the subtitle) is the respondent's business. */
  readonly reasoningPrompt: (sample: Sample) => string;
  /** How a probe's question is put. Default: as it is. */
  readonly probePrompt?: (question: string) => string;
  readonly emotionScore: EmotionScore;
  readonly answerStyle: AnswerStyle;
  /** Takes every free reasoning apart; the paper has a language model do it. Default: at punctuation. */
  readonly decompose?: Decompose;
  readonly bootstrap?: BootstrapOptions;
}

/** A probe with what the model answered. */
export interface AskedProbe extends Probe {
  readonly text: string;
}

/** The parts in which a model reasons freely. */
export const reasoningParts = [
  ...(["intact", "maskedVideo", "maskedAudio", "swappedVideo", "swappedAudio", "conflict"] as const),
];
export type ReasoningPart = (typeof reasoningParts)[number];

/** A free reasoning: what was shown, what was said, and what that states. */
export interface Reasoning extends Query {
  readonly text: string;
  readonly decomposition: Decomposition;
}

export interface MepResult {
  readonly model: string;
  readonly report: Report;
  /** What every clip gave to every score, for paired comparisons between models that answered the same set. */
  readonly measures: Measures;
  /** Ids of the clips of each group that a measure may rest on, in the measure's order. */
  readonly groups: Readonly<Record<string, readonly string[]>>;
  readonly reasonings: Readonly<Record<ReasoningPart, readonly Reasoning[]>>;
  readonly probes: readonly AskedProbe[];
  /** How many answers of each part could be read, and why the others could not. */
  readonly readings: Readonly<Record<ReasoningPart | "probes", Partial<Record<Reading, number>>>>;
}

/** All that the set asks, part by part: what one model is asked, every other is. */
export function mepQueries(options: MepOptions): Record<ReasoningPart | "probes", Query[]> {
  const { congruent, conflict, probes, swaps, probePrompt = (question: string) => question } = options;
  const reason = (view: Query["view"]): Query => ({ prompt: options.reasoningPrompt(view.sample), view });
  const swapped = (modality: Modality) =>
    swaps.map(({ sample, partner }) => reason(swappedView(sample, partner, modality)));
  return {
    intact: congruent.map((sample) => reason(intactView(sample))),
    maskedVideo: congruent.map((sample) => reason(maskedView(sample, "video"))),
    maskedAudio: congruent.map((sample) => reason(maskedView(sample, "audio"))),
    swappedVideo: swapped("video"),
    swappedAudio: swapped("audio"),
    conflict: conflict.map((sample) => reason(intactView(sample))),
    probes: probes.map((probe) => {
      const { prompt, view } = probeQuery(probe);
      return { prompt: probePrompt(prompt), view };
    }),
  };
}

/** Runs the suite. Queries go to the respondent in a few large calls, one per part. */
export async function runMep(respondent: Respondent, options: MepOptions): Promise<MepResult> {
  const { congruent, conflict, probes, answerStyle: style } = options;
  const queries = mepQueries(options);
  const texts = {} as Record<ReasoningPart, readonly string[]>;
  for (const part of reasoningParts) texts[part] = await respondent.respond(queries[part]);
  const answers = await respondent.respond(queries.probes);
  const reasonings = await takenApart(queries, texts, options.decompose ?? decomposeAtPunctuation);
  const measures = await measuresOf(reasonings, answers, options);
  const readings = Object.fromEntries(
    reasoningParts.map((part) => [part, countReadings(reasonings[part].map(({ text }) => readingOfReasoning(text)))]),
  ) as Record<ReasoningPart, Partial<Record<Reading, number>>>;
  const ids = (samples: readonly Sample[]) => samples.map(({ id }) => id);
  return {
    model: respondent.name,
    report: reportOf(measures, options.bootstrap ?? defaultBootstrapOptions),
    measures,
    groups: {
      congruent: ids(congruent),
      conflict: ids(conflict),
      swapped: ids(reasonings.swappedVideo.map(({ view }) => view.sample)),
      askedVideo: askedClips(probes, "video"),
      askedAudio: askedClips(probes, "audio"),
    },
    reasonings,
    probes: probes.map((probe, i) => ({ ...probe, text: answers[i]! })),
    readings: { ...readings, probes: countReadings(answers.map((text) => readingOfVerdict(text, style))) },
  };
}

/** All reasonings in one call, so that whoever takes them apart can do many at once. */
async function takenApart(
  queries: Readonly<Record<ReasoningPart, readonly Query[]>>,
  texts: Readonly<Record<ReasoningPart, readonly string[]>>,
  decompose: Decompose,
): Promise<Record<ReasoningPart, Reasoning[]>> {
  const decompositions = await decompose(reasoningParts.flatMap((part) => texts[part]));
  const reasonings = {} as Record<ReasoningPart, Reasoning[]>;
  let next = 0;
  for (const part of reasoningParts) {
    reasonings[part] = queries[part].map((query, i) => ({
      ...query,
      text: texts[part][i]!,
      decomposition: decompositions[next++]!,
    }));
  }
  return reasonings;
}

async function measuresOf(
  reasonings: Readonly<Record<ReasoningPart, readonly Reasoning[]>>,
  answers: readonly string[],
  options: MepOptions,
): Promise<Measures> {
  const { bank, congruent, probes, answerStyle: style } = options;
  const present = await presentCues(bank, congruent);
  const intact = textsOf(reasonings.intact);
  const said = decompositionsOf(reasonings.intact);
  const stated = await statedCues(bank, said);
  return {
    ...utilizationMeasures(utilizationValues(bank, stated, present)),
    recallCosine: meanMeasure("congruent", await cosineRecall(bank, congruent, said)),
    emotionF1: meanMeasure("congruent", emotionScores(congruent, intact, style, options.emotionScore)),
    format: meanMeasure("congruent", formatScores(intact, style)),
    ...(await conflictMeasures(reasonings.conflict, options)),
    ...faithfulnessMeasures(probes, answers, style),
    ...suggestedMeasures(bank, congruent, probes, stated),
    ...(await maskedMeasures("video", reasonings.maskedVideo, present, options)),
    ...(await maskedMeasures("audio", reasonings.maskedAudio, present, options)),
    ...saidPart(said, stated, options, (all) => ({
      ...falseRefusals("video", all.video),
      ...falseRefusals("audio", all.audio),
    })),
    ...(await swapPart("video", reasonings.swappedVideo, options)),
    ...(await swapPart("audio", reasonings.swappedAudio, options)),
  };
}

/** Nothing where no statement without a cue can be read. */
function saidPart(
  decompositions: readonly Decomposition[],
  stated: readonly StatedCues[],
  { bank, absenceOf }: MepOptions,
  measures: (said: Readonly<Record<Modality, readonly (Said | null)[]>>) => Measures,
): Measures {
  if (absenceOf === undefined) return {};
  const said = decompositions.map((one, i) => saidOf(bank, one, stated[i]!, absenceOf));
  const of = (modality: Modality) => said.map((one) => (one === null ? null : one[modality]));
  return measures({ video: of("video"), audio: of("audio") });
}

const textsOf = (reasonings: readonly Reasoning[]) => reasonings.map(({ text }) => text);
const decompositionsOf = (reasonings: readonly Reasoning[]) => reasonings.map(({ decomposition }) => decomposition);

async function conflictMeasures(reasonings: readonly Reasoning[], options: MepOptions): Promise<Measures> {
  const { bank, conflict, emotionScore, answerStyle } = options;
  const texts = textsOf(reasonings);
  const stated = await statedCues(bank, decompositionsOf(reasonings));
  const values = utilizationValues(bank, stated, await presentCues(bank, conflict));
  return {
    emotionF1Conflict: meanMeasure("conflict", emotionScores(conflict, texts, answerStyle, emotionScore)),
    precisionVideoConflict: meanMeasure("conflict", values.precisionVideo),
    precisionAudioConflict: meanMeasure("conflict", values.precisionAudio),
  };
}

async function maskedMeasures(
  modality: Modality,
  reasonings: readonly Reasoning[],
  present: readonly (readonly number[])[],
  options: MepOptions,
): Promise<Measures> {
  const { bank, answerStyle } = options;
  const texts = textsOf(reasonings);
  const decompositions = decompositionsOf(reasonings);
  const stated = await statedCues(bank, decompositions);
  return {
    ...hallucinationMeasures(modality, hallucinationValues(bank, modality, texts, stated, present, answerStyle)),
    ...saidPart(decompositions, stated, options, (said) => maskedSaidMeasures(modality, said[modality])),
  };
}

async function swapPart(modality: Modality, reasonings: readonly Reasoning[], { bank }: MepOptions): Promise<Measures> {
  const stated = await statedCues(bank, decompositionsOf(reasonings));
  const before = await presentCues(
    bank,
    reasonings.map(({ view }) => view.sample),
  );
  const after = await presentCues(
    bank,
    reasonings.map(({ view }) => view[modality]!),
  );
  return swapMeasures(modality, swapValues(bank, modality, stated, before, after));
}
