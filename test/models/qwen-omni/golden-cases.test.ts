// Every golden case from its text and raw media on: token ids, positions, what the processor hands to the towers, what the
// towers make of it. Hidden states, logits and tokens are golden.test.ts's.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { createMelExtractor, numMels } from "../../../src/media/mel.ts";
import { inverseFrequencies } from "../../../src/models/decoder/rope.ts";
import { encodeAudio } from "../../../src/models/qwen-omni/audio-tower.ts";
import { readCheckpoint } from "../../../src/models/qwen-omni/checkpoint.ts";
import type { ThinkerConfig } from "../../../src/models/qwen-omni/config/config.ts";
import { parameterSpecs } from "../../../src/models/qwen-omni/parameters.ts";
import { patchRows } from "../../../src/models/qwen-omni/patches.ts";
import { ropePositions } from "../../../src/models/qwen-omni/positions.ts";
import { expandPlaceholders } from "../../../src/models/qwen-omni/prompt.ts";
import { noGrad, numLiveTensors, type SafetensorsFile, scope, type Tensor } from "../../../src/tensor/index.ts";
import { loadTokenizer } from "../../../src/text/tokenizer.ts";
import { testDevice } from "../../support/device.ts";
import { sharedPath } from "../../support/shared.ts";
import {
  caseIndex,
  closeGoldens,
  type GoldenCase,
  openCase,
  openGolden,
  type Parameters,
  relativeError,
  visionRows,
} from "./golden.ts";

const ACTIVATION_TOLERANCE = 2e-5;
const MISTAKE = 50 * ACTIVATION_TOLERANCE;
const MEL_TOLERANCE = 2e-4;

const root = sharedPath("golden/qwen-omni");
const options = root ? {} : { skip: "golden/qwen-omni is absent" };

interface OpenCase extends GoldenCase {
  readonly text: readonly string[];
}

/** Runs a body on every case, without gradients, and checks that it leaves no tensor behind. Returns how many there were. */
function eachCase(body: (golden: OpenCase, config: ThinkerConfig, parameters: Parameters) => void): number {
  const { parameters, config } = readCheckpoint(path.join(root!, "omni"), { device: testDevice });
  const before = numLiveTensors();
  const index = Object.entries(caseIndex(root!));
  for (const [name, info] of index) {
    noGrad(() => scope(() => body({ ...openCase(root!, name, config, info), text: info.text }, config, parameters)));
  }
  closeGoldens();
  assert.equal(numLiveTensors(), before);
  for (const parameter of parameters.values()) parameter.dispose();
  assert.ok(index.length >= 3);
  return index.length;
}

test("texts become the processor's ids, positions and deltas", options, () => {
  const tokenizer = loadTokenizer(path.join(root!, "omni"));
  let numMedia = 0;
  let numMistakes = 0;
  eachCase(({ name, file, samples, text }, config) => {
    const positions = file.tensor("out.position_ids"); // [3, B, T]
    const deltas = file.tensor("out.rope_deltas").toNumbers();
    samples.forEach(({ ids, padding, media }, b) => {
      const got = expandPlaceholders(tokenizer.encode(text[b]!), media, config);
      assert.deepEqual(got, ids, `${name} ids of ${b}`);
      const rope = ropePositions(got, media, config);
      const want = positions.select(1, b).narrow(1, padding, ids.length).contiguous().toInt32Array();
      assert.deepEqual(rope.positions, want, `${name} positions of ${b}`);
      assert.equal(rope.delta, deltas[b], `${name} delta of ${b}`);
      if (media.videos.length + media.images.length === 0) return;
      numMedia++;
      const plain = { ...config, ids: { ...config.ids, visionStart: -1 } };
      const wrong = ropePositions(got, { ...media, audioInVideo: false }, plain).positions;
      if (wrong.some((position, i) => position !== want[i])) numMistakes++;
    });
  });
  assert.ok(numMedia > 0);
  assert.equal(numMistakes, numMedia, "media that are taken for text show in every case");
});

/** Patches of raw frames [T, 3, H, W] as the model makes them. */
function patchesOf(frames: Tensor): Float32Array {
  const [numFrames, , height, width] = frames.shape as [number, number, number, number];
  const pixels = frames.permute([0, 2, 3, 1]).contiguous().to("int32").toInt32Array();
  const input = { frames: Uint8Array.from(pixels), numFrames, height, width, blackCells: null };
  return patchRows(input, { dtype: "float32", device: "cpu" }).toFloat32Array();
}

test("raw waves and frames become the processor's features", options, () => {
  const extract = createMelExtractor();
  let numCompared = 0;
  eachCase(({ name, file, audios, videos, images }) => {
    audios.forEach(({ mel, numFrames }, i) => {
      if (!file.entries.has(`raw.wave_${i}`)) return; // the committed part has the features only
      const got = extract(file.tensor(`raw.wave_${i}`).toFloat32Array());
      assert.equal(got.numFrames, numFrames, name);
      const worst = got.values.reduce((most, value, at) => Math.max(most, Math.abs(value - mel[at]!)), 0);
      assert.ok(worst < MEL_TOLERANCE, `${name} audio ${i}: ${worst}`);
      assert.equal(got.values.length, numMels * numFrames);
      numCompared++;
    });
    for (const [kind, inputs] of [
      ["video", videos],
      ["image", images],
    ] as const) {
      inputs.forEach(({ patches }, i) => {
        const raw = file.tensor(`raw.${kind}_${i}`);
        assert.deepEqual(patchesOf(kind === "video" ? raw : raw.unsqueeze(0)), patches, `${name} ${kind} ${i}`);
        numCompared++;
      });
    }
  });
  assert.ok(numCompared > 0);
});

test("the towers' features of every case", options, () => {
  let numCompared = 0;
  const compare = (file: SafetensorsFile, key: string, got: Tensor) => {
    const want = file.tensor(key);
    assert.ok(relativeError(got, want) < ACTIVATION_TOLERANCE, key);
    assert.ok(relativeError(got.roll(1, { dims: 0 }), want) > MISTAKE, `${key}: rows that are shifted show`);
    numCompared++;
  };
  eachCase(({ file, audios, videos, images }, config, parameters) => {
    if (audios.length > 0) compare(file, "out.audio_features", encodeAudio(parameters, config.audio, audios));
    if (videos.length > 0) compare(file, "out.video_features", visionRows(parameters, config.vision, videos));
    if (images.length > 0) compare(file, "out.image_features", visionRows(parameters, config.vision, images));
  });
  assert.ok(numCompared > 1);
});

test("names and shapes of all parameters, and the buffers that no file holds", options, () => {
  const { parameters, config } = readCheckpoint(path.join(root!, "omni"));
  for (const parameter of parameters.values()) parameter.dispose();
  const shapes = JSON.parse(readFileSync(path.join(root!, "omni_shapes.json"), "utf8")) as Record<string, [number[]]>;
  const ours = Object.fromEntries(parameterSpecs(config).map(({ name, shape }) => [name, shape]));
  const theirs = Object.fromEntries(Object.entries(shapes).map(([name, [shape]]) => [name, shape]));
  assert.deepEqual(ours, theirs);
  const file = openGolden(root!, "buffers.safetensors");
  scope(() => {
    const { hiddenSize, numHeads } = config.vision;
    const headDim = hiddenSize / numHeads;
    for (const [key, dim, theta] of [
      ["text_inv_freq", config.text.headDim, config.text.ropeTheta],
      ["vision_inv_freq", headDim / 2, 10000],
    ] as const) {
      const want = file.tensor(key).toFloat32Array();
      const got = inverseFrequencies(dim, theta);
      assert.equal(got.length, want.length);
      const worst = (values: Float32Array) =>
        values.reduce((most, value, i) => Math.max(most, Math.abs(value / want[i]! - 1)), 0);
      assert.ok(worst(got) < 1e-6, key);
      assert.ok(worst(inverseFrequencies(dim, theta * 1.001)) > 1e-5, `${key}: another theta`);
    }
  });
  closeGoldens();
});
