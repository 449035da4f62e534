// Scores completions with the very terms that training uses, R_acc, R_fmt and R_omni (Eq. 2 to 5, 27, 28), with the parts
// that explain them. All requests share one line: a portion of completions per turn of the event loop, from many requests
// when many wait, so that a slow embedder sees batches and a large request does not keep the others waiting.
import type { Sample } from "../../data/sample.ts";
import type { EmotionScore } from "../../emotion/score.ts";
import type { Cue, CueKind, Embedder } from "../../evidence/cue.ts";
import { type Coverage, type CoverageOptions, coverage, type EvidenceRouting } from "../../evidence/route.ts";
import { routeBatch } from "../../evidence/route-batch.ts";
import { makeTerms, type WeightedTerm } from "../../rl/rewards/terms.ts";
import { scoreRollout } from "../../rl/score.ts";
import type { RewardBreakdown, RewardTerm, Rollout } from "../../rl/types.ts";
import type { Clause } from "../../text/clause.ts";
import { splitClauses } from "../../text/clauses.ts";
import { type ParsedResponse, parseResponse } from "../../text/response.ts";
import { HttpError } from "../http/http-error.ts";

export interface RewardRules {
  readonly terms: readonly WeightedTerm[];
  /** delta of Eq. 2. */
  readonly threshold: number;
  /** What a kind without cues counts as. */
  readonly empty: NonNullable<CoverageOptions["empty"]>;
  /** A malformed response has no clauses, as in training. */
  readonly requireWellFormed: boolean;
}

export interface RewardItem {
  readonly completion: string;
  /** The token limit ended it. */
  readonly isTruncated: boolean;
  /** The prompt left the think tag open, or did not; left out: nobody knows. */
  readonly thinkIsOpen?: boolean;
  readonly cues: readonly Cue[];
  readonly labels: readonly string[];
}

export interface CueReport {
  readonly kind: CueKind;
  readonly text: string;
  /** The clause that says it best; null without clauses. */
  readonly clause: string | null;
  /** Cosine with that clause, M(c). */
  readonly similarity: number | null;
  /** s(c) of Eq. 3; 0 to 1. */
  readonly hit: number;
}

export interface ItemReward {
  readonly total: number;
  /** Unweighted. */
  readonly parts: RewardBreakdown["parts"];
  /** Why the format reward is 0. */
  readonly problem: string | null;
  readonly labels: readonly string[];
  readonly numClauses: number;
  readonly kinds: Coverage["kinds"];
  /** Only where details were asked for. */
  readonly cues: readonly CueReport[] | null;
}

/** Completions per turn of the event loop, and of those at most so many of one request. */
const portion = 16;
const share = 8;
/** More clauses are no reasoning: 4,096 tokens of "wide, wide, wide" have half as many. */
const maxClauses = 2048;

export class RewardScorer {
  readonly rules: RewardRules;
  readonly #embedder: Embedder;
  readonly #terms: readonly RewardTerm[];
  readonly #waiting: Request[] = [];
  #isWorking = false;

  /** @param embedder with its own memory of texts; cues come again and again */
  constructor(embedder: Embedder, accuracy: EmotionScore, rules: RewardRules) {
    const { terms, threshold, empty } = rules;
    this.rules = rules;
    this.#embedder = embedder;
    this.#terms = makeTerms(terms, { emotionScore: accuracy, similarityThreshold: threshold, empty });
  }

  /** @throws HttpError ERR_REWARD_CLAUSES; errors of the embedder */
  score(items: readonly RewardItem[], hasDetails: boolean): Promise<ItemReward[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ items, hasDetails, rewards: [], numTaken: 0, hasFailed: false, resolve, reject });
      if (this.#isWorking) return;
      this.#isWorking = true;
      void this.#work();
    });
  }

  /** Scores portions until nothing waits. Never throws: what fails is told to its request. */
  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      // Requests that came in meanwhile get in line, and answers leave.
      await new Promise((resolve) => setImmediate(resolve));
      const readings = this.#nextPortion();
      try {
        const routings = await routeBatch(
          readings.map(({ item, clauses }) => ({ cues: item.cues, clauses })),
          this.#embedder,
        );
        readings.forEach((reading, i) => {
          this.#settle(reading, routings[i]!);
        });
      } catch (error) {
        for (const { request } of readings) fail(request, error);
      }
    }
    this.#isWorking = false;
  }

  /** The next completions of the requests at the front; requests with more go to the back. */
  #nextPortion(): Reading[] {
    const readings: Reading[] = [];
    const unfinished: Request[] = [];
    while (readings.length < portion && this.#waiting.length > 0) {
      const request = this.#waiting.shift()!;
      if (request.hasFailed) continue;
      const end = Math.min(request.items.length, request.numTaken + Math.min(share, portion - readings.length));
      try {
        const own = request.items.slice(request.numTaken, end).map((item, i) => this.#read(request, item, i));
        readings.push(...own);
        request.numTaken = end;
        if (end < request.items.length) unfinished.push(request);
      } catch (error) {
        fail(request, error);
      }
    }
    this.#waiting.push(...unfinished);
    return readings;
  }

  #settle({ request, ...reading }: Reading, routing: EvidenceRouting): void {
    request.rewards.push(this.#reward({ request, ...reading }, routing, request.hasDetails));
    if (request.rewards.length === request.items.length) request.resolve(request.rewards);
  }

  #read(request: Request, item: RewardItem, offset: number): Reading {
    const response = parseResponse(item.completion, { truncated: item.isTruncated, thinkIsOpen: item.thinkIsOpen });
    const isUsable = response.think !== null && (response.wellFormed || !this.rules.requireWellFormed);
    const clauses = isUsable ? splitClauses([item.completion], response.think.chars) : [];
    if (clauses.length <= maxClauses) return { request, item, response, clauses };
    throw new HttpError(
      400,
      "ERR_REWARD_CLAUSES",
      `completion ${request.numTaken + offset}: expected at most ${maxClauses} clauses, got ${clauses.length}. Limit the length of completions.`,
    );
  }

  #reward({ item, response, clauses }: Reading, routing: EvidenceRouting, hasDetails: boolean): ItemReward {
    const context = { sample: sampleOf(item), rollout: rolloutOf(item), response, routing };
    const { total, parts } = scoreRollout(context, this.#terms);
    const covered = coverage(routing, this.rules.threshold, { empty: this.rules.empty });
    return {
      total,
      parts,
      problem: response.problem ?? null,
      labels: response.labels,
      numClauses: clauses.length,
      kinds: covered.kinds,
      cues: hasDetails ? cueReports(routing, covered) : null,
    };
  }
}

/** What somebody waits for. Its completions are scored in order. */
interface Request {
  readonly items: readonly RewardItem[];
  readonly hasDetails: boolean;
  readonly rewards: ItemReward[];
  numTaken: number;
  hasFailed: boolean;
  readonly resolve: (rewards: ItemReward[]) => void;
  readonly reject: (error: unknown) => void;
}

function fail(request: Request, error: unknown): void {
  request.hasFailed = true;
  request.reject(error);
}

interface Reading {
  readonly request: Request;
  readonly item: RewardItem;
  readonly response: ParsedResponse;
  readonly clauses: readonly Clause[];
}

function cueReports({ cues, clauses, similarity }: EvidenceRouting, { hitScores }: Coverage): CueReport[] {
  return cues.map(({ kind, text }, c) => {
    let best = -1;
    for (let k = 0; k < clauses.length; k++) {
      if (best < 0 || similarity[c * clauses.length + k]! > similarity[c * clauses.length + best]!) best = k;
    }
    const clause = best < 0 ? null : clauses[best]!.text;
    return {
      kind,
      text,
      clause,
      similarity: best < 0 ? null : similarity[c * clauses.length + best]!,
      hit: hitScores[c]!,
    };
  });
}

/** What the reward terms see; the rest of a sample and of a rollout they do not look at. */
function sampleOf({ cues, labels }: RewardItem): Sample {
  return { id: "", media: "", subtitle: "", reasoning: "", cues, labels };
}

function rolloutOf({ completion, isTruncated }: RewardItem): Rollout {
  const none = { ids: new Int32Array(0), logprobs: new Float32Array(0) };
  return { ...none, pieces: [completion], text: completion, truncated: isTruncated };
}
