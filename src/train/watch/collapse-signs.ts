// The ways in which a run collapses, each by averages of its numbers: a policy that forgets its form, runs away from its reference
// or repeats itself, a masked branch that says one thing for ever or babbles, a divergence that nothing bounds, a clip that
// holds back what is left to learn. Thresholds stand far from what sound runs show (docs/log.md).
import type { Average } from "./averages.ts";

/** What is to be halved: the weight of the perception loss, or the learning rate. */
export type Coefficient = "perception" | "learning-rate";

/** The averages of a metric; null where a run has no such number. */
export type AverageOf = (metric: string) => Average | null;

export interface CollapseSign {
  readonly name: string;
  readonly shows: (average: AverageOf) => boolean;
  /** What happened, with its numbers. */
  readonly cause: (average: AverageOf) => string;
  readonly concerns: Coefficient;
}

/** Nats per token; a run that learns stays below a few tenths. */
const farKl = 1;
/** Nats per token of a masked branch: as far as one token's certainty can be from another's, nothing is left to say. */
const farDivergence = 8;
const goodForm = 0.5;
const wellVaried = 0.7;

/** Both the last value and the average, so that one bad step is none. */
function holds(average: Average | null, test: (value: number) => boolean): boolean {
  return average?.isStanding === true && test(average.last) && test(average.now);
}

/** Of the views that there are. */
const divergences = ["omni/kl_video", "omni/kl_audio", "omni/kl_both"];

function largestDivergence(average: AverageOf): number {
  const standing = divergences.flatMap((name) => {
    const own = average(name);
    return own?.isStanding === true ? [Math.min(own.last, own.now)] : [];
  });
  return Math.max(0, ...standing);
}

const shown = (value: number | undefined) => (value ?? Number.NaN).toPrecision(3);
const fell = (average: AverageOf, metric: string, from: "start" | "best") =>
  `from ${shown(average(metric)?.[from])} to ${shown(average(metric)?.now)}`;

export const collapseSigns: readonly CollapseSign[] = [
  {
    name: "format",
    shows: (average) => {
      const own = average("rewards/format/mean");
      return own !== null && own.best >= goodForm && holds(own, (value) => value < own.best / 2);
    },
    cause: (average) => `the share of well-formed completions fell ${fell(average, "rewards/format/mean", "best")}`,
    concerns: "perception",
  },
  {
    name: "masked branch narrows",
    shows: (average) => {
      const own = average("omni/entropy_masked");
      return own !== null && own.start > 0 && holds(own, (value) => value < own.start / 4);
    },
    cause: (average) =>
      `the entropy of the masked branch fell ${fell(average, "omni/entropy_masked", "start")} nats: under a mask it says one thing, whatever it is asked`,
    concerns: "perception",
  },
  {
    name: "masked branch babbles",
    shows: (average) => {
      const own = average("omni/entropy_masked");
      return own !== null && holds(own, (value) => value > 2 * own.start + 0.5);
    },
    cause: (average) =>
      `the entropy of the masked branch rose ${fell(average, "omni/entropy_masked", "start")} nats: under a mask it says anything`,
    concerns: "perception",
  },
  {
    name: "divergence",
    shows: (average) => largestDivergence(average) > farDivergence,
    cause: (average) =>
      `the divergence under a mask is ${shown(largestDivergence(average))} nats a token, beyond ${farDivergence}: it is paid for forgetting, not for looking`,
    concerns: "perception",
  },
  {
    name: "repetition",
    shows: (average) => {
      const clauses = average("completions/distinct_clauses");
      const words = average("completions/repeated_words");
      const isRepeating =
        clauses !== null && clauses.best >= wellVaried && holds(clauses, (value) => value < clauses.best / 2);
      const isStuttering = words !== null && words.start < 0.1 && holds(words, (value) => value > 0.3);
      return isRepeating || isStuttering;
    },
    cause: (average) =>
      `completions repeat themselves: distinct clauses ${fell(average, "completions/distinct_clauses", "best")}, words said twice in a row ${fell(average, "completions/repeated_words", "start")}`,
    concerns: "perception",
  },
  {
    name: "kl",
    shows: (average) => {
      const own = average("kl");
      return own !== null && (!Number.isFinite(own.last) || holds(own, (value) => value > farKl));
    },
    cause: (average) =>
      `the KL to the reference is above ${farKl} nat a token (now ${shown(average("kl")?.last)}, on average ${shown(average("kl")?.now)}): the policy runs away from its start`,
    concerns: "learning-rate",
  },
  {
    name: "clipped",
    shows: (average) => holds(average("clip_ratio/region_mean"), (value) => value > 0.3),
    cause: (average) =>
      `the clip holds back ${shown(100 * (average("clip_ratio/region_mean")?.now ?? 0))}% of all tokens: the policy is too far from the one that was sampled`,
    concerns: "learning-rate",
  },
  {
    name: "endless",
    shows: (average) => {
      const own = average("completions/clipped_ratio");
      return own !== null && own.start < 0.5 && holds(own, (value) => value >= 0.95);
    },
    cause: (average) =>
      `the share of completions cut at the limit of tokens rose ${fell(average, "completions/clipped_ratio", "start")}: they end no more`,
    concerns: "learning-rate",
  },
];

/** All numbers that signs look at. */
export const watchedMetrics: readonly string[] = [
  ...divergences,
  "omni/entropy_masked",
  "rewards/format/mean",
  "completions/distinct_clauses",
  "completions/repeated_words",
  "completions/clipped_ratio",
  "clip_ratio/region_mean",
  "kl",
];
