// Calibration on vectors whose cosines are known: the delta, its interval, the histogram, roles.
import assert from "node:assert/strict";
import { test } from "node:test";
import { calibrate } from "../../src/evidence/calibrate.ts";
import type { Embedder } from "../../src/evidence/cue.ts";
import { bankPairs } from "../../src/evidence/phrase-pairs.ts";

const close = (got: number, want: number) => assert.ok(Math.abs(got - want) < 1e-6, `${got} is not ${want}`);

/** Texts are angles in degrees: "30" and "90" have cosine 0.5. */
const angles: Embedder = {
  name: "angles",
  dimension: 2,
  embed(texts) {
    return Float32Array.from(
      texts.flatMap((text) => {
        const angle = (Number(text) * Math.PI) / 180;
        return [Math.cos(angle), Math.sin(angle)];
      }),
    );
  },
};

const bank = [
  { name: "a", phrases: ["0", "20"] },
  { name: "b", phrases: ["90", "110"] },
  { name: "c", phrases: ["170", "180"] },
];

test("delta lies in the middle of the gap", async () => {
  const result = await calibrate(angles, bankPairs(bank));
  const cosine = (degrees: number) => Math.cos((degrees * Math.PI) / 180);
  // Same: 20, 20, 10 degrees apart; the closest different ones, 110 and 170, are 60 apart.
  close(result.delta, (cosine(20) + cosine(60)) / 2);
  close(result.range[0], cosine(60));
  close(result.range[1], cosine(20));
  assert.deepEqual([result.f1, result.missed, result.leaked, result.equalError.rate], [1, 0, 0, 0]);
  assert.deepEqual([result.same.count, result.different.count, result.numTexts], [3, 12, 6]);
  close(result.same.mean, (2 * cosine(20) + cosine(10)) / 3);
  close(result.different.quantiles[0]!, -1);
  assert.deepEqual(result.worstDifferent[0]!.left + result.worstDifferent[0]!.right, "110170");
  // 0.5 itself is not above 0.5, but float32 may round cos 60 up.
  assert.ok(result.atPaper.leaked <= 1 / 12 && result.atPaper.missed === 0);
  // Bins of 0.05 from -1: cos 20 = .94 in bin 38, cos 10 = .985 in bin 39.
  close(result.histogram.start, -1);
  assert.equal(result.histogram.same.length, 40);
  close(result.histogram.same[38]!, 2 / 3);
  close(result.histogram.same[39]!, 1 / 3);
  close(
    result.histogram.different.reduce((sum, share) => sum + share, 0),
    1,
  );
});

test("the interval holds the delta and is the same every time; more concepts make it narrower", async () => {
  const noisy = (numConcepts: number) =>
    Array.from({ length: numConcepts }, (_, c) => ({
      name: `${c}`,
      phrases: [0, 1, 2].map((p) => String(((c * 137) % 360) + ((c * 7 + p * 31) % 41))),
    }));
  const few = await calibrate(angles, bankPairs(noisy(8)));
  const many = await calibrate(angles, bankPairs(noisy(80)));
  for (const { delta, interval } of [few, many]) assert.ok(interval[0] <= delta && delta <= interval[1]);
  assert.ok(many.interval[1] - many.interval[0] < few.interval[1] - few.interval[0]);
  assert.deepEqual(await calibrate(angles, bankPairs(noisy(8))), few);
});

test("an asymmetric embedder is measured across roles", async () => {
  const asked: string[] = [];
  const turned: Embedder = {
    ...angles,
    isAsymmetric: true,
    embed(texts, role) {
      asked.push(role ?? "none");
      return angles.embed(role === "clause" ? texts.map((text) => String(Number(text) + 30)) : texts);
    },
  };
  const result = await calibrate(turned, bankPairs(bank));
  assert.deepEqual(asked, ["cue", "clause"]);
  // 0 as a cue and 20 as a clause are 50 degrees apart now.
  close(result.same.quantiles[0]!, Math.cos((50 * Math.PI) / 180));
});

test("an embedder that cannot tell is seen through", async () => {
  const blind: Embedder = { name: "blind", dimension: 1, embed: (texts) => new Float32Array(texts.length).fill(1) };
  const result = await calibrate(blind, bankPairs(bank));
  assert.equal(result.equalError.rate, 0.5);
  close(result.f1, 2 / 3);
});
