// Numbers of one step under the names that dashboards expect (TRL's spelling; ours under omni/). A number carries how it adds up,
// so that chunks, micro-batches and processes give what one would have given. Host arithmetic only; the caller logs them.
import { mean, sampleStd } from "./advantage.ts";
import { verdictOf } from "./rewards/verdict.ts";
import { isUsual, type ScoredGroup, type ScoredRollout } from "./types.ts";

export type StepMetrics = Record<string, number>;

/** How a number adds up with another one of its name. Example: `{ kind: "mean", sum: 12.4, weight: 31 }` */
export type Measure =
  | { readonly kind: "sum" | "max" | "min"; readonly value: number }
  | { readonly kind: "mean"; readonly sum: number; readonly weight: number }
  /** Sample standard deviation: number of values, their mean, sum of squared deviations from it. */
  | { readonly kind: "std"; readonly count: number; readonly mean: number; readonly squares: number };

/** Measures by name; adding a name again adds up. */
export class Metrics {
  readonly #measures = new Map<string, Measure>();

  sum(name: string, value: number): void {
    this.add(name, { kind: "sum", value });
  }

  max(name: string, value: number): void {
    this.add(name, { kind: "max", value });
  }

  min(name: string, value: number): void {
    this.add(name, { kind: "min", value });
  }

  /** A weighted mean, given as the sum of weight * value; without weight it reads 0. */
  mean(name: string, sum: number, weight: number): void {
    this.add(name, { kind: "mean", sum, weight });
  }

  /** Mean over the values, each with weight 1. */
  meanOf(name: string, values: readonly number[]): void {
    let sum = 0;
    for (const value of values) sum += value;
    this.mean(name, sum, values.length);
  }

  /** Sample standard deviation (n - 1) of the values. */
  std(name: string, values: readonly number[]): void {
    const centre = mean(values);
    let squares = 0;
    for (const value of values) squares += (value - centre) ** 2;
    this.add(name, { kind: "std", count: values.length, mean: centre, squares });
  }

  add(name: string, measure: Measure): void {
    const before = this.#measures.get(name);
    this.#measures.set(name, before === undefined ? measure : addUp(name, before, measure));
  }

  /** Adds what a micro-batch or another process measured. */
  merge(other: Metrics): void {
    for (const [name, measure] of other.#measures) this.add(name, measure);
  }

  /** Sums times a share, what one of several updates adds to the mean over them; seconds stay what they are. */
  scaled(share: number): Metrics {
    const scaled = new Metrics();
    for (const [name, measure] of this.#measures) {
      const isScaled = measure.kind === "sum" && !name.startsWith("timing_s/");
      scaled.add(name, isScaled ? { kind: "sum", value: measure.value * share } : measure);
    }
    return scaled;
  }

  entries(): IterableIterator<[name: string, measure: Measure]> {
    return this.#measures.entries();
  }

  /** The finished numbers. */
  values(): StepMetrics {
    return Object.fromEntries([...this.#measures].map(([name, measure]) => [name, finished(measure)]));
  }
}

function addUp(name: string, a: Measure, b: Measure): Measure {
  if (a.kind === "mean" && b.kind === "mean") return { kind: "mean", sum: a.sum + b.sum, weight: a.weight + b.weight };
  if (a.kind === "std" && b.kind === "std") return pooled(a, b);
  if (a.kind === "sum" && b.kind === "sum") return { kind: "sum", value: a.value + b.value };
  if (a.kind === "max" && b.kind === "max") return { kind: "max", value: Math.max(a.value, b.value) };
  if (a.kind === "min" && b.kind === "min") return { kind: "min", value: Math.min(a.value, b.value) };
  throw new TypeError(`metric ${name}: expected a ${a.kind} as before, got a ${b.kind}. Give it another name.`);
}

type Spread = Extract<Measure, { kind: "std" }>;

/** Chan, Golub and LeVeque 1979: moments of two sets of values as those of their union. */
function pooled(a: Spread, b: Spread): Spread {
  const count = a.count + b.count;
  if (count === 0) return a;
  const difference = b.mean - a.mean;
  return {
    kind: "std",
    count,
    mean: a.mean + (difference * b.count) / count,
    squares: a.squares + b.squares + (difference ** 2 * a.count * b.count) / count,
  };
}

function finished(measure: Measure): number {
  if (measure.kind === "mean") return measure.weight === 0 ? 0 : measure.sum / measure.weight;
  if (measure.kind === "std") return measure.count < 2 ? 0 : Math.sqrt(measure.squares / (measure.count - 1));
  return measure.value;
}

/** Of prompts about the clips as they are, under the usual names; of those about degraded clips, under counterfactual/; of probes, under probes/. */
export function shownMetrics(groups: readonly ScoredGroup[]): Metrics {
  const asked = groups.filter((group) => group.asked !== undefined);
  const degraded = groups.filter(({ readable }) => readable !== undefined);
  const usual = groups.filter(isUsual);
  const named = [usual, degraded, asked].find((some) => some.length > 0) ?? [];
  const metrics = rolloutMetrics(named);
  for (const { rollouts } of groups.filter((group) => !named.includes(group))) {
    for (const { rollout } of rollouts) metrics.sum("num_tokens", rollout.ids.length);
  }
  if (degraded.length > 0) addDegraded(metrics, degraded);
  if (asked.length > 0) addProbes(metrics, asked);
  const answers = asked.flatMap((group) => group.rollouts);
  if (named !== asked && answers.some(({ rewards }) => ofProbes in rewards.parts)) addTerm(metrics, ofProbes, answers);
  return metrics;
}

function addProbes(metrics: Metrics, groups: readonly ScoredGroup[]): void {
  const answers = groups.flatMap(({ asked, rollouts }) =>
    rollouts.map(({ response }) => ({ expected: asked!.expected, said: verdictOf(response) })),
  );
  const share = (name: string, of: typeof answers, isCounted: (answer: (typeof answers)[number]) => boolean) =>
    metrics.meanOf(
      `probes/${name}`,
      of.map((answer) => (isCounted(answer) ? 1 : 0)),
    );
  for (const verdict of ["yes", "no"] as const) {
    const of = answers.filter(({ expected }) => expected === verdict);
    if (of.length > 0) share(`right_${verdict}`, of, ({ said }) => said === verdict);
  }
  share("readable", answers, ({ said }) => said !== null);
}

function addDegraded(metrics: Metrics, degraded: readonly ScoredGroup[]): void {
  const rollouts = degraded.flatMap((group) => group.rollouts);
  metrics.meanOf(
    "counterfactual/reward",
    rollouts.map(({ rewards }) => rewards.total),
  );
  for (const name of Object.keys(rollouts[0]?.rewards.parts ?? {})) {
    if (name === ofProbes) continue;
    metrics.meanOf(
      `counterfactual/${name}`,
      rollouts.map(({ rewards }) => rewards.parts[name] ?? 0),
    );
  }
}

/** Rewards, lengths and evidence of the sampled groups. Standard deviations are those of a sample (n - 1). */
export function rolloutMetrics(groups: readonly ScoredGroup[]): Metrics {
  const rollouts = groups.flatMap((group) => group.rollouts);
  const lengths = rollouts.map((scored) => scored.rollout.ids.length);
  const stds = groups.map((group) => sampleStd(group.rollouts.map((scored) => scored.rewards.total)));
  const shares = (isCounted: (scored: (typeof rollouts)[number]) => boolean) =>
    rollouts.map((scored) => (isCounted(scored) ? 1 : 0));
  const metrics = new Metrics();
  for (const length of lengths) {
    metrics.sum("num_tokens", length);
    metrics.min("completions/min_length", length);
    metrics.max("completions/max_length", length);
  }
  metrics.meanOf("completions/mean_length", lengths);
  metrics.meanOf(
    "completions/clipped_ratio",
    shares(({ rollout }) => rollout.truncated),
  );
  metrics.meanOf(
    "reward",
    rollouts.map((scored) => scored.rewards.total),
  );
  metrics.meanOf("reward_std", stds);
  metrics.meanOf(
    "frac_reward_zero_std",
    stds.map((std) => (std === 0 ? 1 : 0)),
  );
  metrics.meanOf(
    "omni/evidence_tokens_v",
    rollouts.map((scored) => scored.evidence.video.length),
  );
  metrics.meanOf(
    "omni/evidence_tokens_a",
    rollouts.map((scored) => scored.evidence.audio.length),
  );
  metrics.meanOf(
    "omni/frac_rollouts_with_evidence",
    shares(({ evidence }) => evidence.video.length + evidence.audio.length > 0),
  );
  metrics.meanOf(
    "omni/clauses",
    rollouts.map((scored) => scored.clauses.length),
  );
  const distinct = rollouts.flatMap(distinctClauses);
  if (distinct.length > 0) metrics.meanOf("completions/distinct_clauses", distinct);
  metrics.meanOf("completions/repeated_words", rollouts.map(repeatedWords));
  const names = new Set(rollouts.flatMap(({ rewards }) => Object.keys(rewards.parts)));
  // Of accounts it is no number.
  if (groups.every(({ asked }) => asked === undefined)) names.delete(ofProbes);
  for (const name of names) addTerm(metrics, name, rollouts);
  for (const name of Object.keys(rollouts[0]?.rewards.isMissing ?? {})) {
    metrics.meanOf(
      `rewards/${name}/missing`,
      shares(({ rewards }) => rewards.isMissing?.[name] === true),
    );
  }
  return metrics;
}

/** The term that answers to probes alone have. */
const ofProbes = "verdict";

function addTerm(metrics: Metrics, name: string, rollouts: readonly ScoredRollout[]): void {
  const parts = rollouts.flatMap(({ rewards }) => rewards.parts[name] ?? []);
  metrics.meanOf(`rewards/${name}/mean`, parts);
  metrics.std(`rewards/${name}/std`, parts);
}

/** Of a reasoning with several clauses, the share that says something new; no number without them. */
function distinctClauses({ clauses }: ScoredRollout): number[] {
  if (clauses.length < 2) return [];
  return [new Set(clauses.map(({ text }) => text.toLowerCase())).size / clauses.length];
}

/** Share of a completion's words that say the one before them again. */
function repeatedWords({ rollout }: ScoredRollout): number {
  const words = rollout.text.toLowerCase().match(/\p{L}+/gu) ?? [];
  return words.filter((word, i) => i > 0 && word === words[i - 1]).length / Math.max(1, words.length);
}
