// Routing, coverage (Eq. 1 to 4) and evidence tokens (Eq. 9) with hand-derived values.

import assert from "node:assert/strict";
import { test } from "node:test";
import { OppoError } from "../../src/error.ts";
import type { Cue, CueKind } from "../../src/evidence/cue.ts";
import { coverage, type EvidenceRouting, evidenceTokens, routeEvidence } from "../../src/evidence/route.ts";
import { createRandom, permutation } from "../../src/random.ts";
import type { Clause } from "../../src/text/clause.ts";
import { unitRows } from "../support/vectors.ts";

const float32Tolerance = 1e-6;
const threshold = 0.5;

function cue(kind: CueKind, text: string = kind): Cue {
  return { kind, text };
}

function clauseAt(start: number, end: number): Clause {
  return { text: `clause ${start}`, chars: { start, end }, tokens: { start, end } };
}

/** A routing with the given matrix rows, one per cue; clause k owns tokens [10 k, 10 k + 2). */
function routing(cues: readonly Cue[], rows: readonly (readonly number[])[]): EvidenceRouting {
  const clauses = (rows[0] ?? []).map((_, k) => clauseAt(10 * k, 10 * k + 2));
  return { cues, clauses, similarity: Float32Array.from(rows.flat()) };
}

function close(actual: number, expected: number, message?: string): void {
  assert.ok(Math.abs(actual - expected) < float32Tolerance, `${message ?? ""} expected ${expected}, got ${actual}`);
}

test("routeEvidence is the cosine of every cue with every clause", () => {
  const cues = [cue("video"), cue("audio")];
  const clauses = [clauseAt(0, 1), clauseAt(1, 2), clauseAt(2, 3)];
  const made = routeEvidence(
    cues,
    clauses,
    Float32Array.from([1, 0, 0, 1]),
    Float32Array.from([1, 0, 0.6, 0.8, 0, 0]),
    2,
  );
  [1, 0.6, 0, 0, 0.8, 0].forEach((value, i) => {
    close(made.similarity[i]!, value);
  });
  assert.equal(routeEvidence(cues, [], new Float32Array(4), new Float32Array(0), 2).similarity.length, 0);
});

test("routeEvidence names the matrix that has the wrong size", () => {
  const make = () => routeEvidence([cue("video")], [clauseAt(0, 1)], new Float32Array(2), new Float32Array(3), 2);
  assert.throws(make, (error: OppoError) => {
    assert.equal(error.code, "ERR_EVIDENCE_SHAPE");
    assert.match(error.message, /expected clauseVectors of \[1, 2\] = 2 numbers, got 3/);
    return error instanceof OppoError;
  });
});

test("hit scores: M = [.45, .5, .62, .8] at delta .5 give s = [0, 0, .24, .6]", () => {
  const cues = ["video", "video", "video", "video"].map((kind) => cue(kind as CueKind));
  const result = coverage(routing(cues, [[0.45], [0.5], [0.62], [0.8]]), threshold);
  [0, 0, 0.24, 0.6].forEach((score, c) => {
    close(result.hitScores[c]!, score, `cue ${c}`);
  });
  close(result.kinds.video.mean, 0.21);
  close(result.total, 0.21);
  // Negative control: another threshold must give other scores.
  assert.ok(Math.abs(coverage(routing(cues, [[0.45], [0.5], [0.62], [0.8]]), 0.4).hitScores[3]! - 0.6) > 0.01);
});

test("R_omni sums the kinds' means over the best clause; options say what an empty kind means", () => {
  // video: best .9 -> .8 and .5 -> 0, mean .4; audio: best .75 -> .5; emotion: no cue.
  const made = routing(
    [cue("video"), cue("audio"), cue("video")],
    [
      [0.1, 0.9, 0.3],
      [0.75, -0.2, 0.7],
      [0.5, 0.2, -1],
    ],
  );
  const result = coverage(made, threshold);
  close(result.kinds.video.mean, 0.4);
  assert.equal(result.kinds.video.numCues, 2);
  close(result.kinds.audio.mean, 0.5);
  assert.deepEqual(result.kinds.emotion, { numCues: 0, mean: 0 });
  close(result.total, 0.9);
  close(coverage(made, threshold, { combine: "mean" }).total, 0.3);
  close(coverage(made, threshold, { empty: "skip" }).total, 1.35);
  close(coverage(made, threshold, { combine: "mean", empty: "skip" }).total, 0.45);
});

test("a perfect reasoning earns 3, no clause and no cue earn 0", () => {
  const cues = [cue("video"), cue("audio"), cue("emotion")];
  const perfect = routing(cues, [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ]);
  assert.equal(coverage(perfect, threshold).total, 3);
  const silent: EvidenceRouting = { cues, clauses: [], similarity: new Float32Array(0) };
  assert.equal(coverage(silent, threshold).total, 0);
  assert.deepEqual([...coverage(silent, threshold).hitScores], [0, 0, 0]);
  const cueless: EvidenceRouting = { cues: [], clauses: [clauseAt(0, 2)], similarity: new Float32Array(0) };
  assert.equal(coverage(cueless, threshold, { empty: "skip" }).total, 0);
  assert.deepEqual(evidenceTokens(cueless, threshold).video, new Int32Array(0));
});

test("evidence tokens: strict threshold, best of video and audio, emotion cues do not compete", () => {
  const cues = [cue("emotion"), cue("video"), cue("audio")];
  const made = routing(cues, [
    [0.9, 0.95, 0.9, 0.2],
    [0.6, 0.5, 0.3, 0.7],
    [0.2, 0.1, 0.5001, 0.8],
  ]);
  const found = evidenceTokens(made, threshold);
  // clause 0: video .6, although the emotion cue is at .9; clause 1: exactly .5 is not above; 2 and 3: audio.
  assert.deepEqual([...found.video], [0, 1]);
  assert.deepEqual([...found.audio], [20, 21, 30, 31]);
  assert.deepEqual([...found.clauseCues], [1, -1, 2, 2]);
  assert.equal(found.numTies, 0);
});

test("ties go to the lowest cue index, and only ties of two modalities are counted", () => {
  const rows = [[0.75], [0.75]];
  const first = evidenceTokens(routing([cue("audio"), cue("video")], rows), threshold);
  assert.deepEqual([[...first.video], [...first.audio], first.numTies], [[], [0, 1], 1]);
  const second = evidenceTokens(routing([cue("video"), cue("audio")], rows), threshold);
  assert.deepEqual([[...second.video], [...second.audio], second.numTies], [[0, 1], [], 1]);
  const same = evidenceTokens(routing([cue("video"), cue("video")], rows), threshold);
  assert.deepEqual([[...same.video], same.numTies], [[0, 1], 0]);
  // A tie below a later, better cue is no tie.
  const beaten = evidenceTokens(
    routing([cue("audio"), cue("video"), cue("video")], [[0.75], [0.75], [0.875]]),
    threshold,
  );
  assert.deepEqual([[...beaten.video], beaten.numTies], [[0, 1], 0]);
});

test("a threshold outside [-1, 1) is an error", () => {
  for (const bad of [1, 1.5, -1.1, Number.NaN]) {
    for (const call of [coverage, evidenceTokens]) {
      assert.throws(() => call(routing([cue("video")], [[0.5]]), bad), {
        code: "ERR_EVIDENCE_THRESHOLD",
        message: new RegExp(`${call.name}: expected a similarity threshold in \\[-1, 1\\), got ${bad}`),
      });
    }
  }
});

test("property: permuting cues and clauses permutes the matrix; rewards and token sets do not change", () => {
  const random = createRandom(11);
  const kinds: readonly CueKind[] = ["video", "audio", "emotion"];
  const dimension = 4;
  for (let round = 0; round < 60; round++) {
    const numCues = 1 + Math.floor(random.next() * 9);
    const numClauses = 1 + Math.floor(random.next() * 9);
    const cues = Array.from({ length: numCues }, (_, c) => cue(kinds[Math.floor(random.next() * 3)]!, `cue ${c}`));
    const clauses = Array.from({ length: numClauses }, (_, k) => clauseAt(3 * k, 3 * k + 2));
    const cueVectors = unitRows(numCues, dimension, random);
    const clauseVectors = unitRows(numClauses, dimension, random);
    const cueOrder = permutation(numCues, random);
    const clauseOrder = permutation(numClauses, random);
    const permute = (matrix: Float32Array, order: readonly number[]) =>
      Float32Array.from(order.flatMap((row) => [...matrix.subarray(row * dimension, (row + 1) * dimension)]));
    const plain = routeEvidence(cues, clauses, cueVectors, clauseVectors, dimension);
    const mixed = routeEvidence(
      cueOrder.map((c) => cues[c]!),
      clauseOrder.map((k) => clauses[k]!),
      permute(cueVectors, cueOrder),
      permute(clauseVectors, clauseOrder),
      dimension,
    );
    cueOrder.forEach((c, row) => {
      clauseOrder.forEach((k, column) => {
        assert.equal(mixed.similarity[row * numClauses + column], plain.similarity[c * numClauses + k]);
      });
    });
    close(coverage(mixed, threshold).total, coverage(plain, threshold).total);
    const before = evidenceTokens(plain, threshold);
    const after = evidenceTokens(mixed, threshold);
    assert.deepEqual([...after.video].sort(ascending), [...before.video]);
    assert.deepEqual([...after.audio].sort(ascending), [...before.audio]);
    assert.equal(before.video.filter((token) => before.audio.includes(token)).length, 0);
  }
});

function ascending(a: number, b: number): number {
  return a - b;
}
