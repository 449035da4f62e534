// How far supervised fine-tuning has come, on rows that are not learnt from: their loss, and what the model says to a few of them.
import type { ClipLibrary } from "../corpus/clips/clip-library.ts";
import type { Conversation } from "../data/conversations/conversation.ts";
import { withoutStop } from "../models/omni-model.ts";
import { Metrics, type StepMetrics } from "../rl/metrics.ts";
import type { StepLog } from "../run/metrics.ts";
import { noGrad } from "../tensor/index.ts";
import { parseResponse } from "../text/response.ts";
import { ConversationExamples } from "./conversation-examples.ts";
import { LiveRows } from "./live-rows.ts";
import type { OpenedPolicy } from "./policy.ts";
import { type SftOptions, sftLoss } from "./sft.ts";

export interface SftEvaluationOptions {
  readonly models: Pick<OpenedPolicy, "policy" | "trainsTowers">;
  readonly library: ClipLibrary;
  readonly heldOut: readonly Conversation[];
  /** How much lives at once. */
  readonly chunks: Pick<SftOptions, "promptsPerMicroBatch" | "tokensPerChunk">;
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
        const loss = sftLoss(options.models.policy, batch, { ...options.chunks, recomputes: false });
        metrics.mean("loss", loss * numTokens, numTokens);
        metrics.sum("num_tokens", numTokens);
      });
    }
    await safePoint();
    if (options.evalAnswers > 0) logAnswers(options, numSteps, metrics);
    return metrics.values();
  };
}

function logAnswers(options: SftEvaluationOptions, numSteps: number, metrics: Metrics): void {
  const { heldOut, evalAnswers, maxNewTokens, answers } = options;
  const model = options.models.policy;
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

function withExamples({ models, library }: SftEvaluationOptions, body: (examples: ConversationExamples) => void) {
  noGrad(() => {
    using live = models.trainsTowers ? new LiveRows(models.policy, library) : null;
    using examples = new ConversationExamples(
      models.policy,
      library,
      live === null ? undefined : (clip) => live.rows(clip),
    );
    body(examples);
  });
}
