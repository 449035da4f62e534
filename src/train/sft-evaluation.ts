// How far supervised fine-tuning has come, on rows that are not learnt from: their loss, and what the model says to a few of them.
import type { ClipLibrary } from "../corpus/clips/clip-library.ts";
import type { Conversation } from "../data/conversations/conversation.ts";
import { type OmniModel, withoutStop } from "../models/omni-model.ts";
import { Metrics, type StepMetrics } from "../rl/metrics.ts";
import type { StepLog } from "../run/metrics.ts";
import { noGrad, scope } from "../tensor/index.ts";
import { parseResponse } from "../text/response.ts";
import { ConversationExamples } from "./conversation-examples.ts";
import { LiveRows } from "./live-rows.ts";
import { sftLoss } from "./sft.ts";

export interface SftEvaluationOptions {
  readonly model: OmniModel;
  readonly library: ClipLibrary;
  readonly heldOut: readonly Conversation[];
  /** Whether rows of clips change with the model. */
  readonly trainsTowers: boolean;
  /** How many at once. */
  readonly batchSize: number;
  readonly evalAnswers: number;
  readonly maxNewTokens: number;
  /** Gets the answers, one line each. */
  readonly answers: StepLog;
  /** Called between batches; may throw to stop. */
  readonly safePoint: () => Promise<void>;
}

/** Mean cross-entropy over the tokens that are to be learnt; share of answers in the form that theirs has. */
export function sftEvaluation(options: SftEvaluationOptions): (numSteps: number) => Promise<StepMetrics> {
  const { heldOut, batchSize, safePoint } = options;
  return async (numSteps) => {
    const metrics = new Metrics();
    for (let start = 0; start < heldOut.length; start += batchSize) {
      await safePoint();
      withExamples(options, (examples) => {
        const batch = heldOut.slice(start, start + batchSize).flatMap((one) => examples.of(one));
        const numTokens = batch.flat().reduce((sum, { target }) => sum + target.length, 0);
        metrics.mean("loss", scope(() => sftLoss(options.model, batch).item()) * numTokens, numTokens);
        metrics.sum("num_tokens", numTokens);
      });
    }
    await safePoint();
    if (options.evalAnswers > 0) logAnswers(options, numSteps, metrics);
    return metrics.values();
  };
}

function logAnswers(options: SftEvaluationOptions, numSteps: number, metrics: Metrics): void {
  const { model, heldOut, evalAnswers, maxNewTokens, answers } = options;
  withExamples(options, (examples) => {
    const asked = heldOut.slice(0, evalAnswers);
    const questions = asked.map((one) => examples.lastQuestion(one));
    const prompts = questions.map(({ prompt }) => prompt);
    const completions = model.sample(prompts, { numSamples: 1, maxNewTokens, temperature: 0 });
    for (const [i, [completion]] of completions.entries()) {
      const { ids, truncated } = completion!;
      const text = model.decodePieces(withoutStop(model, ids)).join("");
      const expected = questions[i]!.answer;
      const { wellFormed } = parseResponse(text, { truncated });
      if (parseResponse(expected).wellFormed) metrics.meanOf("well_formed", [wellFormed ? 1 : 0]);
      metrics.meanOf("truncated", [truncated ? 1 : 0]);
      answers.append({
        step: numSteps - 1,
        id: asked[i]!.id,
        text,
        expected,
        isWellFormed: wellFormed,
        isTruncated: truncated,
      });
    }
  });
}

function withExamples(
  { model, library, trainsTowers }: SftEvaluationOptions,
  body: (examples: ConversationExamples) => void,
) {
  noGrad(() => {
    using live = trainsTowers ? new LiveRows(model, library) : null;
    using examples = new ConversationExamples(model, library, live === null ? undefined : (clip) => live.rows(clip));
    body(examples);
  });
}
