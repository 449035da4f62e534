// Support of claims against cases made by hand, and the ways in which it cannot be won.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CueBank } from "../../../src/bench/cue-bank.ts";
import { reportOf } from "../../../src/bench/measure.ts";
import { type SupportCase, sortClaims, supportMeasures } from "../../../src/bench/support/support.ts";

/** Cues 0 to 3 are of the video, 4 and 5 of the audio. */
const bank: CueBank = {
  cues: [0, 1, 2, 3, 4, 5].map((i) => ({ kind: i < 4 ? "video" : "audio", text: `cue ${i}` })),
  vectors: new Float32Array(6),
  embedder: { dimension: 1, embed: () => new Float32Array(0) } as never,
};

function caseOf(part: Partial<SupportCase>): SupportCase {
  return { present: [], observed: new Float32Array(6), stated: [], absences: null, format: 1, ...part };
}

const values = (cases: readonly SupportCase[]) => {
  const report = reportOf(supportMeasures(bank, "video", cases), { seed: 1, numResamples: 10, confidence: 0.95 });
  return Object.fromEntries(Object.entries(report).map(([name, { value }]) => [name, value]));
};

// Cue 0 is there and readable, 1 there and not, 2 readable by mistake but not there, 3 nothing; the voice has 4 and 5.
const observed = [0.9, 0.4, 0.8, 0.1, 0, 0];
const present = [0, 1, 4, 5];

test("claims are sorted by whether their cue is there and readable", () => {
  const sorted = sortClaims(bank, "video", caseOf({ present, observed, stated: [0, 1, 2, 4] }));
  assert.deepEqual(sorted, { supported: [0], absent: [2], unreadable: [1], missed: [] });
  assert.deepEqual(sortClaims(bank, "video", caseOf({ present, observed, stated: [3] })), {
    supported: [],
    absent: [3],
    unreadable: [],
    missed: [0],
  });
  assert.equal(sortClaims(bank, "video", caseOf({ stated: null })), null);
});

test("per clip counts and shares", () => {
  const found = values([
    caseOf({ present, observed, stated: [0, 1, 2, 4], absences: { neutral: false, unseen: true } }),
    caseOf({ present, observed, stated: [], absences: { neutral: false, unseen: true }, format: 0 }),
    caseOf({ present, observed, stated: null, absences: { neutral: true, unseen: true }, format: Number.NaN }),
    caseOf({ present: [], observed, stated: [], absences: { neutral: true, unseen: true }, format: Number.NaN }),
  ]);
  assert.deepEqual(found, {
    // Of three clips: the third could not be taken apart. The fourth has no cue and hedges: neutral, not unseen.
    claims: 1,
    supported: 1 / 3,
    unsupported: 2 / 3,
    absent: 1 / 3,
    unreadable: 1 / 3,
    missed: 1 / 3,
    readable: 0.5,
    recallReadable: 0.5,
    precision: 1 / 3,
    saysUnseen: 1 / 3,
    saysNeutral: 1 / 3,
    wronglyUnseen: 1,
    recallOther: 0.25,
    format: 0.5,
  });
});

test("where nothing is readable a right guess is no support, and recall does not apply", () => {
  const found = values([
    caseOf({
      present: [0, 1],
      observed: new Float32Array(6),
      stated: [0, 1],
      absences: { neutral: false, unseen: false },
    }),
  ]);
  assert.equal(found.unsupported, 2);
  assert.equal(found.absent, 0);
  assert.equal(found.recallReadable, null);
  assert.equal(found.wronglyUnseen, null);
  // The control: the same response to a picture that can be read.
  assert.equal(values([caseOf({ present: [0, 1], observed, stated: [0] })]).unsupported, 0);
});

test("silence has no unsupported claim and no recall: it cannot win both", () => {
  const found = values([caseOf({ present, observed, stated: [] })]);
  assert.deepEqual([found.unsupported, found.recallReadable, found.missed], [0, 0, 1]);
});

test("a response that could not be taken apart counts in no score of claims", () => {
  const found = values([caseOf({ present, observed, stated: null }), caseOf({ present, observed, stated: [0] })]);
  assert.equal(found.claims, 1);
  assert.equal(found.recallReadable, 1);
});
