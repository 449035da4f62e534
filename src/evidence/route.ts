// Evidence routing: which clause of a reasoning speaks of which annotated cue (Eq. 1), what that is worth (Eq. 2 to 4)
// and which tokens are evidence of which modality (Eq. 9). Built once per rollout; the reward and the perception
// objective read the same object, so they cannot drift apart.
// C cues, K clauses, D dimension
import { OppoError } from "../error.ts";
import type { Clause } from "../text/clause.ts";
import type { Cue, CueKind } from "./cue.ts";
import { cosineMatrix } from "./similarity.ts";

/** M of Eq. 1. Example: 2 cues and 3 clauses have `similarity[1 * 3 + 2]` = cosine of cue 1 with clause 2. */
export interface EvidenceRouting {
  readonly cues: readonly Cue[];
  readonly clauses: readonly Clause[];
  /** Row-major [cues, clauses], in [-1, 1]. Empty when either side is empty. */
  readonly similarity: Float32Array;
}

/**
 * M[c, k] = cos(e(c), e(u_k)) (Eq. 1).
 *
 * @param cueVectors unit (or zero) rows, row-major [C, D], row c of cue c.
 * @param clauseVectors unit (or zero) rows, row-major [K, D].
 * @throws OppoError ERR_EVIDENCE_SHAPE when a matrix does not have one row of D numbers per cue or clause.
 */
export function routeEvidence(
  cues: readonly Cue[],
  clauses: readonly Clause[],
  cueVectors: Float32Array,
  clauseVectors: Float32Array,
  dimension: number,
): EvidenceRouting {
  requireRows("cueVectors", cueVectors, cues.length, dimension);
  requireRows("clauseVectors", clauseVectors, clauses.length, dimension);
  return { cues, clauses, similarity: cosineMatrix(cueVectors, clauseVectors, dimension) };
}

export interface CoverageOptions {
  /** Eq. 4 is a sum over the three kinds (0..3); its prose says average (0..1). The paper leaves it open. */
  readonly combine?: "sum" | "mean";
  /** A kind without cues contributes 0, or is left out and the rest rescaled to stand for all kinds. */
  readonly empty?: "zero" | "skip";
}

/** How well every cue can be read of what is shown, [cues], 0 to 1; left out: as well as ever. */
export type Readability = Float32Array;

export interface KindCoverage {
  readonly numCues: number;
  /** Mean hit score of the kind's cues; 0 without cues. */
  readonly mean: number;
}

export interface Coverage {
  /** s(c) per cue, [cues], in [0, 1]. */
  readonly hitScores: Float32Array;
  readonly kinds: Readonly<Record<CueKind, KindCoverage>>;
  /** R_omni. */
  readonly total: number;
}

const cueKinds: readonly CueKind[] = ["video", "audio", "emotion"];

/**
 * Hit scores and R_omni (Eq. 2 to 4):
 * M(c) = max_k M[c, k]; s(c) = max(M(c) - threshold, 0) / (1 - threshold); R_omni = sum over kinds of mean s(c).
 * Without clauses every score is 0.
 *
 * @param threshold delta, in [-1, 1).
 * @param readable a cue that cannot be read earns its share only: nobody is paid for a guess.
 * @throws OppoError ERR_EVIDENCE_THRESHOLD when the threshold is outside [-1, 1).
 */
export function coverage(
  routing: EvidenceRouting,
  threshold: number,
  options: CoverageOptions = {},
  readable?: Readability,
): Coverage {
  requireThreshold("coverage", threshold);
  const { cues, clauses, similarity } = routing;
  const hitScores = new Float32Array(cues.length);
  const sums: Record<CueKind, number> = { video: 0, audio: 0, emotion: 0 };
  const counts: Record<CueKind, number> = { video: 0, audio: 0, emotion: 0 };
  cues.forEach((cue, c) => {
    let best = threshold;
    for (let k = 0; k < clauses.length; k++) best = Math.max(best, similarity[c * clauses.length + k]!);
    const hit = (best - threshold) / (1 - threshold);
    const score = readable === undefined ? hit : hit * readable[c]!;
    hitScores[c] = score;
    sums[cue.kind] += score;
    counts[cue.kind]++;
  });
  const kinds = {} as Record<CueKind, KindCoverage>;
  for (const kind of cueKinds) {
    kinds[kind] = { numCues: counts[kind], mean: counts[kind] === 0 ? 0 : sums[kind] / counts[kind] };
  }
  return { hitScores, kinds, total: combineKinds(kinds, options) };
}

function combineKinds(kinds: Readonly<Record<CueKind, KindCoverage>>, options: CoverageOptions): number {
  const numKinds = cueKinds.length;
  const numPresent = cueKinds.filter((kind) => kinds[kind].numCues > 0).length;
  if (numPresent === 0) return 0;
  let sum = 0;
  for (const kind of cueKinds) sum += kinds[kind].mean;
  if (options.empty === "skip") sum *= numKinds / numPresent;
  return options.combine === "mean" ? sum / numKinds : sum;
}

export interface EvidenceTokens {
  /** T_V: ascending positions in the completion of tokens that speak of a video cue. */
  readonly video: Int32Array;
  /** T_A. Disjoint from T_V. */
  readonly audio: Int32Array;
  /** Per clause, [clauses]: the index of its cue c*(u_k), or -1 when no video or audio cue is above the threshold. */
  readonly clauseCues: Int32Array;
  /** Kept clauses whose best similarity was reached by a video and by an audio cue (the lowest cue index won). */
  readonly numTies: number;
}

/**
 * Evidence tokens (Eq. 9): every clause is matched with the video and audio cues only, c*(u_k) = argmax_c M[c, k];
 * where M[c*, k] > threshold (strictly) the clause's tokens join T_V or T_A by the kind of c*. A clause that an emotion
 * cue matches better still counts for its video or audio cue. Ties go to the lowest cue index.
 *
 * @param threshold delta, in [-1, 1).
 * @throws OppoError ERR_EVIDENCE_THRESHOLD when the threshold is outside [-1, 1).
 */
export function evidenceTokens(routing: EvidenceRouting, threshold: number): EvidenceTokens {
  requireThreshold("evidenceTokens", threshold);
  const { cues, clauses, similarity } = routing;
  const positions: { video: number[]; audio: number[] } = { video: [], audio: [] };
  const clauseCues = new Int32Array(clauses.length).fill(-1);
  let numTies = 0;
  clauses.forEach((clause, k) => {
    let best = threshold;
    let bestKind: "video" | "audio" | null = null;
    let tied = false;
    cues.forEach((cue, c) => {
      if (cue.kind === "emotion") return;
      const value = similarity[c * clauses.length + k]!;
      if (value > best) {
        best = value;
        bestKind = cue.kind;
        clauseCues[k] = c;
        tied = false;
      } else if (value === best && bestKind !== null && cue.kind !== bestKind) tied = true;
    });
    if (bestKind === null) return;
    if (tied) numTies++;
    const target = positions[bestKind as "video" | "audio"];
    for (let t = clause.tokens.start; t < clause.tokens.end; t++) target.push(t);
  });
  return {
    video: Int32Array.from(positions.video),
    audio: Int32Array.from(positions.audio),
    clauseCues,
    numTies,
  };
}

function requireRows(name: string, matrix: Float32Array, rows: number, dimension: number): void {
  if (matrix.length === rows * dimension) return;
  throw new OppoError(
    "ERR_EVIDENCE_SHAPE",
    `routeEvidence: expected ${name} of [${rows}, ${dimension}] = ${rows * dimension} numbers, got ${matrix.length}. ` +
      "Embed every cue and clause once, in order.",
  );
}

function requireThreshold(where: string, threshold: number): void {
  if (threshold >= -1 && threshold < 1) return;
  throw new OppoError(
    "ERR_EVIDENCE_THRESHOLD",
    `${where}: expected a similarity threshold in [-1, 1), got ${threshold}. The paper uses 0.5.`,
  );
}
