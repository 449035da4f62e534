// Settings whose right value depends on the model's size, for those who gave none. Small is the demo's model of about a million
// parameters; large is from a hundred million on.
import type { LearnerSettings } from "./learner-settings.ts";

/** From so many parameters on a model is large. */
export const largeModel = 1e8;

export interface SizedDefaults {
  readonly learningRate: number;
  readonly maxNewTokens: number;
  /** Recompute layers on the way back: of a small model the graph is no matter, and its numbers stay what they were. */
  readonly recomputes: boolean;
}

const small = { learningRate: 3e-4, maxNewTokens: 64, recomputes: false } as const;
/** The paper's 2e-6 for 7B. */
const large = { learningRate: 2e-6, maxNewTokens: 512, recomputes: true } as const;
/** Ten times that, which is where an adapter's best rate lies beside that of all weights. */
const largeAdapter = { ...large, learningRate: 2e-5 } as const;

/** Of supervised fine-tuning where nothing was said: the demo's, the paper's 2e-5, and ten times that for an adapter. */
export function sftRateBySize(numParameters: number, trainable: LearnerSettings["trainable"]): number {
  const smallRate = 3e-3;
  const largeRate = 2e-5;
  if (numParameters < largeModel) return smallRate;
  return trainable === "lora" ? 10 * largeRate : largeRate;
}

/** What a reinforcement run takes where nothing was said. @param numParameters of the whole model */
export function defaultsBySize(numParameters: number, trainable: LearnerSettings["trainable"]): SizedDefaults {
  if (numParameters < largeModel) return small;
  return trainable === "lora" ? largeAdapter : large;
}
