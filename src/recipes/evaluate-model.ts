// `oppo evaluate`: MEP-Bench of one model directory on a corpus in the project's sample format.
import { type MepResult, runMep } from "../bench/mep.ts";
import { makeMepSet } from "../bench/mep-set.ts";
import { loadModel } from "../models/index.ts";
import type { Interrupt } from "../run/interrupt.ts";
import type { Progress } from "../run/progress.ts";
import { ClipLibrary } from "./clip-library.ts";
import { fitCorpus, readCorpus } from "./corpus.ts";
import { cueStage } from "./embed/cue-stage.ts";
import { localRespondent } from "./local-respondent.ts";
import { corpusSetOptions, makeTheatreSet } from "./mep/make-set.ts";
import { chooseSetting, type SettingOptions } from "./setting.ts";

export interface Evaluation extends SettingOptions {
  readonly model: string;
  /** Clips on which face and voice agree. */
  readonly data: string;
  /** Clips on which they do not; null for none. */
  readonly conflict: string | null;
  readonly maxNewTokens: number;
  readonly maxSkippedRows: number;
  readonly maxSkippedFraction: number;
  /** Only the first so many clips of either file; null for all. */
  readonly limit: number | null;
  readonly progress: Progress;
  readonly interrupt: Interrupt;
}

export interface EvaluationResult extends MepResult {
  readonly numClips: number;
  readonly numSkippedClips: number;
  /** How the corpus was read. */
  readonly notes: readonly string[];
}

/** Queries of the whole suite per clip, near enough for a progress bar. */
const queriesPerClip = 11;

export async function evaluateModel(evaluation: Evaluation): Promise<EvaluationResult> {
  const { model: directory, progress, interrupt } = evaluation;
  using model = loadModel(directory);
  using library = new ClipLibrary(model);
  const load = async (file: string | null) => {
    if (file === null) return { samples: [], numSkipped: 0 };
    const rows = await readCorpus(file, evaluation.maxSkippedRows, progress.log);
    const { fitted, skipped } = await fitCorpus(model, rows.slice(0, evaluation.limit ?? rows.length), {
      file,
      modelDirectory: directory,
      maxSkippedFraction: evaluation.maxSkippedFraction,
      progress,
      interrupt,
    });
    library.add(fitted);
    return { samples: fitted.map(({ sample }) => sample), numSkipped: skipped.length };
  };
  const congruent = await load(evaluation.data);
  const conflict = await load(evaluation.conflict);
  using setting = await chooseSetting([...congruent.samples, ...conflict.samples], {
    ...evaluation,
    onCues: cueStage(progress, interrupt),
  });
  for (const note of setting.notes) progress.log(note);

  const total = queriesPerClip * congruent.samples.length + conflict.samples.length;
  const stage = progress.stage("measuring", total);
  let done = 0;
  const respondent = localRespondent(model, library, {
    name: directory,
    maxNewTokens: evaluation.maxNewTokens,
    promptText: setting.promptText,
    onBatch: async (numDone, numTotal) => {
      stage.update(Math.min(total, done + numDone));
      if (numDone === numTotal) done += numTotal;
      await interrupt.safePoint();
    },
  });
  const clips = { congruent: congruent.samples, conflict: conflict.samples };
  const { world, embedder } = setting;
  const set =
    world === null
      ? await makeMepSet(clips, { embedder, bank: null }, corpusSetOptions)
      : await makeTheatreSet(world, clips);
  const result = await runMep(respondent, {
    ...set,
    reasoningPrompt: () => setting.question,
    emotionScore: setting.emotionScore,
    answerStyle: "tagged",
  });
  stage.update(total);
  stage.finish();
  return {
    ...result,
    numClips: congruent.samples.length + conflict.samples.length,
    numSkippedClips: congruent.numSkipped + conflict.numSkipped,
    notes: setting.notes,
  };
}
