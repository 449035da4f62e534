// MEP-Bench, faithfulness: hide the modality that holds a cue, leave the other in as a distractor, and ask for the cue.
// The right answer is "no" (Acc@V, Acc@A). A model that always says "no", or babbles when it sees nothing, would score
// 100%, so scoring is strict (an explicit "no" in a well-formed answer) and every masked probe comes with two unmasked
// controls on the same clip: the cue itself ("yes") and a cue of the same kind that is not there ("no").

import type { Modality } from "../media/clip.ts";
import { parseResponse } from "../text/response.ts";
import { type BootstrapOptions, bootstrap } from "./bootstrap.ts";
import type { Probe } from "./probes.ts";
import type { Metric, Report } from "./report.ts";

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

/**
 * Acc@modality, its controls, how often the controls were answered "yes" (0.5 is unbiased), and how many answers were
 * neither. Intervals resample clips: probes of one clip are not independent.
 */
export function faithfulnessReport(
  probes: readonly Probe[],
  texts: readonly string[],
  style: AnswerStyle,
  options: BootstrapOptions,
): Report {
  const read = texts.map((text) => readYesNo(text, style));
  const report: Record<string, Metric> = {};
  for (const [modality, suffix] of [
    ["video", "Video"],
    ["audio", "Audio"],
  ] as const) {
    const clips = clipsOf(probes, read, modality);
    const put = (name: string, statistic: (tally: Tally) => number, count: (tally: Tally) => number): void => {
      const value = (indices: ArrayLike<number>) => statistic(sumOf(clips, indices));
      const all = sumOf(
        clips,
        clips.map((_, i) => i),
      );
      report[`${name}${suffix}`] = bootstrap(clips.length, value, count(all), options);
    };
    put(
      "acc",
      ({ maskedNo, masked }) => maskedNo / masked,
      ({ masked }) => masked,
    );
    put(
      "yes",
      ({ presentYes, present }) => presentYes / present,
      ({ present }) => present,
    );
    put(
      "no",
      ({ absentNo, absent }) => absentNo / absent,
      ({ absent }) => absent,
    );
    put(
      "balanced",
      (t) => (t.presentYes / t.present + t.absentNo / t.absent) / 2,
      ({ present }) => present,
    );
    put("f1", yesF1, ({ present }) => present);
    put(
      "yesRate",
      (t) => t.saidYes / (t.present + t.absent),
      (t) => t.present + t.absent,
    );
    put(
      "unreadable",
      (t) => t.unreadable / (t.masked + t.present + t.absent),
      (t) => t.masked + t.present + t.absent,
    );
  }
  return report;
}

/** What one clip, or several, answered to the probes of one modality. */
interface Tally {
  masked: number;
  maskedNo: number;
  present: number;
  presentYes: number;
  absent: number;
  absentNo: number;
  /** Among the controls. */
  saidYes: number;
  unreadable: number;
}

function emptyTally(): Tally {
  return { masked: 0, maskedNo: 0, present: 0, presentYes: 0, absent: 0, absentNo: 0, saidYes: 0, unreadable: 0 };
}

/** One tally per clip that is asked about the modality, in order of appearance. */
function clipsOf(probes: readonly Probe[], read: readonly ("yes" | "no" | null)[], modality: Modality): Tally[] {
  const clips = new Map<string, Tally>();
  for (const [i, probe] of probes.entries()) {
    if (probe.modality !== modality) continue;
    const tally = clips.get(probe.sample.id) ?? emptyTally();
    clips.set(probe.sample.id, tally);
    tally[probe.kind]++;
    if (read[i] === null) tally.unreadable++;
    if (probe.kind === "masked" && read[i] === "no") tally.maskedNo++;
    if (probe.kind === "present" && read[i] === "yes") tally.presentYes++;
    if (probe.kind === "absent" && read[i] === "no") tally.absentNo++;
    if (probe.kind !== "masked" && read[i] === "yes") tally.saidYes++;
  }
  return [...clips.values()];
}

function sumOf(clips: readonly Tally[], indices: ArrayLike<number>): Tally {
  const sum = emptyTally();
  for (let i = 0; i < indices.length; i++) {
    const clip = clips[indices[i]!]!;
    for (const name of tallyNames) sum[name] += clip[name];
  }
  return sum;
}

const tallyNames = Object.keys(emptyTally()) as (keyof Tally)[];

/** POPE's F1 with "yes" as the positive class; an unreadable answer to an absent cue counts as a false "yes". */
function yesF1({ present, presentYes, absent, absentNo }: Tally): number {
  return (2 * presentYes) / (present + presentYes + absent - absentNo);
}
