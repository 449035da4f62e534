// A model of the theatre under test: its held-out clips, opened once, and MEP-Bench on them.
import type { CueBank } from "../../bench/cue-bank.ts";
import { type MepResult, runMep } from "../../bench/mep.ts";
import type { Respondent } from "../../bench/respondent.ts";
import { ClipLibrary } from "../../corpus/clips/clip-library.ts";
import { localRespondent } from "../../corpus/clips/local-respondent.ts";
import { makeKnownSet } from "../../corpus/mep-set.ts";
import { theatreKind } from "../../corpus/theatre-kind.ts";
import type { Sample } from "../../data/sample.ts";
import type { Embedder } from "../../evidence/cue.ts";
import type { OmniModel } from "../../models/omni-model.ts";
import { loadModel } from "../../models/registry.ts";
import { type TaskContext, theatrePrompt, tick } from "./context.ts";
import { fittedSplit, type SplitName } from "./splits.ts";

/** Held-out splits; the dev pair serves every choice of a hyper-parameter. */
export interface HeldOut {
  readonly congruent: SplitName;
  readonly conflict: SplitName;
}

/** An owner of the model and of its clips' rows. */
export interface ModelUnderTest extends Disposable {
  readonly model: OmniModel;
  readonly library: ClipLibrary;
  readonly embedder: Embedder;
  readonly bank: CueBank;
  readonly congruent: readonly Sample[];
  readonly conflict: readonly Sample[];
}

/** Longest answer. */
export const maxAnswerTokens = 80;
/** Queries of the whole suite per clip, near enough for a progress bar. */
const queriesPerClip = 14;

/** @param directory of the trained model */
export async function openUnderTest(context: TaskContext, directory: string, splits: HeldOut): Promise<ModelUnderTest> {
  const model = await loadModel(directory);
  const library = new ClipLibrary(model);
  const dispose = () => {
    library[Symbol.dispose]();
    model[Symbol.dispose]();
  };
  try {
    const congruent = await fittedSplit(context, splits.congruent, model);
    const conflict = await fittedSplit(context, splits.conflict, model);
    library.add([...congruent, ...conflict]);
    const embedder = theatreKind.embedder();
    const samplesOf = (clips: typeof congruent) => clips.map(({ sample }) => sample);
    return {
      model,
      library,
      embedder,
      bank: await theatreKind.bank(embedder),
      congruent: samplesOf(congruent),
      conflict: samplesOf(conflict),
      [Symbol.dispose]: dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** The model as a benchmark knows it; `progress` counts what it is asked. */
export function respondentOf(context: TaskContext, tested: ModelUnderTest, name: string): Respondent {
  const { model, library, congruent, conflict } = tested;
  const total = queriesPerClip * congruent.length + conflict.length;
  let done = 0;
  return localRespondent(model, library, {
    name,
    maxNewTokens: maxAnswerTokens,
    promptText: theatrePrompt,
    onBatch: async (numDone, numTotal) => {
      await tick(context, Math.min(total, done + numDone), total, "measuring");
      if (numDone === numTotal) done += numTotal;
    },
  });
}

/** MEP-Bench with the theatre's questions. */
export async function measureSuite(
  { embedder, congruent, conflict }: ModelUnderTest,
  respondent: Respondent,
): Promise<MepResult> {
  const set = await makeKnownSet(theatreKind, embedder, { congruent, conflict });
  return runMep(respondent, {
    ...set,
    reasoningPrompt: () => theatreKind.question,
    emotionScore: theatreKind.emotion.score,
    answerStyle: "tagged",
  });
}
