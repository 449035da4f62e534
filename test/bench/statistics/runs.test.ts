// Several runs as one: cold starts, seeds and clips are drawn together; pairs keep what two arms have in common.
import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultBootstrapOptions } from "../../../src/bench/bootstrap.ts";
import { countMeasure, meanMeasure, reportOf } from "../../../src/bench/measure.ts";
import { clearBest } from "../../../src/bench/statistics/clear-best.ts";
import { type MeasuredRun, pairedRuns, reportOfRuns } from "../../../src/bench/statistics/runs.ts";

const options = defaultBootstrapOptions;
const numClips = 200;

/** A run whose clips give 0 or 1 around a share; the clips' own ease is the same for every run. */
function runOf(start: string, seed: number, share: number): MeasuredRun {
  const values = Array.from({ length: numClips }, (_, i) => (((i * 7919) % numClips) / numClips < share ? 1 : 0));
  return { start, seed, measures: { score: meanMeasure("congruent", values) } };
}

const width = (runs: readonly MeasuredRun[]) => {
  const { low, high } = reportOfRuns(runs, options).score!;
  return high! - low!;
};

test("one run has the value and the interval of its clips", () => {
  const run = runOf("a", 0, 0.6);
  assert.deepEqual(reportOfRuns([run], options).score, reportOf(run.measures, options).score);
});

test("seeds and cold starts that differ widen the interval; the value is the mean over runs", () => {
  const alike = [0, 1, 2].map((seed) => runOf("a", seed, 0.6));
  const apart = [0.4, 0.6, 0.8].map((share, seed) => runOf("a", seed, share));
  assert.ok(Math.abs(reportOfRuns(apart, options).score!.value! - 0.6) < 1e-12);
  assert.ok(width(apart) > 1.5 * width(alike), `${width(apart)} ${width(alike)}`);
  // the same spread between cold starts instead of seeds is seen too
  const starts = [0.4, 0.6, 0.8].flatMap((share) => [0, 1].map((seed) => runOf(`start ${share}`, seed, share)));
  assert.ok(width(starts) > 1.5 * width(alike));
});

test("a difference is taken run by run on the same clips", () => {
  const first = [0.5, 0.6, 0.7].map((share, seed) => runOf("a", seed, share + 0.1));
  const second = [0.5, 0.6, 0.7].map((share, seed) => runOf("a", seed, share));
  const { score } = pairedRuns(first, second, options);
  assert.deepEqual(
    score!.perRun.map((value) => value.toFixed(2)),
    ["0.10", "0.10", "0.10"],
  );
  assert.equal(score!.pValue, 2 / 1001);
  assert.ok(score!.high! - score!.low! < width(first), "tighter than either interval");
  // control: the same arm twice is no difference
  assert.equal(pairedRuns(first, first, options).score!.pValue, 1);
  // a cold start without seeds is every seed's partner; a seed that one arm lacks is left out
  assert.equal(pairedRuns(first, [runOf("a", 0, 0.5)], options).score!.perRun.length, 3);
  assert.equal(pairedRuns(first, second.slice(1), options).score!.perRun.length, 2);
  assert.deepEqual(pairedRuns(first, [runOf("b", 0, 0.5), runOf("b", 1, 0.5)], options), {});
});

test("clips that all gave nothing, or everything, have an interval all the same", () => {
  const none = { score: meanMeasure("congruent", new Array(numClips).fill(0)) };
  const claims = { score: countMeasure("congruent", new Array(numClips).fill(0)) };
  const all = { score: meanMeasure("congruent", new Array(numClips).fill(1)) };
  const high = 1 - 0.025 ** (1 / numClips);
  const close = (got: number | null, want: number) => assert.ok(Math.abs(got! - want) < 1e-9, `${got} ${want}`);
  close(reportOf(none, options).score!.high, high);
  close(reportOf(all, options).score!.low, 1 - high);
  // a count per clip is not bounded by 1: a Poisson of mean -ln(.025) / n shows nothing in n clips once in forty
  close(reportOf(claims, options).score!.high, -Math.log(0.025) / numClips);
  close(reportOfRuns([{ start: "a", seed: 0, measures: none }], options).score!.high, high);
  // control: one clip of many is enough for a resample to see a spread
  const one = { score: meanMeasure("congruent", [1, ...new Array(numClips - 1).fill(0)]) };
  assert.equal(reportOf(one, options).score!.low, 0);
  assert.ok(reportOf(one, options).score!.high! < 4 / numClips);
});

test("the best is called so only where it is clearly better than every other", () => {
  const arm = (share: number) => [0, 1].map((seed) => runOf("a", seed, share));
  assert.equal(clearBest([arm(0.5), arm(0.8), arm(0.6)], "score", "higher", options), 1);
  assert.equal(clearBest([arm(0.5), arm(0.8), arm(0.6)], "score", "lower", options), 0);
  assert.equal(clearBest([arm(0.5), arm(0.8), arm(0.8)], "score", "higher", options), null, "a tie");
  assert.equal(clearBest([arm(0.5)], "score", "higher", options), null);
  assert.equal(clearBest([arm(0.5), arm(0.8)], "other", "higher", options), null);
});
