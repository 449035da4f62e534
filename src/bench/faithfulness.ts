// MEP-Bench, faithfulness: hide the modality that holds a cue, leave the other in as a distractor, and ask for the cue.
// The right answer is "no" (Acc@V, Acc@A). A model that always says "no", or babbles when it sees nothing, would score
// 100%, so scoring is strict (an explicit "no" in a well-formed answer) and every masked probe comes with two unmasked
// controls on the same clip: the cue itself ("yes") and a cue of the same kind that is not there ("no").

import type { Sample } from "../data/sample.ts";
import type { Cue } from "../evidence/cue.ts";
import { probeQuestion } from "../evidence/probe-question.ts";
import type { Modality } from "../media/clip.ts";
import { parseResponse } from "../text/response.ts";
import { type BootstrapOptions, bootstrap, bootstrapMean, seededUniform } from "./bootstrap.ts";
import { type CueBank, ofKind } from "./cue-bank.ts";
import type { Report } from "./report.ts";
import { intactView, maskedView, type Query } from "./respondent.ts";

export type ProbeKind = "masked" | "present" | "absent";

/** Example: kind "masked", modality "video", cue "a furrowed brow", expected "no". */
export interface Probe {
  readonly kind: ProbeKind;
  readonly modality: Modality;
  readonly sample: Sample;
  readonly cue: Cue;
  readonly expected: "yes" | "no";
}

export interface ProbeOptions {
  /** The paper asks 500 per modality. */
  readonly maxPerModality: number;
  readonly seed: number;
  /** Whether the other modality suggests the cue (strong audio-visual correlation). Default: every cue of a clip. */
  readonly isTypical?: (sample: Sample, cue: Cue) => boolean;
}

/**
 * Three probes per clip and modality (masked, present, absent), for clips that own a typical cue of it. Which cue is
 * asked for is drawn from the seed.
 * @param present the samples' cues as bank indices; what is not in there is absent.
 */
export function buildProbes(
  bank: CueBank,
  samples: readonly Sample[],
  present: readonly (readonly number[])[],
  options: ProbeOptions,
): Probe[] {
  const uniform = seededUniform(options.seed);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(uniform() * values.length)]!;
  const probes: Probe[] = [];
  for (const modality of ["video", "audio"] as const) {
    const ofModality = bank.cues.map((_, index) => index).filter((index) => bank.cues[index]!.kind === modality);
    let numClips = 0;
    for (const [i, sample] of samples.entries()) {
      if (numClips === options.maxPerModality) break;
      const own = ofKind(bank, present[i]!, modality).map((index) => bank.cues[index]!);
      const typical = own.filter((cue) => options.isTypical?.(sample, cue) ?? true);
      const missing = ofModality.filter((index) => !present[i]!.includes(index));
      if (typical.length === 0 || missing.length === 0) continue;
      numClips++;
      const cue = pick(typical);
      probes.push({ kind: "masked", modality, sample, cue, expected: "no" });
      probes.push({ kind: "present", modality, sample, cue, expected: "yes" });
      probes.push({ kind: "absent", modality, sample, cue: bank.cues[pick(missing)]!, expected: "no" });
    }
  }
  return probes;
}

export function probeQuery(probe: Probe): Query {
  const view = probe.kind === "masked" ? maskedView(probe.sample, probe.modality) : intactView(probe.sample);
  return { prompt: probeQuestion(probe.modality, probe.cue.text), view };
}

/** How a model was told to answer: with think and answer tags, or freely (then the first word counts). */
export type AnswerStyle = "tagged" | "free";

/** Strict reading: "yes" or "no" said explicitly, in a well-formed answer; null for everything else. */
export function readYesNo(text: string, style: AnswerStyle): "yes" | "no" | null {
  let answer = text;
  if (style === "tagged") {
    const response = parseResponse(text);
    if (!response.wellFormed) return null;
    answer = response.answer!.text;
  }
  const word = /^[^\p{L}\p{N}]*(yes|no)(?![\p{L}\p{N}])/iu.exec(answer)?.[1]?.toLowerCase();
  return word === "yes" || word === "no" ? word : null;
}

/** 1 for the expected answer, 0 for any other, per probe. */
export function probeScores(probes: readonly Probe[], texts: readonly string[], style: AnswerStyle): number[] {
  return probes.map((probe, i) => (readYesNo(texts[i]!, style) === probe.expected ? 1 : 0));
}

/** Acc@modality, its controls, and how often the controls were answered "yes" (0.5 is unbiased). */
export function faithfulnessReport(
  probes: readonly Probe[],
  texts: readonly string[],
  style: AnswerStyle,
  options: BootstrapOptions,
): Report {
  const scores = probeScores(probes, texts, style);
  const report: Record<string, ReturnType<typeof bootstrapMean>> = {};
  for (const [modality, suffix] of [
    ["video", "Video"],
    ["audio", "Audio"],
  ] as const) {
    const of = (kind: ProbeKind) =>
      scores.filter((_, i) => probes[i]!.kind === kind && probes[i]!.modality === modality);
    const [yes, no] = [of("present"), of("absent")];
    const saidYes = probes.flatMap((probe, i) =>
      probe.modality === modality && probe.kind !== "masked" ? [readYesNo(texts[i]!, style) === "yes" ? 1 : 0] : [],
    );
    report[`acc${suffix}`] = bootstrapMean(of("masked"), options);
    report[`yes${suffix}`] = bootstrapMean(yes, options);
    report[`no${suffix}`] = bootstrapMean(no, options);
    report[`balanced${suffix}`] = bootstrapMean(
      yes.map((value, i) => (value + no[i]!) / 2),
      options,
    );
    report[`f1${suffix}`] = bootstrap(yes.length, (indices) => yesF1(yes, no, indices), yes.length, options);
    report[`yesRate${suffix}`] = bootstrapMean(saidYes, options);
  }
  return report;
}

/** POPE's F1 with "yes" as the positive class; an unreadable answer to an absent cue counts as a false "yes". */
function yesF1(yes: readonly number[], no: readonly number[], indices: Int32Array): number {
  let truePositive = 0;
  let falsePositive = 0;
  for (const i of indices) {
    truePositive += yes[i]!;
    falsePositive += 1 - no[i]!;
  }
  const falseNegative = indices.length - truePositive;
  return (2 * truePositive) / (2 * truePositive + falsePositive + falseNegative);
}
