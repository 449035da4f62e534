// What tests of training share: a stop at a step, a log without its times, a digest of what learned.
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { ClipLibrary } from "../../src/corpus/clips/clip-library.ts";
import type { FittedSample } from "../../src/corpus/clips/fitted-samples.ts";
import { theatreKind } from "../../src/corpus/theatre-kind.ts";
import { sceneOf } from "../../src/data/theatre/sample-scene.ts";
import { drawProbe, reasoningQuestion } from "../../src/data/theatre/script.ts";
import type { OmniModel } from "../../src/models/omni-model.ts";
import { createRandom } from "../../src/random.ts";
import { type Interrupt, InterruptedError } from "../../src/run/interrupt.ts";
import { readStepLog } from "../../src/run/metrics.ts";
import type { Tensor } from "../../src/tensor/index.ts";
import { outsideTowers } from "../../src/train/policy.ts";
import type { SftExample } from "../../src/train/sft.ts";
import { responseText } from "../../src/train/theatre/theatre-examples.ts";

/** A stop request before the step of this number (counted over the run); never for null. */
export function interruptAt(step: number | null): Interrupt {
  let numCalls = 0;
  return {
    signal: new AbortController().signal,
    request: () => undefined,
    async safePoint() {
      if (numCalls++ === step) throw new InterruptedError();
    },
    [Symbol.dispose]: () => undefined,
  };
}

/** Of a run's log. */
export function withoutTimes(directory: string): Record<string, number>[] {
  return readStepLog(join(directory, "metrics.jsonl")).map(
    (row) =>
      Object.fromEntries(
        Object.entries(row).filter(([key]) => !key.startsWith("timing_s/") && key !== "step_time"),
      ) as Record<string, number>,
  );
}

export function digestOf(parameters: ReadonlyMap<string, Tensor>): string {
  const digest = createHash("sha256");
  for (const parameter of parameters.values()) digest.update(parameter.toFloat32Array());
  return digest.digest("hex");
}

export const plainOptimizer = { betas: [0.9, 0.98] as const, weightDecay: 0, maxGradNorm: 1 };

/** The annotated reasoning and one probe per clip, the same at every step. */
export function examples(model: OmniModel, library: ClipLibrary, fitted: readonly FittedSample[]): SftExample[][] {
  return fitted.map(({ sample }, i) => {
    const example = (question: string, think: string, answer: string): SftExample => {
      const text = model.encodeText(responseText(think, answer));
      return {
        prompt: library.prompt(sample.id, theatreKind.userTurn(sample.subtitle, question)),
        target: Int32Array.from([...text, model.stopIds[0]!]),
        weights: Float32Array.from({ length: text.length + 1 }, (_, t) => 1 + (t % 3)),
      };
    };
    const probe = drawProbe(sceneOf(sample), i % 2 === 0 ? "video" : "audio", createRandom(i));
    return [
      example(reasoningQuestion, sample.reasoning, sample.labels.join(", ")),
      example(probe.question, probe.think, probe.answer),
    ];
  });
}

/** Everything but the towers, ready to learn. */
export function trainable(model: OmniModel): ReadonlyMap<string, Tensor> {
  const parameters = outsideTowers(model);
  for (const parameter of parameters.values()) parameter.requiresGrad = true;
  return parameters;
}
