// How counterfactuals are drawn: one per prompt, view and step, of a family of kinds at doses of a range.
import assert from "node:assert/strict";
import { test } from "node:test";
import { swapKind } from "../../src/media/degrade/degrade.ts";
import { drawDose, drawMasks, type MaskDraws, type MaskRatio } from "../../src/rl/mask-draws.ts";

const plain = (maskRatio: MaskRatio): MaskDraws => ({
  maskRatio,
  maskFamily: { video: ["units"], audio: ["units"] },
  maskDoses: null,
});

test("one mask per prompt, modality and step", () => {
  const key = { seed: 1, step: 4, sampleId: "clip" };
  assert.deepEqual(drawMasks(plain(0.7), key, "video"), drawMasks(plain(0.7), key, "video"));
  const [video] = drawMasks(plain(0.7), key, "video");
  assert.deepEqual([video!.modality, video!.ratio], ["video", 0.7]);
  const others = [
    drawMasks(plain(0.7), { ...key, step: 5 }, "video"),
    drawMasks(plain(0.7), { ...key, sampleId: "other" }, "video"),
    drawMasks(plain(0.7), { ...key, seed: 2 }, "video"),
    drawMasks(plain(0.7), key, "audio"),
  ];
  for (const [other] of others) assert.notEqual(other!.seed, video!.seed);
  const both = drawMasks(plain("mixed"), key, "both");
  assert.deepEqual(
    both.map((mask) => mask.modality),
    ["video", "audio"],
  );
  assert.equal(both[0]!.ratio, both[1]!.ratio);
});

test("mixed ratios: half are full masks, the rest uniform in [0.5, 0.95)", () => {
  const draws = Array.from({ length: 4000 }, (_, step) =>
    drawDose(plain("mixed"), { seed: 3, step, sampleId: "clip" }, "video"),
  );
  const partial = draws.filter((ratio) => ratio !== 1);
  // standard errors: share .0079, mean .13 / sqrt(2000) = .0029; four of them
  assert.ok(Math.abs(partial.length / draws.length - 0.5) < 0.032);
  assert.ok(Math.min(...partial) >= 0.5 && Math.max(...partial) < 0.95);
  const average = partial.reduce((sum, ratio) => sum + ratio, 0) / partial.length;
  assert.ok(Math.abs(average - 0.725) < 0.012, `mean ${average}`);
});

test("a family: every kind as often, doses of the range or whole, a swap always whole, units without a kind", () => {
  const draws: MaskDraws = {
    maskRatio: "mixed",
    maskFamily: { video: ["units", "blur", "black", swapKind], audio: ["noise"] },
    maskDoses: { low: 0.1, high: 0.6, full: 0.25 },
  };
  const numDraws = 4000;
  const masks = Array.from(
    { length: numDraws },
    (_, step) => drawMasks(draws, { seed: 3, step, sampleId: "clip" }, "video")[0]!,
  );
  for (const kind of [undefined, "blur", "black", swapKind]) {
    const own = masks.filter((mask) => mask.kind === kind);
    // standard error of a share of a quarter: .0068; four of them
    assert.ok(Math.abs(own.length / numDraws - 0.25) < 0.028, `${kind}: ${own.length}`);
    const whole = own.filter(({ ratio }) => ratio === 1).length / own.length;
    // of 1,000: .0137
    assert.ok(kind === swapKind ? whole === 1 : Math.abs(whole - 0.25) < 0.055, `${kind}: ${whole} whole`);
    assert.ok(own.every(({ ratio }) => ratio === 1 || (ratio >= 0.1 && ratio < 0.6)));
  }
  const [audio] = drawMasks(draws, { seed: 3, step: 1, sampleId: "clip" }, "audio");
  assert.equal(audio!.kind, "noise");
  assert.equal(drawDose({ maskRatio: 0.3, maskDoses: null }, { seed: 1, step: 1, sampleId: "a" }, "video"), 0.3);
});
