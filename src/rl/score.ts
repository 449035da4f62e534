// From sampled text to advantages: parse, cut into clauses, route the evidence once (Eq. 1), score, compare within the
// group. Host data only. All cues and clauses of the step go to the embedder in one call.
import type { Embedder } from "../evidence/cue.ts";
import { evidenceTokens } from "../evidence/route.ts";
import { routeBatch } from "../evidence/route-batch.ts";
import type { Clause } from "../text/clause.ts";
import { type ClauseOptions, splitClauses } from "../text/clauses.ts";
import { type ParsedResponse, parseResponse } from "../text/response.ts";
import { type AdvantageCombination, type AdvantageOptions, decoupledAdvantages, groupAdvantages } from "./advantage.ts";
import type { EndedCompletion } from "./rollout.ts";
import type { RewardBreakdown, RewardContext, RewardTerm, Rollout, RolloutGroup, ScoredGroup } from "./types.ts";

export interface ScoreOptions {
  readonly embedder: Embedder;
  readonly terms: readonly RewardTerm[];
  /** delta for the evidence tokens (Eq. 9), strictly exceeded. */
  readonly similarityThreshold: number;
  readonly advantage: AdvantageOptions;
  readonly combination: AdvantageCombination;
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
  const readings = groups.flatMap(({ sample, thinkIsOpen, rollouts }) =>
    rollouts.map((rollout) => ({ sample, ...readRollout(rollout, thinkIsOpen, options) })),
  );
  const routings = await routeBatch(
    readings.map(({ sample, clauses }) => ({ cues: sample.cues, clauses })),
    options.embedder,
  );
  const scored = readings.map((reading, i) => {
    const { sample, ...read } = reading;
    const routing = routings[i]!;
    const rewards = shaped(scoreRollout({ sample, ...read, routing }, options.terms), read.rollout, options.overlong);
    return { ...read, routing, rewards, evidence: evidenceTokens(routing, options.similarityThreshold) };
  });
  const rest = [...scored];
  const ofGroup = groups.map(({ rollouts }) => rest.splice(0, rollouts.length));
  const advantages = advantagesOf(
    ofGroup.map((rollouts) => rollouts.map(({ rewards }) => rewards)),
    options,
  );
  return groups.map(({ sample }, g) => ({
    sample,
    rollouts: ofGroup[g]!.map((rollout, i) => ({ ...rollout, advantage: advantages[g]![i]! })),
  }));
}

function shaped(rewards: RewardBreakdown, { ids }: Rollout, overlong: OverlongOptions | null): RewardBreakdown {
  if (overlong === null) return rewards;
  const part = overlongPart(ids.length, overlong);
  return { total: rewards.total + overlong.weight * part, parts: { ...rewards.parts, overlong: part } };
}

function advantagesOf(groups: readonly (readonly RewardBreakdown[])[], options: ScoreOptions): number[][] {
  const { terms, overlong, combination, advantage } = options;
  if (combination === "sum-then-normalize") {
    return groupAdvantages(
      groups.map((rewards) => rewards.map(({ total }) => total)),
      advantage,
    );
  }
  const weighted = [...terms, ...(overlong === null ? [] : [{ name: "overlong", weight: overlong.weight }])];
  return decoupledAdvantages(
    weighted.map(({ name, weight }) => ({
      weight,
      groups: groups.map((rewards) => rewards.map(({ parts }) => parts[name]!)),
    })),
    advantage,
  );
}
