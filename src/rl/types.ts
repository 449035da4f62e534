// The data of one optimiser step, from sampled text to advantages. Plain, readonly, no tensors: tensors enter in step.ts.

import type { Sample } from "../data/sample.ts";
import type { Claim } from "../evidence/claims/claims.ts";
import type { EvidenceRouting, EvidenceTokens, Readability } from "../evidence/route.ts";
import type { Modality } from "../media/clip.ts";
import type { Clause } from "../text/clause.ts";
import type { ParsedResponse } from "../text/response.ts";

/** Which engine drew a completion, and from which weights. */
export interface EngineMark {
  /** Updates behind the weights. */
  readonly version: number;
  /** Its address. */
  readonly server: string;
}

/** One sampled completion (Y). */
export interface Rollout {
  /** Generated ids, the stop token included when it was reached. Never re-tokenised. */
  readonly ids: Int32Array;
  /** log pi(id) when it was sampled, at the temperature of training; one per id. */
  readonly logprobs: Float32Array;
  /** Text of every id; joined they are `text` and, where one ended it, the stop token. */
  readonly pieces: readonly string[];
  readonly text: string;
  /** The token limit ended it. */
  readonly truncated: boolean;
  /** Left out: this process, from the weights of the step. */
  readonly engine?: EngineMark;
}

/** What a prompt asks in place of the task's question: whether the clip has one cue. There is nothing to recall and no emotion to name. */
export interface AskedProbe {
  readonly question: string;
  readonly expected: "yes" | "no";
}

/** The G completions of one prompt. */
export interface RolloutGroup {
  readonly sample: Sample;
  /** The prompt's template ended with an open `<think>`: completions begin inside it. Left out: nobody knows. */
  readonly thinkIsOpen?: boolean;
  /** Of a prompt about a degraded clip: how well each of the sample's cues can be read of it. */
  readonly readable?: Readability;
  /** Of a prompt that asks about one cue. */
  readonly asked?: AskedProbe;
  readonly rollouts: readonly Rollout[];
}

/** What a reward may look at. */
export interface RewardContext {
  readonly sample: Sample;
  readonly rollout: Rollout;
  readonly response: ParsedResponse;
  readonly routing: EvidenceRouting;
  /** As of the group. */
  readonly readable?: Readability | undefined;
  /** As of the group. */
  readonly asked?: AskedProbe | undefined;
  /** What the reasoning states, where a term asks for it. */
  readonly claims?: readonly Claim[];
  /** Of every claim, how often clips of the sample's emotion have its cue, where a term asks for it. */
  readonly guesses?: readonly number[];
}

/** A score of one rollout; no tensors. */
export type TermScore = (context: RewardContext) => number;

/** A named score. `weight` multiplies it in the total; the parts are logged unweighted. */
export interface RewardTerm {
  readonly name: string;
  readonly weight: number;
  readonly score: TermScore;
}

/** Example: `{ total: 2.9, parts: { accuracy: 1, format: 1, omni: 1.8 } }` with weights 1, 1, 0.5. */
export interface RewardBreakdown {
  readonly total: number;
  /** Unweighted, by term name; a judged term whose judgement failed is not among them. */
  readonly parts: Readonly<Record<string, number>>;
  /** Of every judged term, whether this rollout's judgement failed; left out where there are no such terms. */
  readonly isMissing?: Readonly<Record<string, boolean>>;
}

export interface ScoredRollout {
  readonly rollout: Rollout;
  readonly response: ParsedResponse;
  /** Clauses of the reasoning with their token spans; they are `routing.clauses`. */
  readonly clauses: readonly Clause[];
  readonly routing: EvidenceRouting;
  readonly rewards: RewardBreakdown;
  /** Of every token; a span's comes on top. */
  readonly advantage: number;
  /** Advantages of terms that answer for a part of the completion only; left out: none. */
  readonly spans?: readonly AdvantageSpan[];
  /** T_V and T_A (Eq. 9): ascending token positions in the completion. */
  readonly evidence: EvidenceTokens;
}

/** The tokens before `end` have this advantage as well. */
export interface AdvantageSpan {
  readonly end: number;
  readonly advantage: number;
}

export interface ScoredGroup {
  readonly sample: Sample;
  /** Left out: the clip was shown as it is. */
  readonly readable?: Readability;
  /** Left out: the task's question was asked. */
  readonly asked?: AskedProbe;
  readonly rollouts: readonly ScoredRollout[];
}

/** Whether the task's question was asked about the clip as it is. */
export function isUsual({ readable, asked }: Pick<ScoredGroup, "readable" | "asked">): boolean {
  return readable === undefined && asked === undefined;
}

/**
 * A counterfactual input of a prompt, by what is masked in it; "alike" is one in which a modality is as gone as in the prompt
 * itself, in another way (masked-branch.ts).
 */
export type ViewName = "video" | "audio" | "both" | "alike";

/** Completion positions on which the full and the masked input are compared (Eq. 7 and 8). */
export interface MaskedView {
  readonly name: ViewName;
  /** Ascending positions in the completion, never empty. */
  readonly tokens: Int32Array;
  /** Of every token, how well its cue can be read under the mask, 0 to 1; left out: not at all. */
  readonly readable?: Float32Array;
  /** 1 over the probability that a draw keeps the view (draw-views.ts); left out: it is always there. */
  readonly weight?: number;
}

/** Which masked forward passes a perception loss wants for one rollout. */
export type ViewSelector = (rollout: ScoredRollout) => readonly MaskedView[];

export const maskedModalities: Readonly<Record<Exclude<ViewName, "alike">, readonly Modality[]>> = {
  video: ["video"],
  audio: ["audio"],
  both: ["video", "audio"],
};
