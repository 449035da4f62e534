// Looks at the numbers of every step for what mostly means that a run goes wrong, and says it once, with its remedy. What it says
// is a function of the numbers so far, so that a run which goes on from its log says nothing twice. Collapses are the guards' (guards.ts).
import type { Notice } from "../../rl/reward-watch.ts";

/** Numbers of a step as its log has them: null is one that was not finite. */
export type StepNumbers = Readonly<Record<string, unknown>>;

interface Sign {
  readonly name: string;
  /** So many steps in a row must show it. */
  readonly steps: number;
  readonly shows: (value: (metric: string) => number | null) => boolean;
  readonly line: (value: (metric: string) => number, steps: number) => string;
}

/** Of completions; what is above is as good as all. */
const allTruncated = 0.95;
const goodFormat = 0.5;

const signs: readonly Sign[] = [
  {
    name: "rewards equal",
    steps: 3,
    shows: (value) => value("frac_reward_zero_std") === 1,
    line: (_, steps) =>
      `every group's rewards were equal for ${steps} steps, so no completion is preferred to another. Raise groupSize or temperature, or take samples of which some answers are right (look at rollouts.jsonl).`,
  },
  {
    name: "no evidence",
    steps: 4,
    // Where R_omni is 0 as well, the watch over rewards says so.
    shows: (value) =>
      value("omni/frac_rollouts_with_evidence") === 0 &&
      (value("rewards/format/mean") ?? 1) >= goodFormat &&
      value("rewards/omni/mean") !== 0,
    line: (_, steps) =>
      `no clause came near a video or audio cue for ${steps} steps (nothing above delta), so the perception loss has no token to work on. Choose delta (reward.similarityThreshold) for this embedder with oppo embed calibrate, and check that cues and completions are in one language.`,
  },
  {
    name: "gradient zero",
    steps: 3,
    shows: (value) => value("grad_norm") === 0,
    line: (_, steps) =>
      `the gradient was exactly zero for ${steps} steps, so nothing is learned. Look at reward_std (equal rewards give no advantage) and at what is trainable.`,
  },
  {
    name: "updates skipped",
    steps: 3,
    shows: (value) => (value("optim/skipped_steps") ?? 0) >= 1,
    line: (_, steps) =>
      `${steps} updates in a row were skipped, because the gradient was not finite. Lower learningRate; if the first step is among them, look at the weights with oppo inspect, and try dtype float32.`,
  },
  {
    name: "truncated",
    steps: 3,
    shows: (value) => (value("completions/clipped_ratio") ?? 0) >= allTruncated,
    line: (_, steps) =>
      `for ${steps} steps (nearly) every completion was cut at the limit of tokens, before it could answer. Raise maxNewTokens, ask for shorter reasonings in the question, or teach the form with oppo sft first.`,
  },
];

/** State of one run's warnings. */
export class StepWatch {
  readonly #streaks = new Map<string, number>();
  readonly #told = new Set<string>();

  /** @returns what this step makes worth telling, for the first time */
  look(numbers: StepNumbers): Notice[] {
    const value = (metric: string) => numberOf(numbers, metric);
    const notices: Notice[] = [];
    for (const sign of signs) {
      const streak = sign.shows(value) ? (this.#streaks.get(sign.name) ?? 0) + 1 : 0;
      this.#streaks.set(sign.name, streak);
      if (streak < sign.steps || this.#told.has(sign.name)) continue;
      this.#told.add(sign.name);
      const line = sign.line((metric) => value(metric) ?? Number.NaN, streak);
      notices.push({ name: sign.name, line: `${sign.name}: ${line}` });
    }
    return notices;
  }
}

function numberOf(numbers: StepNumbers, metric: string): number | null {
  const value = numbers[metric];
  if (value === undefined) return null;
  return typeof value === "number" ? value : Number.NaN;
}
