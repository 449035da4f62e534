// What becomes of a statement, by its difference and its p value in the family.
import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeOrderings } from "../../../src/bench/statistics/ordering.ts";

test("clear differences hold or do not, by their sign; others cannot be told; the family is corrected", () => {
  const statement = (value: number | null, pValue: number) => ({ difference: { value }, pValue });
  const verdicts = (family: Parameters<typeof judgeOrderings>[0]) => judgeOrderings(family).map((one) => one.verdict);
  assert.deepEqual(verdicts([statement(0.2, 0.001), statement(-0.2, 0.001), statement(0.2, 0.3), statement(null, 1)]), [
    "holds",
    "does not hold",
    "cannot tell",
    "cannot tell",
  ]);
  // .02 alone is clear, as one of four it is not
  assert.deepEqual(verdicts([statement(0.2, 0.02)]), ["holds"]);
  const four = judgeOrderings(Array.from({ length: 4 }, () => statement(0.2, 0.02)));
  assert.deepEqual(
    four.map(({ pValue, verdict }) => [pValue, verdict]),
    Array.from({ length: 4 }, () => [0.08, "cannot tell"]),
  );
});
