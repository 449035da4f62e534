// Pictures and sound of the actor: same seed, same bytes; every state looks and sounds different from the plain one.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Scene } from "../../../src/data/theatre/draw.ts";
import { type LipTrack, stageFrames } from "../../../src/data/theatre/stage.ts";
import { layOut, syllablesOf } from "../../../src/data/theatre/syllables.ts";
import { speak } from "../../../src/data/theatre/voice.ts";
import {
  type AcousticState,
  acousticAttributes,
  acousticStates,
  type VisualState,
  visualAttributes,
  visualStates,
} from "../../../src/data/theatre/world.ts";
import { createRandom } from "../../../src/random.ts";

const plainFace: VisualState = { brow: "plain", eyes: "plain", mouth: "plain", head: "plain" };
const plainVoice: AcousticState = { volume: "plain", pace: "plain", pitch: "plain", quality: "plain" };
const scene = (seed: number, visual: Partial<VisualState> = {}, acoustic: Partial<AcousticState> = {}): Scene => ({
  kind: "train",
  videoEmotion: null,
  audioEmotion: null,
  visual: { ...plainFace, ...visual },
  acoustic: { ...plainVoice, ...acoustic },
  subtitle: "you broke your promise again",
  seed,
});

const silentLips: LipTrack = { values: new Float32Array(400), rateHz: 200 };
const size = 112;
const frameOf = (shown: Scene, index: number, lips = silentLips): Uint8Array =>
  [...stageFrames(shown, lips, { size, fps: 2, numFrames: index + 1 })][index]!;

/** An area of 5 by 6 pixels, smaller than half a 14-pixel patch's side; mouths are the smallest cues. */
const minChanged = 30;

/** Pixels of which some channel differs clearly. */
function numChanged(a: Uint8Array, b: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < a.length; i += 4) {
    if (Math.max(...[0, 1, 2].map((c) => Math.abs(a[i + c]! - b[i + c]!))) > 24) count += 1;
  }
  return count;
}

test("a frame is a function of its scene, opaque, and of the wanted size", () => {
  const first = frameOf(scene(5), 1);
  assert.equal(first.length, size * size * 4);
  assert.deepEqual(first, frameOf(scene(5), 1));
  assert.ok(first.every((value, i) => i % 4 !== 3 || value === 255));
  assert.ok(numChanged(first, frameOf(scene(6), 1)) > 0.2 * size * size, "another seed is another actor");
});

test("every visual state changes the picture that the model sees, and grows over time", () => {
  for (const seed of [11, 12, 13]) {
    const plain = frameOf(scene(seed), 3);
    assert.equal(numChanged(plain, frameOf(scene(seed), 3)), 0);
    for (const attribute of visualAttributes) {
      for (const state of visualStates[attribute]) {
        if (state === "plain") continue;
        const shown = scene(seed, { [attribute]: state });
        const late = numChanged(plain, frameOf(shown, 3));
        assert.ok(late >= minChanged, `${attribute} ${state} with seed ${seed} changes ${late} pixels`);
      }
    }
    const bowed = scene(seed, { head: "bowed" });
    assert.ok(numChanged(frameOf(bowed, 0), frameOf(bowed, 3)) > numChanged(frameOf(scene(seed), 0), plain));
  }
});

test("lips follow the voice", () => {
  const loud: LipTrack = { values: new Float32Array(400).fill(1), rateHz: 200 };
  assert.ok(numChanged(frameOf(scene(21), 1), frameOf(scene(21), 1, loud)) > 20);
});

const rms = (wave: Float32Array): number => Math.sqrt(wave.reduce((sum, x) => sum + x * x, 0) / wave.length);

test("a voice is a function of its scene, never clips, and starts and ends in silence", () => {
  for (const attribute of acousticAttributes) {
    for (const state of acousticStates[attribute]) {
      const voice = speak(scene(31, {}, { [attribute]: state }), 2, 24000);
      assert.equal(voice.waveform.length, 48000);
      assert.ok(voice.waveform.every((x) => Math.abs(x) < 0.96));
      assert.ok(rms(voice.waveform) > 0.01, `${attribute} ${state} is heard`);
      assert.equal(Math.abs(voice.waveform[0]!), 0);
      assert.equal(Math.abs(voice.waveform.at(-1)!), 0);
      assert.ok(Math.abs(Math.max(...voice.lips.values) - 1) < 1e-6);
    }
  }
  assert.deepEqual(speak(scene(32), 2, 16000), speak(scene(32), 2, 16000));
  assert.notDeepEqual(speak(scene(32), 2, 16000).waveform, speak(scene(33), 2, 16000).waveform);
});

test("volume is set in steps that no speaker's variation bridges", () => {
  const level = (volume: AcousticState["volume"], seed: number): number =>
    rms(speak(scene(seed, {}, { volume }), 2, 16000).waveform);
  const seeds = Array.from({ length: 12 }, (_, i) => 100 + i);
  const highest = (volume: AcousticState["volume"]): number => Math.max(...seeds.map((seed) => level(volume, seed)));
  const lowest = (volume: AcousticState["volume"]): number => Math.min(...seeds.map((seed) => level(volume, seed)));
  // 6 dB, a factor of two, between the extremes of neighbours.
  assert.ok(lowest("loud") > 2 * highest("plain"));
  assert.ok(lowest("plain") > 2 * highest("quiet"));
});

/** Strongest repetition of the waveform between 70 and 400 Hz, by autocorrelation over the loudest tenth of a second. */
function pitchOf(wave: Float32Array, rateHz: number): number {
  const width = Math.round(rateHz / 10);
  let start = 0;
  let most = 0;
  for (let at = 0; at + 2 * width < wave.length; at += width / 2) {
    const power = rms(wave.subarray(at, at + width));
    if (power > most) {
      most = power;
      start = at;
    }
  }
  let best = 0;
  let bestLag = 1;
  for (let lag = Math.round(rateHz / 400); lag < rateHz / 70; lag += 1) {
    let sum = 0;
    for (let n = start; n < start + width; n += 1) sum += wave[n]! * wave[n + lag]!;
    if (sum > best * 1.02) {
      best = sum;
      bestLag = lag;
    }
  }
  return rateHz / bestLag;
}

test("pitch states are heard as such", () => {
  for (const [pitch, low, high] of [
    ["low", 80, 125],
    ["plain", 135, 210],
    ["high", 235, 350],
  ] as const) {
    for (const seed of [1, 2, 3]) {
      const hz = pitchOf(speak(scene(seed, {}, { pitch }), 2, 16000).waveform, 16000);
      assert.ok(hz > low && hz < high, `${pitch} voice of seed ${seed} sounds at ${hz.toFixed(0)} Hz`);
    }
  }
});

test("syllables follow the line and the pace", () => {
  assert.deepEqual(
    syllablesOf("stop it").map(({ onset, endsWord }) => [onset, endsWord]),
    [
      ["hiss", true],
      ["none", true],
    ],
  );
  // you-bro(ke)-your-pro-mi(se)-a-gain
  const line = syllablesOf("you broke your promise again");
  assert.equal(line.length, 7);
  const count = (syllableSeconds: number): number =>
    layOut(line, { syllableSeconds, startSeconds: 0, endSeconds: 2 }, createRandom(1)).length;
  assert.ok(count(0.125) > 1.5 * count(0.21) && count(0.21) > 1.5 * count(0.39));
});
