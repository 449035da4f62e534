// An observer's probabilities against what is there: figures worked out by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { calibrationOf, skillOf } from "../../../src/bench/support/calibration.ts";

const close = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-12, `${a}, expected ${b}`);

test("accuracy, calibration error and readable share of hand-made judgements", () => {
  // Four answers at confidence .8: three right, so the bin is off by |4 * .8 - 3| / 5; one at .55, wrong: .55 / 5.
  const sure = (answer: number) => ({ probabilities: [0.2, 0.8], answer });
  const judged = [sure(1), sure(1), sure(1), sure(0), { probabilities: [0.55, 0.45], answer: 1 }];
  const found = calibrationOf([...judged, { probabilities: [1, 0], answer: -1 }]);
  close(found.accuracy, 3 / 5);
  close(found.calibrationError, (0.2 + 0.55) / 5);
  // Of the four cues that are there three have p > .5.
  close(found.readable, 3 / 4);
  assert.equal(found.numQuestions, 5);
});

test("readable is above one half, not at it", () => {
  assert.equal(calibrationOf([{ probabilities: [0.5, 0.5], answer: 1 }]).readable, 0);
});

test("skill is bits over the frequencies, its error over clips", () => {
  const priors = [[0.5, 0.5]];
  const clip = (p: number) => [{ probabilities: [1 - p, p], answer: 1 }];
  // log2(1 / .5) = 1 and log2(.25 / .5) = -1: mean 0, deviation sqrt 2, error 1.
  const { bits, standardError } = skillOf([clip(1), clip(0.25)], priors);
  close(bits, 0);
  close(standardError, 1);
  assert.equal(skillOf([clip(0.5), clip(0.5)], priors).bits, 0);
});
