// The real topology against Hugging Face's activations, gradients and greedy tokens; every family has a negative control.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { generate } from "../../../src/models/decoder/generate.ts";
import { runPrompts } from "../../../src/models/decoder/language.ts";
import { encodeAudio, sinusoids } from "../../../src/models/qwen-omni/audio-tower.ts";
import { type Checkpoint, readCheckpoint } from "../../../src/models/qwen-omni/checkpoint.ts";
import type { ThinkerConfig, VisionConfig } from "../../../src/models/qwen-omni/config/config.ts";
import type { Grid } from "../../../src/models/qwen-omni/layout.ts";
import { windowPlan } from "../../../src/models/qwen-omni/vision-tower.ts";
import { noGrad, numLiveTensors, op, scope, type Tensor } from "../../../src/tensor/index.ts";
import { onDevice, onHost, testDevice } from "../../support/device.ts";
import { sharedPath } from "../../support/shared.ts";
import {
  caseIndex,
  closeGoldens,
  type GoldenCase,
  goldenLanguage,
  goldenPrompts,
  openCase,
  openGolden,
  type Parameters,
  relativeError,
  visionRows,
  worstError,
} from "./golden.ts";

/** Of the tensor's largest value; float32 on CPU, across libtorch versions. */
const ACTIVATION_TOLERANCE = 2e-5;
/** A mistake is at least this much worse. */
const MISTAKE = 50 * ACTIVATION_TOLERANCE;
const LOSS_TOLERANCE = 1e-5;
const NORM_TOLERANCE = 2e-4;
/** Gradients below this share of the global norm are rounding noise around an exact zero. */
const NOISE_SHARE = 1e-3;
/** Of a gradient's largest value. */
const GRADIENT_TOLERANCE = 2e-3;
const GRADIENT_NOISE_SHARE = 1e-5;
/** Mean relative difference between bfloat16 builds. */
const HALF_TOLERANCE = 0.01;
const GREEDY_TOKENS = 12;

const root = sharedPath("golden/qwen-omni");
let loaded: Checkpoint | null = null;

function checkpoint(): Checkpoint {
  loaded ??= readCheckpoint(path.join(root!, "omni"), { device: testDevice });
  return loaded;
}

interface Skips {
  skip(message: string): void;
}

/** Runs a body with the golden checkpoint, without gradients, and checks that it leaves no tensor behind. */
function withGolden(t: Skips, body: (root: string, checkpoint: Checkpoint) => void): void {
  if (!root) {
    t.skip("golden/qwen-omni is absent");
    return;
  }
  const model = checkpoint();
  const before = numLiveTensors();
  noGrad(() => scope(() => body(root, model)));
  closeGoldens();
  assert.equal(numLiveTensors(), before);
}

/** The same for what only the whole of the goldens has. */
function withPart(t: Skips, part: string, body: (root: string, checkpoint: Checkpoint) => void): void {
  if (root && !existsSync(path.join(root, part))) {
    t.skip(`golden/qwen-omni/${part} is absent`);
    return;
  }
  withGolden(t, body);
}

/** The parameters with one of them zeroed. */
function without(parameters: Parameters, name: string): Parameters {
  assert.ok(parameters.has(name), name);
  return new Map([...parameters].map(([key, value]) => [key, key === name ? op.zerosLike(value) : value]));
}

function eachCase(base: string, config: ThinkerConfig, body: (golden: GoldenCase) => void): number {
  const index = caseIndex(base);
  for (const [name, info] of Object.entries(index)) scope(() => body(openCase(base, name, config, info)));
  return Object.keys(index).length;
}

function hiddenOf(golden: GoldenCase, parameters: Parameters, config: ThinkerConfig): Tensor {
  return runPrompts(goldenLanguage(parameters, config), goldenPrompts(golden, parameters, config));
}

test("hidden states and logits of every case", (t) =>
  withGolden(t, (base, { parameters, config }) => {
    const numCases = eachCase(base, config, (golden) => {
      const hidden = hiddenOf(golden, parameters, config);
      const logits = op.linear(hidden, parameters.get("lm_head.weight")!);
      const { file, samples, name } = golden;
      assert.ok(worstError(hidden, file.tensor("out.hidden_3"), samples) < ACTIVATION_TOLERANCE, `${name} hidden`);
      assert.ok(worstError(logits, file.tensor("out.logits"), samples) < ACTIVATION_TOLERANCE, `${name} logits`);
    });
    // The committed part has three, what the generator makes twenty-two.
    assert.ok([3, 16, 22].includes(numCases), `${numCases} cases`);
  }));

test("the language model's mistakes show", (t) =>
  withGolden(t, (base, { parameters, config }) => {
    const info = caseIndex(base);
    const errorOf = (
      name: string,
      changed: Parameters,
      text: Partial<ThinkerConfig["text"]>,
      change = (g: GoldenCase) => g,
    ) => {
      const altered = { ...config, text: { ...config.text, ...text } };
      const golden = change(openCase(base, name, altered, info[name]!));
      return worstError(hiddenOf(golden, changed, altered), golden.file.tensor("out.hidden_3"), golden.samples);
    };
    const video = info.audio_video_separate ? "audio_video_separate" : "use_audio_in_video";
    const bias = "model.layers.1.self_attn.q_proj.bias";
    assert.ok(errorOf(video, parameters, {}) < ACTIVATION_TOLERANCE);
    assert.ok(errorOf(video, parameters, { ropeSections: [3, 3, 2] }) > MISTAKE, "rope axes");
    assert.ok(errorOf(video, parameters, { ropeTheta: 10000 }) > MISTAKE, "rope theta");
    assert.ok(errorOf(video, without(parameters, bias), {}) > MISTAKE, "missing bias");
    // Pads read as text: the shorter row of a left-padded batch must change.
    const unmasked = (golden: GoldenCase): GoldenCase => {
      const ids = golden.file.tensor("in.input_ids");
      const samples = golden.samples.map((sample, b) => ({
        ...sample,
        padding: 0,
        ids: ids.select(0, b).toInt32Array(),
      }));
      return { ...golden, samples };
    };
    assert.ok(errorOf("batch2_text_pad", parameters, {}, unmasked) > MISTAKE, "unmasked padding");
  }));

test("embedded prompts: media rows stand where their placeholders are", (t) =>
  withGolden(t, (base, { parameters, config }) => {
    eachCase(base, config, (golden) => {
      const prompts = goldenPrompts(golden, parameters, config);
      const want = golden.file.tensor("out.inputs_embeds");
      golden.samples.forEach(({ ids, padding }, b) => {
        const placed = [[config.ids.image, config.ids.video], [config.ids.audio]].map((own) =>
          Array.from(ids.keys()).filter((i) => own.includes(ids[i]!)),
        );
        const { media } = prompts[b]!;
        assert.deepEqual(
          media.map(({ places }) => places),
          placed.filter((places) => places.length > 0),
          golden.name,
        );
        for (const { places, rows: tower } of media) {
          const rows = op.stack(places.map((i) => want.select(0, b).select(0, padding + i)));
          assert.ok(relativeError(tower, rows) < ACTIVATION_TOLERANCE, golden.name);
          assert.ok(relativeError(tower.flip([0]), rows) > MISTAKE, `${golden.name}: order`);
        }
      });
    });
  }));

test("audio tower: lengths, chunks and pairs", (t) =>
  withPart(t, "audio", (base, { parameters, config }) => {
    const file = openGolden(base, "audio/audio.safetensors");
    const lengths = [...file.entries.keys()]
      .filter((key) => key.startsWith("feat_"))
      .map((key) => Number(key.slice(5)));
    assert.ok(lengths.length > 5);
    const input = (feature: Tensor, numFrames = feature.size(1)) => ({ mel: feature.toFloat32Array(), numFrames });
    for (const length of lengths) {
      const got = encodeAudio(parameters, config.audio, [input(file.tensor(`feat_${length}`))]);
      assert.ok(relativeError(got, file.tensor(`out_${length}`)) < ACTIVATION_TOLERANCE, `${length} frames`);
    }
    const frames = file.tensor("pair_lens").toInt32Array();
    const features = file.tensor("pair_feat").splitWithSizes([...frames], { dim: 1 });
    const pair = features.map((feature) => input(feature.contiguous()));
    const want = file.tensor("pair_out");
    assert.ok(relativeError(encodeAudio(parameters, config.audio, pair), want) < ACTIVATION_TOLERANCE);
    const mistakes: [string, Parameters, ThinkerConfig["audio"]][] = [
      ["chunk length", parameters, { ...config.audio, windowFrames: 50 }],
      ["heads", parameters, { ...config.audio, numHeads: 2 }],
      ["v bias", without(parameters, "audio_tower.layers.0.self_attn.v_proj.bias"), config.audio],
      ["conv bias", without(parameters, "audio_tower.conv1.bias"), config.audio],
    ];
    for (const [what, changed, audio] of mistakes)
      assert.ok(relativeError(encodeAudio(changed, audio, pair), want) > MISTAKE, what);
  }));

test("audio positions are Whisper's sinusoids", (t) =>
  withGolden(t, (base) => {
    const want = openGolden(base, "buffers.safetensors").tensor("audio_positional_embedding_first200");
    const SINUSOID_TOLERANCE = 3e-5;
    assert.ok(relativeError(sinusoids(200, 64, testDevice), want) < SINUSOID_TOLERANCE);
    assert.ok(relativeError(sinusoids(200, 64, testDevice).roll(1, { dims: 0 }), want) > MISTAKE);
  }));

test("vision tower: windows, frames and their order", (t) =>
  withPart(t, "vision", (base, { parameters, config }) => {
    const file = openGolden(base, "vision/vision.safetensors");
    const entries = JSON.parse(readFileSync(path.join(base, "vision/vision.json"), "utf8")) as {
      kind: string;
      i: number;
      grid: Grid[];
    }[];
    const encoders = entries.filter(({ kind }) => kind === "vision_encoder");
    assert.ok([4, 7].includes(encoders.length), `${encoders.length} grids`); // --compact leaves the largest out
    const outputs = ({ i, grid }: { i: number; grid: Grid[] }, vision: VisionConfig, changed = parameters) => {
      const pixels = file.tensor(`ve_px_${i}`);
      let start = 0;
      const inputs = grid.map((one) => {
        const rows = one[0] * one[1] * one[2];
        start += rows;
        return { patches: pixels.narrow(0, start - rows, rows).toFloat32Array(), grid: one };
      });
      return relativeError(visionRows(changed, vision, inputs), file.tensor(`ve_out_${i}`));
    };
    for (const entry of encoders) {
      assert.ok(outputs(entry, config.vision) < ACTIVATION_TOLERANCE, `grid ${entry.grid}`);
      const plan = windowPlan(entry.grid, config.vision);
      assert.deepEqual(plan.order, file.tensor(`ve_window_index_${entry.i}`).toInt32Array());
      let end = 0;
      const borders = [0, ...plan.windows.map((patches) => (end += patches))];
      assert.deepEqual(borders, file.tensor(`ve_cu_window_${entry.i}`).toNumbers());
    }
    const wide = encoders.at(-1)!;
    assert.ok(outputs(wide, { ...config.vision, windowSize: 56 }) > MISTAKE, "window size");
    assert.ok(outputs(wide, { ...config.vision, fullAttentionBlocks: [0, 2] }) > MISTAKE, "full blocks");
    assert.ok(outputs(wide, config.vision, without(parameters, "visual.blocks.2.attn.v.bias")) > MISTAKE, "v bias");
    const turned: typeof wide = { ...wide, grid: wide.grid.map(([time, h, w]): Grid => [time, w, h]) };
    assert.ok(outputs(turned, config.vision) > MISTAKE, "rows and columns");
  }));

test("greedy tokens of every case", (t) =>
  withGolden(t, (base, { parameters, config }) => {
    const stopIds = [562, 560];
    eachCase(base, config, (golden) => {
      const prompts = goldenPrompts(golden, parameters, config);
      const options = { numSamples: 1, maxNewTokens: GREEDY_TOKENS, temperature: 0 };
      const language = goldenLanguage(parameters, config);
      const got = generate(language, prompts, options, { stopIds, bannedIds: [] });
      const want = golden.file.tensor("out.generated_nocache");
      got.forEach(([completion], b) => {
        const ids = completion!.ids;
        assert.deepEqual(ids, want.select(0, b).toInt32Array().subarray(0, ids.length), golden.name);
        assert.ok(ids.length === GREEDY_TOKENS || stopIds.includes(ids.at(-1)!), golden.name);
      });
      const first = got[0]![0]!.ids[0]!;
      const banned = generate(language, prompts, options, { stopIds, bannedIds: [first] });
      assert.notEqual(banned[0]![0]!.ids[0], first);
    });
  }));

test("bfloat16 stays as close to the reference's bfloat16 as that is to float32", (t) =>
  withGolden(t, (base, { parameters, config }) => {
    const golden16 = openGolden(base, "bf16.safetensors");
    const half: Parameters = new Map([...parameters].map(([name, value]) => [name, value.to("bfloat16")]));
    const info = caseIndex(base);
    const meanError = (got: Tensor, want: Tensor) => got.sub(want).abs().mean().item() / want.abs().mean().item();
    let numCompared = 0;
    for (const key of golden16.entries.keys()) {
      const name = key.split(".")[0]!;
      const golden = openCase(base, name, config, info[name]!);
      const logits = op.linear(hiddenOf(golden, half, config), half.get("lm_head.weight")!).to("float32");
      golden.samples.forEach(({ padding, ids }, b) => {
        const rows = (all: Tensor) => onHost(all).select(0, b).narrow(0, padding, ids.length).to("float32");
        const want16 = rows(golden16.tensor(key));
        const want32 = rows(golden.file.tensor("out.logits"));
        assert.ok(meanError(rows(logits), want16) < meanError(want16, want32) + HALF_TOLERANCE, name);
        assert.ok(meanError(rows(logits).neg(), want16) > 1, name);
        numCompared++;
      });
    }
    assert.ok(numCompared > 1);
  }));

test("loss and gradients of every parameter", (t) => {
  if (!root) return t.skip("golden/qwen-omni is absent");
  const { parameters, config } = checkpoint();
  const before = numLiveTensors();
  const info = caseIndex(root);
  for (const parameter of parameters.values()) parameter.requiresGrad = true;
  for (const name of ["text_only", "batch2_left_pad", "use_audio_in_video"].filter((key) => info[key])) {
    scope(() => {
      const golden = openCase(root, name, config, info[name]!);
      const want = JSON.parse(readFileSync(path.join(root, `grads/${name}.json`), "utf8")) as GradientNorms;
      const stored = openGolden(root, `grads/${name}.safetensors`);
      const labels = onDevice(stored.tensor("labels"));
      const logits = op.linear(hiddenOf(golden, parameters, config), parameters.get("lm_head.weight")!);
      const length = labels.size(1);
      const loss = op.crossEntropyLoss(
        logits.narrow(1, 0, length - 1).reshape([-1, config.text.vocabSize]),
        labels.narrow(1, 1, length - 1).reshape([-1]),
      );
      loss.backward();
      assert.ok(Math.abs(loss.item() / want.loss - 1) < LOSS_TOLERANCE, name);
      let largest = "";
      const wrong = Object.entries(want.grad_norms).filter(([key, norm]) => {
        const gradient = parameters.get(key)!.grad;
        if (norm === null || gradient === null) return norm !== gradient;
        if (norm > (want.grad_norms[largest] ?? 0)) largest = key;
        const got = gradient.norm().item();
        return Math.abs(got - norm) > NORM_TOLERANCE * Math.max(norm, NOISE_SHARE * want.global_norm);
      });
      assert.deepEqual(wrong, [], name);
      // Only a run of the generator without --compact has them whole.
      for (const key of stored.entries.keys()) {
        if (!key.startsWith("grad.")) continue;
        const gradient = stored.tensor(key);
        if (gradient.norm().item() < GRADIENT_NOISE_SHARE * want.global_norm) continue;
        assert.ok(relativeError(parameters.get(key.slice(5))!.grad!, gradient) < GRADIENT_TOLERANCE, `${name} ${key}`);
      }
      const doubled = 2 * parameters.get(largest)!.grad!.norm().item();
      assert.ok(
        Math.abs(doubled - want.grad_norms[largest]!) > NORM_TOLERANCE * doubled,
        "a wrong gradient would show",
      );
    });
    for (const parameter of parameters.values()) parameter.grad = null;
  }
  for (const parameter of parameters.values()) parameter.requiresGrad = false;
  closeGoldens();
  assert.equal(numLiveTensors(), before);
});

interface GradientNorms {
  readonly loss: number;
  readonly global_norm: number;
  readonly grad_norms: Readonly<Record<string, number | null>>;
}
