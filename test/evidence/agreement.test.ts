// Cohen's kappa against sums made by hand, and against answers that have nothing to do with each other.
import assert from "node:assert/strict";
import { test } from "node:test";
import { cohenKappa } from "../../src/evidence/agreement.ts";

const times = (count: number, first: string, second: string) =>
  Array.from({ length: count }, () => [first, second] as const);
const near = (value: number | null, wanted: number) =>
  assert.ok(value !== null && Math.abs(value - wanted) < 1e-12, `${value}, not ${wanted}`);

test("two labels: 20 and 15 the same of 50, half of them by chance", () => {
  const pairs = [...times(20, "y", "y"), ...times(5, "y", "n"), ...times(10, "n", "y"), ...times(15, "n", "n")];
  const { n, observed, expected, kappa } = cohenKappa(pairs);
  // p_o = 35/50; p_e = (25 * 30 + 25 * 20) / 50^2
  assert.equal(n, 50);
  near(observed, 0.7);
  near(expected, 0.5);
  near(kappa, 0.4);
});

test("three labels: 11 of 15 the same, a third by chance", () => {
  const same = [...times(4, "a", "a"), ...times(3, "b", "b"), ...times(4, "c", "c")];
  const others = [...times(1, "a", "b"), ...times(1, "b", "a"), ...times(1, "b", "c"), ...times(1, "c", "b")];
  // (11/15 - 1/3) / (2/3)
  near(cohenKappa([...same, ...others]).kappa, 0.6);
});

test("always the same is 1, always the other -1, independent answers 0", () => {
  near(cohenKappa([...times(7, "y", "y"), ...times(3, "n", "n")]).kappa, 1);
  near(cohenKappa([...times(5, "y", "n"), ...times(5, "n", "y")]).kappa, -1);
  const independent = [...times(6, "y", "y"), ...times(4, "y", "n"), ...times(3, "n", "y"), ...times(2, "n", "n")];
  near(cohenKappa(independent).kappa, 0);
  // the share of equal answers alone would call this agreement
  assert.ok(cohenKappa(independent).observed! > 0.5);
});

test("control: the same answers against other things agree no more", () => {
  const first = [..."yyyynnyynyynynny"];
  const pairs = first.map((label) => [label, label] as const);
  const shifted = first.map((label, i) => [label, first[(i + 3) % first.length]!] as const);
  near(cohenKappa(pairs).kappa, 1);
  assert.ok(cohenKappa(shifted).kappa! < 0.3, `${cohenKappa(shifted).kappa}`);
});

test("nothing in common, or one label alone, has no kappa", () => {
  assert.deepEqual(cohenKappa([]), { n: 0, observed: null, expected: null, kappa: null });
  assert.deepEqual(cohenKappa(times(9, "y", "y")), { n: 9, observed: 1, expected: 1, kappa: null });
});
