// The bootstrap: percentiles, a share against its normal approximation, samples that do not apply, paired differences.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bootstrap,
  defaultBootstrapOptions,
  meanOf,
  pairedDifferenceOf,
  percentile,
  seededUniform,
} from "../../src/bench/bootstrap.ts";

/** Mean of per-sample values (NaN: does not apply), counted by the values that apply. */
function bootstrapMean(values: readonly number[], options = defaultBootstrapOptions) {
  const count = values.filter((value) => !Number.isNaN(value)).length;
  return bootstrap(values.length, meanOf(values), count, options);
}

test("percentiles interpolate between order statistics", () => {
  assert.equal(percentile([1, 2, 3, 4, 5], 0.5), 3);
  // position .25 x 3 = .75 between 10 and 20
  assert.equal(percentile([10, 20, 30, 40], 0.25), 17.5);
  assert.equal(percentile([7], 0.975), 7);
});

test("the interval of a share matches the normal approximation", () => {
  // 400 zeros and ones, share .5: standard error sqrt(.25 / 400) = .025, so the interval is about .5 +- .049
  const values = Array.from({ length: 400 }, (_, i) => i % 2);
  const metric = bootstrapMean(values);
  assert.equal(metric.value, 0.5);
  assert.equal(metric.count, 400);
  const slack = 0.008;
  assert.ok(Math.abs(metric.low! - 0.451) < slack, `low ${metric.low}`);
  assert.ok(Math.abs(metric.high! - 0.549) < slack, `high ${metric.high}`);
  // negative control: a quarter of the clips doubles the interval
  const fewer = bootstrapMean(values.slice(0, 100));
  assert.ok(fewer.high! - fewer.low! > 1.7 * (metric.high! - metric.low!));
});

test("the same seed gives the same interval, another seed another one", () => {
  const values = Array.from({ length: 60 }, (_, i) => (i * 7) % 11);
  assert.deepEqual(bootstrapMean(values), bootstrapMean(values));
  assert.notDeepEqual(bootstrapMean(values), bootstrapMean(values, { ...defaultBootstrapOptions, seed: 2 }));
});

test("samples that do not apply stay out of the mean", () => {
  const metric = bootstrapMean([1, Number.NaN, 0, Number.NaN, 1, 0]);
  assert.equal(metric.value, 0.5);
  assert.equal(metric.count, 4);
  assert.deepEqual(bootstrapMean([Number.NaN]), { value: null, low: null, high: null, count: 0 });
  assert.deepEqual(bootstrapMean([]), { value: null, low: null, high: null, count: 0 });
});

test("any statistic of the indices can be resampled", () => {
  const metric = bootstrap(3, (indices) => Math.max(...indices), 3);
  assert.equal(metric.value, 2);
  assert.equal(metric.high, 2);
});

test("paired differences are tighter than the two intervals and know their sign", () => {
  const uniform = seededUniform(3);
  const second = Array.from({ length: 200 }, () => uniform());
  const first = second.map((value) => value + 0.02 + 0.01 * uniform());
  const paired = (a: readonly number[], b: readonly number[]) =>
    pairedDifferenceOf(a.length, meanOf(a), meanOf(b), a.length);
  const difference = paired(first, second);
  assert.ok(difference.low! > 0.02 && difference.high! < 0.03);
  // no draw of 1,000 at or below 0: as small as they can tell
  assert.equal(difference.pValue, 2 / 1001);
  // negative control: the unpaired interval of either side is far wider than the difference
  const alone = bootstrapMean(first);
  assert.ok(alone.high! - alone.low! > 10 * (difference.high! - difference.low!));
  assert.equal(paired([1, 0, 1, 0], [0, 1, 0, 1]).pValue, 1);
});
