// How far supervised fine-tuning has come, on rows that are not learnt from: their loss, and what the model says to a few of them.
import type { ClipOrder, ClipSource } from "../../corpus/clips/clip-source.ts";
import { type Conversation, clipsOf } from "../../data/conversations/conversation.ts";
import { withoutStop } from "../../models/omni-model.ts";
import { Metrics, type StepMetrics } from "../../rl/metrics.ts";
import type { StepLog } from "../../run/metrics.ts";
import { noGrad } from "../../tensor/index.ts";
import { parseResponse } from "../../text/response.ts";
import { LiveRows } from "../live-rows.ts";
import type { OpenedPolicy } from "../policy.ts";
import { type SftOptions, sftLoss } from "../sft.ts";
import { ConversationExamples } from "./conversation-examples.ts";

/** Rows that are held out, batch by batch. */
export interface HeldOut {
  readonly clips: ClipSource<Conversation>;
  readonly numBatches: number;
}

export interface SftEvaluationOptions extends HeldOut {
  readonly models: Pick<OpenedPolicy, "policy" | "trainsTowers">;
  /** How much lives at once. */
  readonly chunks: Pick<SftOptions, "promptsPerMicroBatch" | "tokensPerChunk">;
  readonly evalAnswers: number;
  readonly maxNewTokens: number;
  /** Gets the answers, one line each. */
  readonly answers: StepLog;
  /** Called between batches; may throw to stop. */
  readonly safePoint: () => Promise<void>;
}

/** The rows in their order; a step of it is a batch. */
export function evaluationOrder(rows: readonly Conversation[], batchSize: number): ClipOrder<Conversation> {
  const steps = Math.ceil(rows.length / batchSize);
  return {
    items: rows,
    clipsOf: (row) => clipsOf([row]),
    batchAt: (step) => rows.slice((step % steps) * batchSize, (step % steps) * batchSize + batchSize),
    steps,
  };
}

/** Mean cross-entropy over the tokens that are to be learnt; share of answers in the form that theirs has. */
export function sftEvaluation(options: SftEvaluationOptions): (numSteps: number) => Promise<StepMetrics> {
  const { clips, numBatches, safePoint } = options;
  return async (numSteps) => {
    const metrics = new Metrics();
    // A batch whose clips cannot be read gives way to another one, which counts once.
    const seen = new Set<Conversation>();
    for (let batch = 0; batch < numBatches; batch++) {
      await safePoint();
      const rows = (await clips.ready(batch)).filter((row) => !seen.has(row));
      if (rows.length === 0) continue;
      const toAnswer = rows.slice(0, Math.max(0, options.evalAnswers - seen.size));
      for (const row of rows) seen.add(row);
      withExamples(options, (examples) => {
        measureLoss(options, rows, examples, metrics);
        if (toAnswer.length > 0) logAnswers(options, toAnswer, examples, numSteps, metrics);
      });
    }
    return metrics.values();
  };
}

function measureLoss(
  { models, chunks }: SftEvaluationOptions,
  rows: readonly Conversation[],
  examples: ConversationExamples,
  metrics: Metrics,
): void {
  const batch = rows.flatMap((row) => examples.of(row));
  const numTokens = batch.flat().reduce((sum, { target }) => sum + target.length, 0);
  const loss = sftLoss(models.policy, batch, { ...chunks, recomputes: false });
  metrics.mean("loss", loss * numTokens, numTokens);
  metrics.sum("num_tokens", numTokens);
}

function logAnswers(
  { models, maxNewTokens, answers }: SftEvaluationOptions,
  rows: readonly Conversation[],
  examples: ConversationExamples,
  numSteps: number,
  metrics: Metrics,
): void {
  const model = models.policy;
  const questions = rows.map((row) => examples.lastQuestion(row));
  const prompts = questions.map(({ prompt }) => prompt);
  const completions = model.sample(prompts, { numSamples: 1, maxNewTokens, temperature: 0 });
  for (const [i, [completion]] of completions.entries()) {
    const { ids, truncated: isTruncated } = completion!;
    const text = model.decodePieces(withoutStop(model, ids)).join("");
    const expected = questions[i]!.answer;
    const { wellFormed: isWellFormed } = parseResponse(text, { truncated: isTruncated });
    if (parseResponse(expected).wellFormed) metrics.meanOf("well_formed", [isWellFormed ? 1 : 0]);
    metrics.meanOf("truncated", [isTruncated ? 1 : 0]);
    answers.append({ step: numSteps - 1, id: rows[i]!.id, text, expected, isWellFormed, isTruncated });
  }
}

function withExamples(
  { models: { policy, trainsTowers }, clips: { library } }: SftEvaluationOptions,
  body: (examples: ConversationExamples) => void,
): void {
  noGrad(() => {
    using live = trainsTowers ? new LiveRows(policy, library) : null;
    using examples = new ConversationExamples(policy, library, live === null ? undefined : (clip) => live.rows(clip));
    body(examples);
  });
}
