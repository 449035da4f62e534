// MEP-Bench and the report's clips for one trained model, as a task.
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { Measures } from "../../bench/measure.ts";
import { runMep } from "../../bench/mep.ts";
import type { Report } from "../../bench/report.ts";
import { ClipLibrary } from "../../corpus/clips/clip-library.ts";
import { localRespondent } from "../../corpus/clips/local-respondent.ts";
import { makeKnownSet } from "../../corpus/mep-set.ts";
import { theatreKind } from "../../corpus/theatre-kind.ts";
import { loadModel } from "../../models/registry.ts";
import type { ArmStory } from "../../page/data.ts";
import { replaceFile } from "../../run/checkpoint.ts";
import { fittedSplit, type SplitName } from "./splits.ts";
import { armStory } from "./stories.ts";
import { type TaskContext, theatrePrompt, tick } from "./task.ts";

export interface MeasureTask {
  readonly arm: string;
  readonly seed: number;
  /** Directory of the trained model. */
  readonly model: string;
  /** Held-out splits; the dev pair serves every choice of a hyper-parameter. */
  readonly splits: { readonly congruent: SplitName; readonly conflict: SplitName };
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

const maxNewTokens = 80;
const similarityThreshold = 0.5;
/** Queries of the whole suite per clip, near enough for a progress bar. */
const queriesPerClip = 11;

export async function measure(context: TaskContext, task: MeasureTask): Promise<void> {
  using model = await loadModel(task.model);
  const fit = (split: SplitName) => fittedSplit(context, split, model);
  const congruent = await fit(task.splits.congruent);
  const conflict = await fit(task.splits.conflict);
  using library = new ClipLibrary(model);
  library.add([...congruent, ...conflict]);
  const total = queriesPerClip * congruent.length + conflict.length;
  let done = 0;
  const respondent = localRespondent(model, library, {
    name: task.arm,
    maxNewTokens,
    promptText: theatrePrompt,
    onBatch: async (numDone, numTotal) => {
      await tick(context, Math.min(total, done + numDone), total, "measuring");
      if (numDone === numTotal) done += numTotal;
    },
  });
  const embedder = theatreKind.embedder();
  const bank = await theatreKind.bank(embedder);
  const samplesOf = (clips: typeof congruent) => clips.map(({ sample }) => sample);
  const set = await makeKnownSet(theatreKind, embedder, {
    congruent: samplesOf(congruent),
    conflict: samplesOf(conflict),
  });
  const { report, measures } = await runMep(respondent, {
    ...set,
    reasoningPrompt: () => theatreKind.question,
    emotionScore: theatreKind.emotion.score,
    answerStyle: "tagged",
  });
  const stories = [];
  for (const sample of samplesOf([...congruent, ...conflict]).filter(({ id }) => task.storyIds.includes(id))) {
    const story = await armStory(model, library, sample, {
      arm: task.arm,
      bank,
      similarityThreshold,
      promptText: theatrePrompt,
      maxNewTokens,
    });
    stories.push({ sampleId: sample.id, story });
  }
  await mkdir(dirname(task.file), { recursive: true });
  const measured: Measured = { arm: task.arm, seed: task.seed, report, measures, stories };
  replaceFile(task.file, `${JSON.stringify(measured, null, 1)}\n`);
}
