// Rollouts made from plain text, one token per word: what a test needs instead of a model.
import type { Sample } from "../../src/data/sample.ts";
import type { Rollout, ScoredRollout } from "../../src/rl/types.ts";

/** Pieces are tags, words with their leading space, and punctuation marks. */
export function textRollout(text: string, truncated = false): Rollout {
  const pieces = text.match(/<[^>]+>|\s*[\p{L}\p{N}]+|\s*[^\s<]/gu) ?? [];
  const ids = Int32Array.from(pieces, (_, i) => i);
  return { ids, logprobs: new Float32Array(ids.length).fill(-1), pieces, text: pieces.join(""), truncated };
}

export function testSample(id: string, fields: Partial<Sample> = {}): Sample {
  return { id, media: `${id}.mp4`, subtitle: "", labels: [], reasoning: "", cues: [], ...fields };
}

/** A rollout that was scored elsewhere: advantage and evidence positions as given. */
export function scoredRollout(
  rollout: Rollout,
  advantage: number,
  evidence: { readonly video?: readonly number[]; readonly audio?: readonly number[] } = {},
): ScoredRollout {
  return {
    rollout,
    response: { think: null, answer: null, labels: [], wellFormed: false },
    clauses: [],
    routing: { cues: [], clauses: [], similarity: new Float32Array(0) },
    rewards: { total: 0, parts: {} },
    advantage,
    evidence: {
      video: Int32Array.from(evidence.video ?? []),
      audio: Int32Array.from(evidence.audio ?? []),
      clauseCues: new Int32Array(0),
      numTies: 0,
    },
  };
}
