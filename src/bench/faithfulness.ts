// MEP-Bench, faithfulness: hide the modality that holds a cue, leave the other in as a distractor, and ask for the cue.
// The right answer is "no" (Acc@V, Acc@A). A model that always says "no", or babbles when it sees nothing, would score
// 100%, so scoring is strict (an explicit "no" in a well-formed answer) and every masked probe comes with two unmasked
// controls on the same clip: the cue itself ("yes") and a cue of the same kind that is not there ("no"). The harder third one
// asks for a cue that the clip's emotion suggests and that is not there either ("no").

import type { Modality } from "../media/clip.ts";
import { lenientAnswer, type ReadingMode, yesOrNo } from "../text/answer.ts";
import { parseResponse } from "../text/response.ts";
import { replyText } from "../text/special-tokens.ts";
import type { Measure } from "./measure.ts";
import type { Probe } from "./probes.ts";

/** How a model was told to answer: with think and answer tags, or freely (then the first word counts). */
export type AnswerStyle = "tagged" | "free";

/** How a yes or no is read, as reports name it. Emotion words and reasonings are read leniently in both styles. */
export const verdictReading: Readonly<Record<AnswerStyle, ReadingMode>> = { tagged: "strict", free: "lenient" };

/**
 * "yes" or "no" said explicitly; null for everything else. With tags by the strict reading (a well-formed response), freely by
 * the lenient one: then it must be the first word of what is said after any thinking.
 */
export function readYesNo(text: string, style: AnswerStyle): "yes" | "no" | null {
  const strict = style === "tagged" ? parseResponse(text) : null;
  if (strict?.wellFormed === false) return null;
  return yesOrNo(strict?.answer?.text ?? lenientAnswer(text));
}

/**
 * The reading of the author's working tree, for comparison with the paper's table: "yes" or "no" anywhere in the first line, in
 * letters of any case, also inside a word ("know" is a no); "yes" is looked for first.
 */
export function readFirstLine(text: string): "yes" | "no" | null {
  const line = replyText(text).trim().split("\n", 1)[0]!.toLowerCase();
  if (line.includes("yes")) return "yes";
  return line.includes("no") ? "no" : null;
}

/**
 * Acc@modality by both readings, its controls (the adversarial one where it was asked, and balanced with the present one), how
 * often the other controls were answered "yes" (0.5 is unbiased), and how many answers were neither. The clip is the unit of
 * every draw: probes of one clip are not independent.
 */
export function faithfulnessMeasures(
  probes: readonly Probe[],
  texts: readonly string[],
  style: AnswerStyle,
): Record<string, Measure> {
  const read = texts.map((text) => readYesNo(text, style));
  const firstLines = texts.map(readFirstLine);
  const measures: Record<string, Measure> = {};
  for (const [modality, suffix] of [
    ["video", "Video"],
    ["audio", "Audio"],
  ] as const) {
    const clips = clipsOf(probes, read, firstLines, modality);
    const put = (name: string, counted: keyof Tally | ((tally: Tally) => number), ...ratios: readonly Ratio[]) => {
      const count = typeof counted === "function" ? counted : (tally: Tally) => tally[counted];
      measures[`${name}${suffix}`] = {
        group: `asked${suffix}`,
        parts: ratios.map(([sum, of]) => ({ sums: clips.map(sum), counts: clips.map(of) })),
        count: clips.reduce((total, clip) => total + count(clip), 0),
      };
    };
    const yes: Ratio = [(t) => t.presentYes, (t) => t.present];
    const no: Ratio = [(t) => t.absentNo, (t) => t.absent];
    const controls = (t: Tally) => t.present + t.absent;
    const adversarialNo: Ratio = [(t) => t.adversarialNo, (t) => t.adversarial];
    const all = (t: Tally) => t.masked + controls(t) + t.adversarial;
    put("acc", "masked", [(t) => t.maskedNo, (t) => t.masked]);
    put("accFirstLine", "masked", [(t) => t.maskedFirstLineNo, (t) => t.masked]);
    put("yes", "present", yes);
    put("no", "absent", no);
    put("balanced", "present", yes, no);
    if (clips.some(({ adversarial }) => adversarial > 0)) {
      put("adversarial", "adversarial", adversarialNo);
      put("balancedAdversarial", "adversarial", yes, adversarialNo);
    }
    put("f1", "present", [(t) => 2 * t.presentYes, (t) => controls(t) + t.presentYes - t.absentNo]);
    put("yesRate", controls, [(t) => t.saidYes, controls]);
    put("unreadable", all, [(t) => t.unreadable, all]);
  }
  return measures;
}

/** What a clip gives to a score, and out of how much. */
type Ratio = readonly [sum: (tally: Tally) => number, of: (tally: Tally) => number];

/** The clips that are asked about a modality, in order of appearance. */
export function askedClips(probes: readonly Probe[], modality: Modality): string[] {
  return [...new Set(probes.filter((probe) => probe.modality === modality).map(({ sample }) => sample.id))];
}

/** What one clip answered to the probes of one modality. */
interface Tally {
  masked: number;
  maskedNo: number;
  /** By the first line alone. */
  maskedFirstLineNo: number;
  present: number;
  presentYes: number;
  absent: number;
  absentNo: number;
  adversarial: number;
  adversarialNo: number;
  /** Among the present and absent controls. */
  saidYes: number;
  unreadable: number;
}

function emptyTally(): Tally {
  const asked = { masked: 0, present: 0, absent: 0, adversarial: 0 };
  const right = { maskedNo: 0, maskedFirstLineNo: 0, presentYes: 0 };
  return { ...asked, ...right, absentNo: 0, adversarialNo: 0, saidYes: 0, unreadable: 0 };
}

/** One tally per clip that is asked about the modality, in order of appearance. */
function clipsOf(
  probes: readonly Probe[],
  read: readonly ("yes" | "no" | null)[],
  firstLines: readonly ("yes" | "no" | null)[],
  modality: Modality,
): Tally[] {
  const clips = new Map<string, Tally>();
  for (const [i, probe] of probes.entries()) {
    if (probe.modality !== modality) continue;
    const tally = clips.get(probe.sample.id) ?? emptyTally();
    clips.set(probe.sample.id, tally);
    tally[probe.kind]++;
    if (read[i] === null) tally.unreadable++;
    if (probe.kind === "masked" && read[i] === "no") tally.maskedNo++;
    if (probe.kind === "masked" && firstLines[i] === "no") tally.maskedFirstLineNo++;
    if (probe.kind === "present" && read[i] === "yes") tally.presentYes++;
    if (probe.kind === "absent" && read[i] === "no") tally.absentNo++;
    if (probe.kind === "adversarial" && read[i] === "no") tally.adversarialNo++;
    const isControl = probe.kind === "present" || probe.kind === "absent";
    if (isControl && read[i] === "yes") tally.saidYes++;
  }
  return [...clips.values()];
}
