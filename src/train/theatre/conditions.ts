// What a model claims about a modality that is degraded by any kind of mask at any dose, or that is another clip's, sorted by an
// observer into supported, unsupported and missed.
import type { Measures } from "../../bench/measure.ts";
import { type MaskCondition, partnersAmong } from "../../bench/support/conditions.ts";
import { flatSupport, measureSupport } from "../../bench/support/measure-support.ts";
import { localRespondent } from "../../corpus/clips/local-respondent.ts";
import { theatreKind } from "../../corpus/theatre-kind.ts";
import type { Sample } from "../../data/sample.ts";
import { sceneOf } from "../../data/theatre/sample-scene.ts";
import { observeViews } from "../observer/observe-views.ts";
import { type TaskContext, theatrePrompt, tick } from "./context.ts";
import { type ModelUnderTest, maxAnswerTokens } from "./measure.ts";
import { theatreObserver } from "./observer.ts";

/** Of the masks: every model is shown the same. */
const maskSeed = 0;

/** Scores by `CONDITION/SCORE` on the congruent clips, as `flatSupport` names them. */
export async function measureConditions(
  context: TaskContext,
  { model, library, bank, congruent }: ModelUnderTest,
  conditions: readonly MaskCondition[],
): Promise<Measures> {
  if (conditions.length === 0) return {};
  using observer = await theatreObserver(context, model, bank);
  const total = conditions.length * congruent.length;
  let done = 0;
  const respondent = localRespondent(model, library, {
    name: "model",
    maxNewTokens: maxAnswerTokens,
    promptText: theatrePrompt,
    onBatch: async (numDone, numTotal) => {
      await tick(context, done + numDone, total, "conditions");
      if (numDone === numTotal) done += numTotal;
    },
  });
  const rows = await measureSupport(respondent, {
    samples: congruent,
    conditions,
    bank,
    observe: observeViews(observer, library),
    seed: maskSeed,
    question: theatreKind.question,
    answerStyle: "tagged",
    partnersOf: partnersAmong(congruent, withOtherEmotion),
  });
  return flatSupport(rows);
}

/** A replaced modality is that of a clip with another emotion in it. */
function withOtherEmotion(others: readonly Sample[], sample: Sample, { modality }: MaskCondition): Sample[] {
  const emotion = (one: Sample) => sceneOf(one)[`${modality}Emotion`];
  return others.filter((one) => emotion(one) !== emotion(sample));
}
