// From sampled text to advantages: parse, cut into clauses, route the evidence once (Eq. 1), score, compare within the
// group. Host data only. All cues and clauses of the step go to the embedder in one call.
import { type ClaimBank, findClaims } from "../evidence/claims/claims.ts";
import type { CuePrior } from "../evidence/claims/cue-prior.ts";
import type { Embedder } from "../evidence/cue.ts";
import { evidenceTokens } from "../evidence/route.ts";
import { routeBatch } from "../evidence/route-batch.ts";
import type { Clause } from "../text/clause.ts";
import { type ClauseOptions, splitClauses } from "../text/clauses.ts";
import { type ParsedResponse, parseResponse } from "../text/response.ts";
import type { AdvantageCombination, AdvantageOptions } from "./advantage.ts";
import { type Comparable, type CompareOptions, compareRollouts, type TermSpan } from "./rewards/compare.ts";
import { type JudgedScores, type JudgedTerm, judgeStep, standIn } from "./rewards/judged.ts";
import type { EndedCompletion } from "./rollout.ts";
import type { RewardBreakdown, RewardContext, RewardTerm, Rollout, RolloutGroup, ScoredGroup } from "./types.ts";

export interface ScoreOptions {
  readonly embedder: Embedder;
  readonly terms: readonly RewardTerm[];
  /** Where claims are looked up; left out: no term asks for them. */
  readonly claimBank?: ClaimBank;
  /** How much of a claim the emotion gives away, counted when it is first asked for; left out: no term asks for it. */
  readonly claimPrior?: () => Promise<CuePrior>;
  /** Terms that a language model is asked for, once for all rollouts; left out: none. */
  readonly judged?: readonly JudgedTerm[];
  /** delta for the evidence tokens (Eq. 9), strictly exceeded. */
  readonly similarityThreshold: number;
  readonly advantage: AdvantageOptions;
  readonly combination: AdvantageCombination;
  /** Terms whose advantage goes to a part of the completion; left out: none. */
  readonly spans?: readonly TermSpan[];
  /** What long completions lose; null: nothing. */
  readonly overlong: OverlongOptions | null;
  /**
   * A malformed response has no clauses: R_omni 0 and no evidence tokens. The paper does not say; without it the
   * perception terms pay for text that the answer never follows.
   */
  readonly requireWellFormed: boolean;
  readonly clauses?: ClauseOptions;
}

/** Soft punishment of length (DAPO): from `limit - buffer` tokens on, falling to -weight at the limit. */
export interface OverlongOptions {
  readonly limit: number;
  readonly buffer: number;
  readonly weight: number;
}

/** -1 to 0: how far into the buffer a completion came. */
export function overlongPart(numTokens: number, { limit, buffer }: Omit<OverlongOptions, "weight">): number {
  const into = (numTokens - (limit - buffer)) / buffer;
  return into <= 0 ? 0 : -Math.min(1, into);
}

interface Reading {
  readonly rollout: Rollout;
  readonly response: ParsedResponse;
  readonly clauses: readonly Clause[];
}

/** The clauses that scoring will look up, of a completion that has ended. */
export function clausesToCome(ended: EndedCompletion, options: ScoreOptions): string[] {
  const rollout = { ...ended, ids: new Int32Array(0), logprobs: new Float32Array(0), truncated: false };
  return readRollout(rollout, ended.thinkIsOpen, options).clauses.map(({ text }) => text);
}

function readRollout(rollout: Rollout, thinkIsOpen: boolean | undefined, options: ScoreOptions): Reading {
  const response = parseResponse(rollout.text, { truncated: rollout.truncated, thinkIsOpen });
  const usable = response.think !== null && (response.wellFormed || !options.requireWellFormed);
  const clauses = usable ? splitClauses(rollout.pieces, response.think.chars, options.clauses) : [];
  return { rollout, response, clauses };
}

/** Weighted sum of the terms, with the parts kept (Eq. 5). */
export function scoreRollout(context: RewardContext, terms: readonly RewardTerm[]): RewardBreakdown {
  const parts: Record<string, number> = {};
  let total = 0;
  for (const term of terms) {
    const score = term.score(context);
    parts[term.name] = score;
    total += term.weight * score;
  }
  return { total, parts };
}

/** Scores the groups of one step. Groups may differ in size. */
export async function scoreGroups(groups: readonly RolloutGroup[], options: ScoreOptions): Promise<ScoredGroup[]> {
  return compareGroups(groups, await rateGroups(groups, options), options);
}

/** What every rollout earned, [group][rollout]: for a group nothing of another one is needed. */
export async function rateGroups(groups: readonly RolloutGroup[], options: ScoreOptions): Promise<Comparable[][]> {
  const readings = groups.flatMap(({ sample, thinkIsOpen, readable, asked, rollouts }) =>
    rollouts.map((rollout) => ({ sample, readable, asked, ...readRollout(rollout, thinkIsOpen, options) })),
  );
  const routings = await routeBatch(
    readings.map(({ sample, clauses }) => ({ cues: sample.cues, clauses })),
    options.embedder,
  );
  const { claimBank, embedder, similarityThreshold } = options;
  const claims = claimBank && (await findClaims(routings, claimBank, similarityThreshold, embedder));
  const prior = await options.claimPrior?.();
  const contexts = readings.map((reading, i): RewardContext & Reading => ({
    ...reading,
    routing: routings[i]!,
    ...(claims && { claims: claims[i]! }),
    ...(claims && prior && { guesses: claims[i]!.map(prior(reading.sample)) }),
  }));
  const judged = await judgedOf(groups, contexts, options.judged ?? []);
  const rated = contexts.map((context, i): Comparable => {
    const { sample: _, readable: __, asked: ___, claims: ____, guesses: _____, ...read } = context;
    const rewards = shaped(
      withJudged(scoreRollout(context, options.terms), judged[i]!),
      read.rollout,
      options.overlong,
    );
    return { ...read, rewards, evidence: evidenceTokens(read.routing, options.similarityThreshold) };
  });
  return groups.map(({ rollouts }) => rated.splice(0, rollouts.length));
}

/** The advantages of a whole step's rollouts. */
export function compareGroups(
  groups: readonly RolloutGroup[],
  rated: readonly (readonly Comparable[])[],
  options: ScoreOptions,
): ScoredGroup[] {
  const compared = compareRollouts(rated, compareOptions(options));
  return groups.map(({ sample, readable, asked }, g) => ({
    sample,
    ...(readable && { readable }),
    ...(asked && { asked }),
    rollouts: compared[g]!,
  }));
}

/** How scored rollouts are compared. */
export function compareOptions({
  terms,
  judged = [],
  overlong,
  advantage,
  combination,
  spans = [],
}: ScoreOptions): CompareOptions {
  const punished = overlong === null ? [] : [{ name: "overlong", weight: overlong.weight }];
  return { terms: [...terms, ...judged, ...punished], advantage, combination, spans };
}

/** A judged term's score of one rollout, and what stands in for it where the judgement failed. */
interface Judgement {
  readonly name: string;
  readonly weight: number;
  readonly score: number | null;
  readonly standIn: number;
}

/** The judgements of every rollout, in the order of the rollouts. */
async function judgedOf(
  groups: readonly RolloutGroup[],
  contexts: readonly RewardContext[],
  terms: readonly JudgedTerm[],
): Promise<Judgement[][]> {
  if (terms.length === 0) return contexts.map(() => []);
  const rest = [...contexts];
  const byGroup = groups.map(({ rollouts }) => rest.splice(0, rollouts.length));
  const scores: JudgedScores[] = await judgeStep(terms, byGroup);
  return byGroup.flatMap((own, g) =>
    own.map((_, i) =>
      terms.map(({ name, weight }, t) => {
        const ofGroup = scores[t]![g]!;
        return { name, weight, score: ofGroup[i]!, standIn: standIn(ofGroup) };
      }),
    ),
  );
}

function withJudged(rewards: RewardBreakdown, judged: readonly Judgement[]): RewardBreakdown {
  if (judged.length === 0) return rewards;
  const parts = { ...rewards.parts };
  let { total } = rewards;
  for (const { name, weight, score, standIn: other } of judged) {
    if (score !== null) parts[name] = score;
    total += weight * (score ?? other);
  }
  return { total, parts, isMissing: Object.fromEntries(judged.map(({ name, score }) => [name, score === null])) };
}

function shaped(rewards: RewardBreakdown, { ids }: Rollout, overlong: OverlongOptions | null): RewardBreakdown {
  if (overlong === null) return rewards;
  const part = overlongPart(ids.length, overlong);
  return { ...rewards, total: rewards.total + overlong.weight * part, parts: { ...rewards.parts, overlong: part } };
}
