// A model on a grid of degradations: every clip under every condition, its free reasoning, and what of it is supported.
import type { Sample } from "../../data/sample.ts";
import type { Modality } from "../../media/clip.ts";
import { isReplacement } from "../../media/degrade/degrade.ts";
import { type CueBank, presentCues } from "../cue-bank.ts";
import { formatScores } from "../emotion-score.ts";
import type { AnswerStyle } from "../faithfulness.ts";
import type { Measures } from "../measure.ts";
import type { ClipView, Respondent } from "../respondent.ts";
import { type AbsenceOf, saidOf } from "../said.ts";
import { type Decompose, decomposeAtPunctuation } from "../statements.ts";
import { statedCues } from "../utilization.ts";
import { conditionName, conditionView, type MaskCondition, type PartnersOf } from "./conditions.ts";
import { type SupportCase, supportMeasures } from "./support.ts";

/** Per view p(cue is there) of every cue of the bank, from the rows of that modality alone. */
export type Observe = (
  views: readonly ClipView[],
  modality: Modality,
) => Promise<readonly Float32Array[]> | readonly Float32Array[];

export interface SupportOptions {
  readonly samples: readonly Sample[];
  readonly conditions: readonly MaskCondition[];
  readonly bank: CueBank;
  readonly observe: Observe;
  /** Of the masks. */
  readonly seed: number;
  readonly question: string;
  readonly answerStyle: AnswerStyle;
  /** Default: at punctuation. */
  readonly decompose?: Decompose;
  /** What a statement says of a whole modality; left out, nothing can tell. */
  readonly absenceOf?: AbsenceOf;
  /** Whose picture or sound a kind takes; left out: none, and kinds that need one are refused. */
  readonly partnersOf?: PartnersOf;
}

/** One row of a dose-response table. */
export interface ConditionSupport {
  readonly condition: MaskCondition;
  readonly measures: Measures;
  /** In the order of the samples. */
  readonly responses: readonly string[];
}

/** One row per condition, all of the same clips, so that rows and models can be compared clip by clip. */
export async function measureSupport(respondent: Respondent, options: SupportOptions): Promise<ConditionSupport[]> {
  const rows: ConditionSupport[] = [];
  for (const condition of options.conditions) rows.push(await measureCondition(respondent, condition, options));
  return rows;
}

async function measureCondition(
  respondent: Respondent,
  condition: MaskCondition,
  options: SupportOptions,
): Promise<ConditionSupport> {
  const { bank, samples, question, decompose = decomposeAtPunctuation, answerStyle } = options;
  const { modality } = condition;
  const views = samples.map((sample) =>
    conditionView(sample, condition, options.seed, options.partnersOf?.(sample, condition)),
  );
  const responses = await respondent.respond(views.map((view) => ({ prompt: question, view })));
  const observed = await options.observe(views, modality);
  const decompositions = await decompose(responses);
  const stated = await statedCues(bank, decompositions);
  const absencesOf = (i: number) =>
    options.absenceOf === undefined
      ? null
      : (saidOf(bank, decompositions[i]!, stated[i]!, options.absenceOf)?.[modality] ?? null);
  const format = formatScores(responses, answerStyle);
  const present = await shownCues(bank, views, modality);
  const cases = responses.map(
    (_, i): SupportCase => ({
      present: present[i]!,
      observed: observed[i]!,
      stated: stated[i]!,
      absences: absencesOf(i),
      format: format[i]!,
    }),
  );
  return { condition, measures: supportMeasures(bank, modality, cases), responses };
}

/** The clip's own cues, and of the masked modality those of clips that are shown in its place or over it. */
async function shownCues(bank: CueBank, views: readonly ClipView[], modality: Modality): Promise<number[][]> {
  const own = await presentCues(
    bank,
    views.map(({ sample }) => sample),
  );
  const partners = [...new Set(views.flatMap(({ mask }) => mask?.partners ?? []))];
  const theirs = new Map((await presentCues(bank, partners)).map((cues, i) => [partners[i]!, cues]));
  return views.map(({ mask }, i) => {
    const shown = mask !== undefined && isReplacement(mask.kind) ? mask.partners : [];
    if (shown.length === 0) return own[i]!;
    const isOurs = (cue: number) => bank.cues[cue]!.kind !== modality || mask!.ratio < 1;
    const ofModality = (cue: number) => bank.cues[cue]!.kind === modality;
    const added = shown.flatMap((partner) => theirs.get(partner)!.filter(ofModality));
    return [...new Set([...own[i]!.filter(isOurs), ...added])].sort((a, b) => a - b);
  });
}

/** All rows as one list of measures, named "CONDITION/MEASURE": what a `MeasuredRun` takes. */
export function flatSupport(rows: readonly Pick<ConditionSupport, "condition" | "measures">[]): Measures {
  return Object.fromEntries(
    rows.flatMap(({ condition, measures }) =>
      Object.entries(measures).map(([name, measure]) => [`${conditionName(condition)}/${name}`, measure]),
    ),
  );
}
