// MEP-Bench, whole: utilization and faithfulness of one model on held-out clips (paper section 5 and Table 1), with the
// controls that keep the numbers honest. Congruent clips (face and voice agree) carry the cue, mask, probe and swap
// scores; conflict clips, where they are given, show what is guessed from the other modality.

import type { Sample } from "../data/sample.ts";
import type { Modality } from "../media/clip.ts";
import { type BootstrapOptions, bootstrapMean, defaultBootstrapOptions } from "./bootstrap.ts";
import { presentCues } from "./cue-bank.ts";
import { type EmotionScore, emotionScores, formatScores } from "./emotion-score.ts";
import { type AnswerStyle, faithfulnessReport, probeScores } from "./faithfulness.ts";
import { hallucinationReport, hallucinationValues } from "./hallucination.ts";
import type { MepSet } from "./mep-set.ts";
import { type Probe, probeQuery } from "./probes.ts";
import type { Report } from "./report.ts";
import { type ClipView, intactView, maskedView, type Respondent } from "./respondent.ts";
import { swapPartners, swappedView, swapReport, swapValues } from "./swap.ts";
import { cosineRecall, statedCues, utilizationReport, utilizationValues } from "./utilization.ts";

export interface MepOptions extends MepSet {
  /** The question of free reasoning. What else belongs to a user turn (the subtitle) is the respondent's business. */
  readonly reasoningPrompt: (sample: Sample) => string;
  readonly emotionScore: EmotionScore;
  readonly answerStyle: AnswerStyle;
  readonly bootstrap?: BootstrapOptions;
}

/** A probe with what the model answered. */
export interface AskedProbe extends Probe {
  readonly text: string;
}

export interface MepResult {
  readonly model: string;
  readonly report: Report;
  /**
   * Per congruent clip (accVideo, accAudio: per masked probe), for paired comparisons between models that ran with the
   * same samples and seed; NaN where a score does not apply.
   */
  readonly values: Readonly<Record<string, readonly number[]>>;
  /** Free reasoning per congruent clip: intact, and with one modality masked. */
  readonly texts: {
    readonly intact: readonly string[];
    readonly maskedVideo: readonly string[];
    readonly maskedAudio: readonly string[];
  };
  readonly probes: readonly AskedProbe[];
}

type Reason = (views: readonly ClipView[]) => Promise<readonly string[]>;

/** Runs the suite. Queries go to the respondent in a few large calls, one per part. */
export async function runMep(respondent: Respondent, options: MepOptions): Promise<MepResult> {
  const { bank, congruent, probes } = options;
  const resampling = options.bootstrap ?? defaultBootstrapOptions;
  const present = await presentCues(bank, congruent);
  const reason: Reason = async (views) =>
    respondent.respond(views.map((view) => ({ prompt: options.reasoningPrompt(view.sample), view })));

  const intact = await reason(congruent.map(intactView));
  const utilization = utilizationValues(bank, await statedCues(bank, intact), present);
  const cosine = await cosineRecall(bank, congruent, intact);
  const emotion = emotionScores(congruent, intact, options.emotionScore);
  const format = formatScores(intact);
  const masked = await maskedPart(reason, options, present, resampling);
  const answers = await respondent.respond(probes.map((probe) => probeQuery(probe)));

  return {
    model: respondent.name,
    report: {
      ...utilizationReport(utilization, resampling),
      recallCosine: bootstrapMean(cosine, resampling),
      emotionF1: bootstrapMean(emotion, resampling),
      format: bootstrapMean(format, resampling),
      ...(await conflictPart(reason, options, resampling)),
      ...faithfulnessReport(probes, answers, options.answerStyle, resampling),
      ...masked.report,
      ...(await swapPart(reason, options, present, resampling)),
    },
    values: {
      ...utilization,
      recallCosine: cosine,
      emotionF1: emotion,
      format,
      ...masked.values,
      ...maskedProbeScores(probes, answers, options.answerStyle),
    },
    texts: { intact, maskedVideo: masked.texts.video, maskedAudio: masked.texts.audio },
    probes: probes.map((probe, i) => ({ ...probe, text: answers[i]! })),
  };
}

function maskedProbeScores(probes: readonly Probe[], answers: readonly string[], style: AnswerStyle) {
  const scores = probeScores(probes, answers, style);
  const of = (modality: Modality) =>
    scores.filter((_, i) => probes[i]!.kind === "masked" && probes[i]!.modality === modality);
  return { accVideo: of("video"), accAudio: of("audio") };
}

async function conflictPart(reason: Reason, options: MepOptions, resampling: BootstrapOptions): Promise<Report> {
  const { bank, conflict } = options;
  const texts = await reason(conflict.map(intactView));
  const values = utilizationValues(bank, await statedCues(bank, texts), await presentCues(bank, conflict));
  return {
    emotionF1Conflict: bootstrapMean(emotionScores(conflict, texts, options.emotionScore), resampling),
    precisionVideoConflict: bootstrapMean(values.precisionVideo, resampling),
    precisionAudioConflict: bootstrapMean(values.precisionAudio, resampling),
  };
}

async function maskedPart(
  reason: Reason,
  options: MepOptions,
  present: readonly (readonly number[])[],
  resampling: BootstrapOptions,
) {
  const { bank, congruent } = options;
  const texts: Record<Modality, readonly string[]> = { video: [], audio: [] };
  const values: Record<string, readonly number[]> = {};
  let report: Report = {};
  for (const modality of ["video", "audio"] as const) {
    texts[modality] = await reason(congruent.map((sample) => maskedView(sample, modality)));
    const stated = await statedCues(bank, texts[modality]);
    const scores = hallucinationValues(bank, modality, texts[modality], stated, present);
    report = { ...report, ...hallucinationReport(modality, scores, resampling) };
    values[modality === "video" ? "hallucinatedVideo" : "hallucinatedAudio"] = scores.hallucinated;
  }
  return { report, texts, values };
}

async function swapPart(
  reason: Reason,
  options: MepOptions,
  present: readonly (readonly number[])[],
  resampling: BootstrapOptions,
): Promise<Report> {
  const { bank, congruent } = options;
  const partners = swapPartners(congruent);
  const swappable = congruent.map((_, i) => i).filter((i) => partners[i]! >= 0);
  let report: Report = {};
  for (const modality of ["video", "audio"] as const) {
    const views = swappable.map((i) => swappedView(congruent[i]!, congruent[partners[i]!]!, modality));
    const stated = await statedCues(bank, await reason(views));
    const before = swappable.map((i) => present[i]!);
    const after = swappable.map((i) => present[partners[i]!]!);
    report = { ...report, ...swapReport(modality, swapValues(bank, modality, stated, before, after), resampling) };
  }
  return report;
}
