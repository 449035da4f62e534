// The cold start and the method on a very small theatre: what is shared gives the same numbers, four examples can be
// learned by heart, a seed gives the same run bit for bit, and a run that was stopped goes on as if it had not been.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ClipLibrary } from "../../src/corpus/clip-library.ts";
import type { FittedSample } from "../../src/corpus/fitted-samples.ts";
import { theatreEmbedder, theatreEmotionScore, theatrePrompt } from "../../src/corpus/theatre-setting.ts";
import { sceneOf } from "../../src/data/theatre/sample-scene.ts";
import { drawProbe, reasoningQuestion } from "../../src/data/theatre/script.ts";
import { loadModel, type Thinker } from "../../src/models/index.ts";
import { createRandom } from "../../src/random.ts";
import { responseText } from "../../src/recipes/demo/theatre-examples.ts";
import { resolveConfig } from "../../src/run/config.ts";
import { type Interrupt, InterruptedError } from "../../src/run/interrupt.ts";
import { readStepLog } from "../../src/run/metrics.ts";
import { noGrad, numLiveTensors, scope, type Tensor } from "../../src/tensor/index.ts";
import { trainSchema } from "../../src/train/config.ts";
import { trainGrpo } from "../../src/train/grpo.ts";
import { trainableParameters } from "../../src/train/policy.ts";
import { type PresetName, presets } from "../../src/train/presets.ts";
import { type SftExample, sftLoss, sftSteps } from "../../src/train/sft.ts";
import { fitAll, type SmallTheatre, smallTheatre } from "../support/small-theatre.ts";

/** Of float32 sums in another order. */
const roundingTolerance = 1e-5;

/** Of losses that differ in what is learned. */
const clearDifference = 1e-2;

/** The cold start is stopped here for the method's tests: it has the format and still makes mistakes. */
const warmSteps = 32;
const overfitSteps = 90;

let theatre: SmallTheatre;
let fitted: FittedSample[];
/** Directory of a model that was trained for `warmSteps`. */
let warm: string;
let overfit: { readonly first: number; readonly last: number; readonly answers: string[]; readonly wanted: string[] };

before(async () => {
  theatre = await smallTheatre(4);
  warm = join(theatre.root, "warm");
  using model = loadModel(theatre.freshModel(1));
  fitted = await fitAll(theatre, model);
  using library = new ClipLibrary(model);
  library.add(fitted);
  overfit = learnByHeart(model, library);
});
after(() => theatre[Symbol.dispose]());

/** The annotated reasoning and one probe per clip, the same at every step. */
function examples(model: Thinker, library: ClipLibrary): SftExample[][] {
  return fitted.map(({ sample }, i) => {
    const example = (question: string, think: string, answer: string): SftExample => {
      const text = model.encodeText(responseText(think, answer));
      return {
        prompt: library.prompt(sample.id, theatrePrompt(sample, question)),
        target: Int32Array.from([...text, model.stopIds[0]!]),
        weights: Float32Array.from({ length: text.length + 1 }, (_, t) => 1 + (t % 3)),
      };
    };
    const probe = drawProbe(sceneOf(sample), i % 2 === 0 ? "video" : "audio", createRandom(i));
    return [
      example(reasoningQuestion, sample.reasoning, sample.labels.join(", ")),
      example(probe.question, probe.think, probe.answer),
    ];
  });
}

function learnByHeart(model: Thinker, library: ClipLibrary): typeof overfit {
  const batch = examples(model, library);
  const trained = trainable(model);
  const losses: number[] = [];
  const options = {
    steps: overfitSteps,
    learningRate: 4e-3,
    warmupSteps: 10,
    learningRateFloor: 0.1,
    weightDecay: 0,
    betas: [0.9, 0.98] as const,
    maxGradNorm: 1,
  };
  for (const { loss } of sftSteps(model, [...trained.values()], () => batch, options)) {
    losses.push(loss);
    if (losses.length === warmSteps) model.save(warm);
  }
  const prompts = batch.flat();
  const completions = scope(() =>
    noGrad(() =>
      model.sample(
        prompts.map(({ prompt }) => prompt),
        { numSamples: 1, maxNewTokens: 64, temperature: 0 },
      ),
    ),
  );
  const textOf = (ids: Int32Array) => model.decodePieces(ids).join("");
  return {
    first: losses[0]!,
    last: losses.at(-1)!,
    answers: completions.map(([completion]) => textOf(completion!.ids)),
    wanted: prompts.map(({ target }) => textOf(target)),
  };
}

function trainable(model: Thinker): ReadonlyMap<string, Tensor> {
  const parameters = trainableParameters(model);
  for (const parameter of parameters.values()) parameter.requiresGrad = true;
  return parameters;
}

describe("cold start", () => {
  test("learns four clips with their probes by heart, word for word", () => {
    assert.equal(overfit.answers.length, 8);
    assert.deepEqual(overfit.answers, overfit.wanted);
    assert.ok(overfit.first > 4, `starts at ${overfit.first}`);
    assert.ok(overfit.last < 0.02, `ends at ${overfit.last}`);
  });

  test("examples that share a prefix have the loss and the gradient of examples that do not", () => {
    using model = loadModel(warm);
    using library = new ClipLibrary(model);
    library.add(fitted);
    const parameters = trainable(model);
    const shared = examples(model, library);
    const lossOf = (batch: readonly (readonly SftExample[])[]) =>
      scope(() => {
        const loss = sftLoss(model, batch);
        loss.backward();
        const norms = [...parameters.values()].map((parameter) => Math.sqrt(parameter.grad!.pow(2).sum().item()));
        for (const parameter of parameters.values()) parameter.grad = null;
        return [loss.item(), ...norms];
      });
    const apart = shared.flat().map((example) => [example]);
    const [together, alone] = [lossOf(shared), lossOf(apart)];
    assert.ok(together.length > 20);
    for (const [i, value] of together.entries()) {
      assert.ok(Math.abs(value - alone[i]!) <= roundingTolerance * Math.max(1, value), `${i}: ${value} ${alone[i]}`);
    }
    // negative control: one other token to learn is another loss
    const [[head], ...rest] = apart as [[SftExample], ...SftExample[][]];
    const target = head.target.map((id, t) => (t === 0 ? id + 1 : id));
    const changed = lossOf([[{ ...head, target }], ...rest]);
    assert.ok(Math.abs(changed[0]! - together[0]!) > clearDifference, `${changed[0]} ${together[0]}`);
  });
});

/** A stop request before the step of this number (counted over the run); never for null. */
function interruptAt(step: number | null): Interrupt {
  let numCalls = 0;
  return {
    signal: new AbortController().signal,
    request: () => undefined,
    async safePoint() {
      if (numCalls++ === step) throw new InterruptedError();
    },
    [Symbol.dispose]: () => undefined,
  };
}

interface RunOptions {
  readonly preset?: PresetName;
  readonly overrides?: readonly string[];
  readonly steps?: number;
  readonly stopAt?: number | null;
  /** Of the reference; the policy's by default. */
  readonly reference?: string;
}

/** Trains into a folder. @returns its metrics without times, and a digest of the parameters afterwards. */
async function train(name: string, options: RunOptions = {}) {
  const { preset = "oppo", overrides = [], steps = 3, stopAt = null, reference: start = warm } = options;
  const directory = join(theatre.root, name);
  mkdirSync(directory, { recursive: true });
  using policy = loadModel(warm);
  using reference = loadModel(start);
  using library = new ClipLibrary(policy);
  library.add(fitted);
  const parameters = trainable(policy);
  const shared = ["promptsPerStep=3", "warmupSteps=0", "maxNewTokens=48", "learningRate=2e-4", "checkpointEvery=50"];
  const config = resolveConfig(trainSchema, {
    preset: presets[preset].config,
    overrides: [...shared, `steps=${steps}`, ...overrides],
  });
  await trainGrpo({
    config,
    policy,
    reference,
    trainable: parameters,
    library,
    samples: fitted.map(({ sample }) => sample),
    promptText: (sample) => theatrePrompt(sample),
    embedder: theatreEmbedder(),
    emotionScore: theatreEmotionScore,
    directory,
    interrupt: interruptAt(stopAt),
  });
  const metrics = readStepLog(join(directory, "metrics.jsonl")).map(
    (row) =>
      Object.fromEntries(
        Object.entries(row).filter(([key]) => !key.startsWith("timing_s/") && key !== "step_time"),
      ) as Record<string, number>,
  );
  const rollouts = readStepLog(join(directory, "rollouts.jsonl"));
  const digest = createHash("sha256");
  for (const parameter of parameters.values()) digest.update(parameter.toFloat32Array());
  const weights = digest.digest("hex");
  return { metrics, rollouts, weights };
}

describe("trainGrpo", () => {
  test("a seed gives the same run bit for bit, another seed another run, and nothing leaks", async () => {
    const live = numLiveTensors();
    const first = await train("seed-a");
    assert.equal(numLiveTensors(), live);
    const same = await train("seed-b");
    assert.equal(first.metrics.length, 3);
    for (const row of first.metrics) {
      assert.ok(row.reward_std! > 0, "the rollouts of a prompt differ in reward, so there is something to learn");
      assert.ok(row["omni/frac_rollouts_with_evidence"]! > 0, "some rollouts own evidence tokens");
      assert.ok(row["omni/kl_video"]! > 0, "masking the video changes the distribution of some of them");
    }
    assert.deepEqual(same, first);
    const other = await train("seed-c", { overrides: ["seed=1"] });
    assert.notDeepEqual(other.rollouts, first.rollouts);
    assert.notDeepEqual(other.weights, first.weights);
  });

  test("a run that was stopped goes on as if it had not been", async () => {
    const whole = await train("whole");
    await assert.rejects(train("stopped", { stopAt: 2 }), InterruptedError);
    assert.equal(readStepLog(join(theatre.root, "stopped", "metrics.jsonl")).length, 2);
    const resumed = await train("stopped");
    assert.deepEqual(resumed, whole);
    const again = await train("stopped");
    assert.deepEqual(again, whole, "a finished run has nothing to do");
    const shorter = await train("shorter", { steps: 2 });
    assert.notDeepEqual(shorter.weights, whole.weights, "the third step changes the weights");
  });

  test("every preset makes a step, with the views that it names", async () => {
    const view = (row: Record<string, number>) =>
      ["video", "audio", "both"].filter((name) => (row[`omni/kl_${name}`] ?? 0) > 0);
    const expected: Record<PresetName, string[]> = {
      baseline: [],
      "reward-only": [],
      papo: ["both"],
      "papo-dual": ["video", "audio"],
      oppo: ["video", "audio"],
      "oppo-paper": ["video", "audio"],
    };
    for (const preset of Object.keys(presets) as PresetName[]) {
      const { metrics, rollouts } = await train(`preset-${preset}`, { preset, steps: 1 });
      const [row] = metrics;
      assert.deepEqual(view(row!), expected[preset], preset);
      assert.ok(row!.grad_norm! > 0 && Number.isFinite(row!.loss!), preset);
      assert.equal(row!["optim/skipped_steps"], 0, preset);
      assert.equal(row!.kl, 0, `${preset}: the policy starts from its reference`);
      assert.equal(rollouts.length, 3, preset);
    }
  });

  test("OPPO without its weights is the reward alone", async () => {
    const off = ["perception.perceptionLossWeight=0", "perception.anchorWeight=0"];
    const { weights: expected } = await train("reward", { preset: "reward-only", steps: 2 });
    const { weights } = await train("oppo-off", { overrides: off, steps: 2 });
    assert.deepEqual(weights, expected);
    // negative control: each weight alone changes the step
    for (const [i, kept] of off.entries()) {
      const { weights: other } = await train(`oppo-${i}`, { overrides: off.filter((item) => item !== kept), steps: 2 });
      assert.notDeepEqual(other, expected, `without ${kept}`);
    }
  });

  test("stops before the first update when the reference is another model", async () => {
    await assert.rejects(
      train("elsewhere", { reference: theatre.freshModel(2) }),
      (error: Error & { code: string }) => {
        assert.equal(error.code, "ERR_REFERENCE_KL");
        assert.match(error.message, /step 0: expected a KL to the reference of 0/);
        return true;
      },
    );
    assert.deepEqual(readStepLog(join(theatre.root, "elsewhere", "metrics.jsonl")), []);
  });
});
