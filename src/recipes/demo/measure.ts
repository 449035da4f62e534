// MEP-Bench and the report's clips for one trained model, as a task.
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { defaultBootstrapOptions } from "../../bench/bootstrap.ts";
import { type Measures, reportOf } from "../../bench/measure.ts";
import type { Report } from "../../bench/report.ts";
import type { ArmStory } from "../../page/data.ts";
import { replaceFile } from "../../run/checkpoint.ts";
import { type TaskContext, theatrePrompt } from "../../train/theatre/context.ts";
import {
  type HeldOut,
  maxAnswerTokens,
  measureSuite,
  openUnderTest,
  respondentOf,
} from "../../train/theatre/measure.ts";
import { measureHeldOutMasks } from "./held-out-masks.ts";
import { armStory } from "./stories.ts";

export interface MeasureTask {
  readonly arm: string;
  readonly seed: number;
  /** Directory of the trained model. */
  readonly model: string;
  readonly splits: HeldOut;
  /** Ids of the clips that the report plays; empty for none. */
  readonly storyIds: readonly string[];
  /** Where the result goes. */
  readonly file: string;
}

export interface Measured {
  readonly arm: string;
  readonly seed: number;
  readonly report: Report;
  /** What every clip gave to every score. */
  readonly measures: Measures;
  readonly stories: readonly { readonly sampleId: string; readonly story: ArmStory }[];
}

const similarityThreshold = 0.5;

export async function measure(context: TaskContext, task: MeasureTask): Promise<void> {
  using tested = await openUnderTest(context, task.model, task.splits);
  const { model, library, bank, congruent, conflict } = tested;
  const respondent = respondentOf(context, tested, task.arm);
  const suite = await measureSuite(tested, respondent);
  const heldOut = await measureHeldOutMasks(tested, respondent);
  const measures = { ...suite.measures, ...heldOut };
  const report = { ...suite.report, ...reportOf(heldOut, defaultBootstrapOptions) };
  const stories = [];
  for (const sample of [...congruent, ...conflict].filter(({ id }) => task.storyIds.includes(id))) {
    const story = await armStory(model, library, sample, {
      arm: task.arm,
      bank,
      similarityThreshold,
      promptText: theatrePrompt,
      maxNewTokens: maxAnswerTokens,
    });
    stories.push({ sampleId: sample.id, story });
  }
  await mkdir(dirname(task.file), { recursive: true });
  const measured: Measured = { arm: task.arm, seed: task.seed, report, measures, stories };
  replaceFile(task.file, `${JSON.stringify(measured, null, 1)}\n`);
}
