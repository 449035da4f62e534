// From sampled text to advantages: parse, cut into clauses, route the evidence once (Eq. 1), score, compare within the
// group. Host data only. All cues and clauses of the step go to the embedder in one call.
import type { Embedder } from "../evidence/cue.ts";
import { evidenceTokens } from "../evidence/route.ts";
import { routeBatch } from "../evidence/route-batch.ts";
import type { Clause } from "../text/clause.ts";
import { type ClauseOptions, splitClauses } from "../text/clauses.ts";
import { type ParsedResponse, parseResponse } from "../text/response.ts";
import { type AdvantageOptions, groupAdvantages } from "./advantage.ts";
import type { RewardBreakdown, RewardContext, RewardTerm, Rollout, RolloutGroup, ScoredGroup } from "./types.ts";

export interface ScoreOptions {
  readonly embedder: Embedder;
  readonly terms: readonly RewardTerm[];
  /** delta for the evidence tokens (Eq. 9), strictly exceeded. */
  readonly similarityThreshold: number;
  readonly advantage: AdvantageOptions;
  /**
   * A malformed response has no clauses: R_omni 0 and no evidence tokens. The paper does not say; without it the
   * perception terms pay for text that the answer never follows.
   */
  readonly requireWellFormed: boolean;
  readonly clauses?: ClauseOptions;
}

interface Reading {
  readonly rollout: Rollout;
  readonly response: ParsedResponse;
  readonly clauses: readonly Clause[];
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
    const rewards = scoreRollout({ sample, ...read, routing }, options.terms);
    return { ...read, routing, rewards, evidence: evidenceTokens(routing, options.similarityThreshold) };
  });
  const rest = [...scored];
  const ofGroup = groups.map(({ rollouts }) => rest.splice(0, rollouts.length));
  const advantages = groupAdvantages(
    ofGroup.map((rollouts) => rollouts.map(({ rewards }) => rewards.total)),
    options.advantage,
  );
  return groups.map(({ sample }, g) => ({
    sample,
    rollouts: ofGroup[g]!.map((rollout, i) => ({ ...rollout, advantage: advantages[g]![i]! })),
  }));
}
