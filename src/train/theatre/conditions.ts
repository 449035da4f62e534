// What a model claims about a modality that is degraded by any kind of mask at any dose, or that is another clip's, sorted by an
// observer into supported, unsupported and missed.
import type { Measures } from "../../bench/measure.ts";
import type { MaskCondition } from "../../bench/support/conditions.ts";
import { flatSupport, measureSupport } from "../../bench/support/measure-support.ts";
import { localRespondent } from "../../corpus/clips/local-respondent.ts";
import { theatreKind } from "../../corpus/theatre-kind.ts";
import type { Sample } from "../../data/sample.ts";
import { sceneOf } from "../../data/theatre/sample-scene.ts";
import { isReplacement, numPartners } from "../../media/degrade/degrade.ts";
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
    partnersOf: partnersAmong(congruent),
  });
  return flatSupport(rows);
}

/** A replaced modality is that of a clip with another emotion, so that following the other one shows; others come next. */
function partnersAmong(samples: readonly Sample[]) {
  const places = new Map(samples.map(({ id }, i) => [id, i]));
  return (sample: Sample, { modality, kind, dose }: MaskCondition): Sample[] => {
    const count = dose === 0 ? 0 : numPartners(kind);
    if (count === 0) return [];
    const place = places.get(sample.id)!;
    const next = [...samples.slice(place + 1), ...samples.slice(0, place)];
    const emotion = (one: Sample) => sceneOf(one)[`${modality}Emotion`];
    const others = isReplacement(kind) ? next.filter((one) => emotion(one) !== emotion(sample)) : next;
    return others.slice(0, count);
  };
}
