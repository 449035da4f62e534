// Every kind of degradation: dose 0 changes nothing, dose 1 leaves nothing of what was there, and in between the harm grows.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { MediaClip, ModalityMask } from "../../../src/media/clip.ts";
import { isReplacement, maskKinds, numPartners, ownKinds, unitsKind } from "../../../src/media/degrade/degrade.ts";
import { parseKind, parseMask } from "../../../src/media/degrade/mask-text.ts";
import { zeroMel } from "../../../src/media/degrade/zeroed-mel.ts";
import { applyMask } from "../../../src/media/mask.ts";
import { createFeatureExtractor } from "../../../src/models/qwen-omni/processor.ts";
import { createRandom } from "../../../src/random.ts";

const sampleRateHz = 16_000;

/** Frames that differ, with an edge and a gradient; a voice of two tones. */
function clipOf(seed: number): MediaClip {
  const [numFrames, height, width] = [4, 56, 84];
  const random = createRandom(seed);
  const phase = random.int(40);
  const frames = new Uint8Array(numFrames * height * width * 3);
  for (let i = 0; i < frames.length; i++) {
    const pixel = Math.floor(i / 3);
    const x = pixel % width;
    const frame = Math.floor(pixel / (height * width));
    frames[i] = ((x + phase + 2 * frame) % 40 < 20 ? 220 : 20) + (i % 3) * 8;
  }
  const waveform = Float32Array.from(
    { length: sampleRateHz },
    (_, i) => 0.2 * Math.sin(0.2 * i + seed) + 0.1 * Math.sin(0.6 * i),
  );
  return { frames, numFrames, height, width, fps: 2, waveform, sampleRateHz, durationSeconds: 1 };
}

/** Root mean square of the difference, of what the modality holds. */
function harm(before: MediaClip, after: MediaClip, modality: "video" | "audio"): number {
  const [a, b] = modality === "video" ? [before.frames, after.frames] : [before.waveform, after.waveform];
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(sum / a.length);
}

/** How much of what was there is left: the slope of the regression of after on before. */
function kept(before: ArrayLike<number>, after: ArrayLike<number>): number {
  const mean = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
  const [m, n] = [mean(before), mean(after)];
  let xy = 0;
  let xx = 0;
  for (let i = 0; i < before.length; i++) {
    xy += (before[i]! - m) * (after[i]! - n);
    xx += (before[i]! - m) ** 2;
  }
  return xy / xx;
}

const clip = clipOf(3);
/** What is brought in has nothing in common with the clip: another size, length, picture and voice. */
const other = (() => {
  const random = createRandom(9);
  const [numFrames, height, width] = [3, 28, 28];
  const frames = Uint8Array.from({ length: numFrames * height * width * 3 }, () => random.int(256));
  const waveform = Float32Array.from({ length: sampleRateHz / 2 }, () => 0.15 * random.normal());
  return { frames, numFrames, height, width, fps: 2, waveform, sampleRateHz, durationSeconds: 0.5 };
})();
const doses = [0.2, 0.5, 0.8, 1];
/** One moment of the picture stays. */
const leavesSomething = ["freeze"];
const almostNothing = 0.12;

for (const modality of ["video", "audio"] as const) {
  describe(`kinds of ${modality}`, () => {
    // Zeroed log-mel is not to be heard in the samples: it has a test of its own.
    const heard = maskKinds[modality].filter(
      (name) => name !== unitsKind && !(modality === "audio" && name === "features"),
    );
    for (const kind of heard) {
      const others = isReplacement(kind) ? [other] : [];
      const at = (ratio: number, seed = 1) => applyMask(clip, { modality, kind, ratio, seed, others });

      test(`${kind}: dose 0 is the clip, the other modality and the clip itself are untouched`, () => {
        const before = { frames: clip.frames.slice(), waveform: clip.waveform.slice() };
        const none = at(0);
        assert.deepEqual(none.frames, clip.frames);
        assert.deepEqual(none.waveform, clip.waveform);
        const half = at(0.5);
        if (modality === "video") assert.equal(half.waveform, clip.waveform);
        else assert.equal(half.frames, clip.frames);
        assert.deepEqual(clip.frames, before.frames);
        assert.deepEqual(clip.waveform, before.waveform);
      });

      test(`${kind}: more is worse, and all leaves nothing`, () => {
        const harms = doses.map((dose) => harm(clip, at(dose), modality));
        for (const [i, one] of harms.entries()) assert.ok(one > (harms[i - 1] ?? 0) - 1e-9, `${harms}`);
        assert.ok(harms[0]! > 0 && harms.at(-1)! > harms[0]!, `${harms}`);
        const whole = at(1);
        const left = modality === "video" ? kept(clip.frames, whole.frames) : kept(clip.waveform, whole.waveform);
        // The control: what may leave something does.
        assert.equal(Math.abs(left) > almostNothing, leavesSomething.includes(kind), `${left} is left`);
      });

      test(`${kind}: the same seed draws the same`, () => {
        assert.deepEqual(at(0.5), at(0.5));
      });
    }
  });
}

test("what is drawn depends on the seed, what is not drawn does not", () => {
  for (const [modality, kind] of [
    ["video", "pixel-noise"],
    ["video", "block-noise"],
    ["video", "colour"],
    ["video", "occlusion"],
    ["audio", "noise"],
    ["video", "features"],
    ["audio", "pink-noise"],
    ["audio", "babble"],
    ["audio", "hum"],
  ] as const) {
    const [one, other] = [1, 2].map((seed) => applyMask(clip, { modality, kind, ratio: 0.5, seed }));
    assert.notDeepEqual(one, other, kind);
  }
  const [one, other] = [1, 2].map((seed) => applyMask(clip, { modality: "video", kind: "blur", ratio: 0.5, seed }));
  assert.deepEqual(one, other);
});

test("at one half a noise is as loud as the voice: 0 dB", () => {
  const power = (samples: ArrayLike<number>) => Array.from(samples).reduce((sum, v) => sum + v * v, 0) / samples.length;
  const mask: ModalityMask = { modality: "audio", kind: "noise", ratio: 0.5, seed: 4 };
  const mixed = applyMask(clip, mask).waveform;
  const noise = Float32Array.from(mixed, (sample, i) => sample - Math.SQRT1_2 * clip.waveform[i]!);
  const decibel = 10 * Math.log10((0.5 * power(clip.waveform)) / power(noise));
  const tolerance = 0.1;
  assert.ok(Math.abs(decibel) < tolerance, `${decibel} dB`);
  assert.ok(Math.abs(power(mixed) / power(clip.waveform) - 1) < tolerance, "as loud as before");
});

test("an occlusion covers its share of the picture in every frame", () => {
  const { frames } = applyMask(clip, { modality: "video", kind: "occlusion", ratio: 0.25, seed: 2 });
  const changed = frames.filter((value, i) => value !== clip.frames[i]).length / frames.length;
  assert.ok(changed > 0.2 && changed <= 0.25, `${changed}`);
});

test("a kind of the other modality, or of none, is refused by name", () => {
  for (const [modality, kind] of [
    ["video", "hum"],
    ["audio", "blur"],
    ["video", "toString"],
  ] as const) {
    assert.throws(() => applyMask(clip, { modality, kind, ratio: 0.5, seed: 0 }), { code: "ERR_MASK_KIND" });
  }
  assert.throws(() => applyMask(clip, { modality: "video", kind: "blur", ratio: 1.5, seed: 0 }), {
    code: "ERR_MASK_RATIO",
  });
});

test("another clip at dose 1 is the other clip, in the clip's size and length", () => {
  const swapped = applyMask(clip, { modality: "video", kind: "swap", ratio: 1, seed: 1, others: [other] });
  assert.deepEqual(swapped.frames.subarray(0, 3), other.frames.subarray(0, 3));
  assert.deepEqual(swapped.frames.subarray(-3), other.frames.subarray(-3));
  assert.equal(swapped.frames.length, clip.frames.length);
  const voice = applyMask(clip, { modality: "audio", kind: "voice", ratio: 1, seed: 1, others: [other] });
  const half = other.waveform.length;
  assert.deepEqual(voice.waveform.slice(0, half), other.waveform);
  assert.deepEqual(voice.waveform.slice(half), other.waveform);
});

test("kinds that need a partner are refused without one, and named", () => {
  const silent = { ...other, waveform: new Float32Array(0) };
  for (const [modality, kind, others] of [
    ["video", "swap", []],
    ["audio", "voice", []],
    ["audio", "voice", [silent]],
  ] as const) {
    assert.throws(() => applyMask(clip, { modality, kind, ratio: 0, seed: 1, others }), { code: "ERR_MASK_PARTNER" });
  }
  assert.deepEqual(
    maskKinds.video.filter((kind) => !ownKinds.video.includes(kind)),
    ["swap"],
  );
  assert.deepEqual([numPartners("swap"), numPartners("babble"), numPartners("blur")], [1, 4, 0]);
});

test("babble is of other clips where there are some, else of synthetic voices", () => {
  const babble = (others: readonly MediaClip[]) =>
    applyMask(clip, { modality: "audio", kind: "babble", ratio: 1, seed: 1, others }).waveform;
  const alone = babble([]);
  const crowd = babble([other, other]);
  assert.notDeepEqual(alone, crowd);
  assert.ok(Math.abs(kept(other.waveform, crowd.subarray(0, other.waveform.length))) > almostNothing);
  const shares = [alone, crowd].map((samples) => samples.filter((sample) => sample !== 0).length / samples.length);
  assert.ok(Math.min(...shares) > 0.8, `${shares}`);
});

test("zeroed features: an exact share of log-mel values, none at 0 and all at 1, more where there is more", () => {
  const zeros = (ratio: number, seed = 1) => {
    const values = new Float32Array(20_000).fill(0.7);
    zeroMel(values, applyMask(clip, { modality: "audio", kind: "features", ratio, seed }));
    return values;
  };
  assert.ok(zeros(0).every((value) => value === Math.fround(0.7)));
  assert.ok(zeros(1).every((value) => value === 0));
  const share = zeros(0.3).filter((value) => value === 0).length / 20_000;
  assert.ok(Math.abs(share - 0.3) < 0.02, `${share}`);
  assert.deepEqual(zeros(0.3), zeros(0.3));
  assert.notDeepEqual(zeros(0.3, 2), zeros(0.3));
  const [some, more] = [zeros(0.3), zeros(0.6)];
  assert.ok(some.every((value, i) => value !== 0 || more[i] === 0));
});

test("the towers are given the zeroed features, and at dose 0 what they would have been given", async () => {
  const extract = createFeatureExtractor("fixed");
  const mask = (ratio: number): ModalityMask => ({ modality: "audio", kind: "features", ratio, seed: 2 });
  const sound = { ...clip, frames: new Uint8Array(0), numFrames: 0 };
  assert.deepEqual(extract(sound, [mask(0)]), extract(sound));
  assert.notDeepEqual(extract(sound, [mask(0.5)]), extract(sound));
});

test("a mask is read as a person writes it", () => {
  assert.deepEqual(parseMask("video=0.7", 5), { modality: "video", ratio: 0.7, seed: 5 });
  assert.deepEqual(parseMask("video=units:0.7", 5), { modality: "video", ratio: 0.7, seed: 5 });
  assert.deepEqual(parseMask("audio=low-pass:1", 5), { modality: "audio", kind: "low-pass", ratio: 1, seed: 5 });
  for (const wrong of [
    "video=2",
    "video=hum:0.5",
    "audio=blur:0.5",
    "text=0.5",
    "video",
    "video=blur",
    "video=blur:",
  ]) {
    assert.equal(parseMask(wrong, 0), null, wrong);
  }
});

test("a kind of one modality is read with or without a dose", () => {
  assert.deepEqual(parseKind("blur", "video"), { kind: "blur", dose: 1 });
  assert.deepEqual(parseKind("low-pass:0.25", "audio"), { kind: "low-pass", dose: 0.25 });
  assert.deepEqual(parseKind("units:0.7", "audio"), { kind: "units", dose: 0.7 });
  for (const wrong of ["blur:2", "blur:", "hum", "swap", "", "blur:0.5:1"])
    assert.equal(parseKind(wrong, "video"), null, wrong);
});
