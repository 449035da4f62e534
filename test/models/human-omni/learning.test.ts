// A step of the method on the tiny HumanOmni: directional finite differences for every part that learns, micro-batches, layers
// computed again, zero views, masks that change nothing; and a cold start whose questions share a clip.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { HumanOmni } from "../../../src/models/human-omni/human-omni.ts";
import type { ClipRows, ModelPrompt } from "../../../src/models/omni-model.ts";
import { accumulateGradients } from "../../../src/rl/gradients.ts";
import type { TrainGroup } from "../../../src/rl/plan.ts";
import { defaultStepOptions, type StepOptions } from "../../../src/rl/step-options.ts";
import { viewSelectors } from "../../../src/rl/views.ts";
import { resolveConfig } from "../../../src/run/config.ts";
import { grad, indices, noGrad, numLiveTensors, scope, type Tensor, tensor } from "../../../src/tensor/index.ts";
import { trainSchema } from "../../../src/train/config.ts";
import { openPolicy, type PolicyOptions } from "../../../src/train/policy.ts";
import { type SftExample, sftGradients } from "../../../src/train/sft.ts";
import { scoredRollout } from "../../support/rollouts.ts";
import { oppoOptions } from "../../support/step-world.ts";
import { stripes, tinyDirectory, tinyHumanOmni } from "./tiny.ts";

const ORDER_TOLERANCE = 2e-5;
const DIFFERENCE_TOLERANCE = 0.01;
const MISTAKE = 1e-3;

interface World {
  readonly policy: HumanOmni;
  readonly reference: HumanOmni;
}

const questions = ["What does the person feel, and why?", "How does the voice sound?", "Is there a smile?"];
const answers = ["<think>a smile</think><answer>happy</answer>", "no", "the voice is loud", "yes", "sad"];

/** Rows of a clip, or of a masked one, cut from the towers' graph as training cuts them. */
class CutRows {
  readonly #cuts: { readonly whole: Tensor; readonly leaf: Tensor }[] = [];

  rows(model: HumanOmni, pace: number, masked: "video" | "audio" | "both" | null): ClipRows {
    const touched = masked === "both" ? (["video", "audio"] as const) : masked === null ? [] : ([masked] as const);
    const masks = touched.map((modality) => ({ modality, ratio: 0.7, seed: pace }));
    const { video, audio } = model.encode([model.features(model.fitClip(stripes(pace)), masks)])[0]!;
    const cut = (whole: Tensor): Tensor => {
      const leaf = whole.detach();
      leaf.requiresGrad = true;
      this.#cuts.push({ whole, leaf });
      return leaf;
    };
    return { video: cut(video!), audio: cut(audio!), [Symbol.dispose]() {} };
  }

  backward(): void {
    for (const { whole, leaf } of this.#cuts) if (leaf.grad !== null && whole.requiresGrad) whole.backward(leaf.grad);
  }
}

/** Three prompts with other questions, rollouts, evidence of one modality, of both, of none. */
function groupsOf(
  { policy }: World,
  rowsOf: (pace: number, masked: "video" | "audio" | "both" | null) => ClipRows,
  isMasked: boolean,
): TrainGroup[] {
  const rollout = (text: string) => {
    const ids = Int32Array.of(...policy.encodeText(text), policy.stopIds[0]!);
    const logprobs = Float32Array.from(ids, (id, t) => -7.1 - 0.3 * Math.sin(id + t));
    return { ids, logprobs, pieces: [...ids].map(String), text, truncated: false };
  };
  const rollouts = [
    [scoredRollout(rollout(answers[0]!), 0.9, { video: [1, 2] }), scoredRollout(rollout(answers[1]!), -0.9)],
    [
      scoredRollout(rollout(answers[2]!), 1.1, { video: [0], audio: [1, 2] }),
      scoredRollout(rollout(answers[3]!), -0.3, { audio: [0] }),
    ],
    [scoredRollout(rollout(answers[4]!), 0.4)],
  ];
  return questions.map((question, i) => {
    const shape = policy.features(policy.fitClip(stripes(i + 1)));
    const tokens = policy.promptTokens(question, shape);
    const pair = (masked: "video" | "audio" | "both" | null) => ({
      policy: { tokens, rows: rowsOf(i + 1, isMasked ? masked : null) },
    });
    return {
      prompt: pair(null),
      masked: { video: pair("video"), audio: pair("audio"), both: pair("both") },
      rollouts: rollouts[i]!,
    };
  });
}

interface Step {
  readonly metrics: Record<string, number>;
  readonly gradients: Map<string, Float64Array>;
}

function stepOf(world: World, options: StepOptions, isMasked = true): Step {
  const { policy, reference } = world;
  for (const parameter of policy.parameters().values()) parameter.grad = null;
  return scope(() => {
    const cut = new CutRows();
    const groups = groupsOf(world, (pace, masked) => cut.rows(policy, pace, masked), isMasked);
    const metrics = accumulateGradients({ policy, reference }, groups, options).values() as unknown as Record<
      string,
      number
    >;
    cut.backward();
    const gradients = new Map<string, Float64Array>();
    for (const [name, { grad: own }] of policy.parameters())
      if (own !== null) gradients.set(name, Float64Array.from(own.toNumbers()));
    return { metrics, gradients };
  });
}

/** Of the largest entry of all gradients. */
function difference(a: Step, b: Step): number {
  assert.deepEqual([...a.gradients.keys()], [...b.gradients.keys()]);
  let [worst, largest] = [0, 0];
  for (const [name, own] of a.gradients) {
    own.forEach((value, i) => {
      worst = Math.max(worst, Math.abs(value - b.gradients.get(name)![i]!));
      largest = Math.max(largest, Math.abs(value));
    });
  }
  return worst / largest;
}

function worldTest(name: string, body: (world: World) => void): void {
  test(name, () => {
    const before = numLiveTensors();
    scope(() => {
      using policy = tinyHumanOmni(1);
      using reference = tinyHumanOmni(2);
      for (const parameter of policy.parameters().values()) parameter.requiresGrad = true;
      body({ policy, reference });
      for (const parameter of policy.parameters().values()) parameter.grad = null;
    });
    assert.equal(numLiveTensors(), before, "tensors left alive");
  });
}

/** Parts that learn apart. */
function partsOf({ policy }: World): Map<string, string[]> {
  const parts = new Map<string, string[]>();
  for (const name of policy.parameters().keys()) {
    const part = `${policy.partOf(name)}${policy.isProjector(name) ? " projector" : ""}`;
    parts.set(part, [...(parts.get(part) ?? []), name]);
  }
  return parts;
}

worldTest("the whole OPPO loss matches finite differences along the gradient of every part", (world) => {
  const { policy } = world;
  const { gradients } = stepOf(world, oppoOptions);
  const parts = partsOf(world);
  assert.deepEqual([...parts.keys()].sort(), [
    "audio tower",
    "audio tower projector",
    "gate projector",
    "language model",
    "question encoder",
    "vision tower",
    "vision tower projector",
  ]);
  for (const [part, names] of parts) {
    const norm = Math.sqrt(
      names.reduce((sum, name) => sum + (gradients.get(name)?.reduce((own, value) => own + value * value, 0) ?? 0), 0),
    );
    assert.ok(norm > 0, `${part} has a gradient`);
    const directions = names.flatMap((name) => {
      const own = gradients.get(name);
      return own === undefined ? [] : [[policy.parameters().get(name)!, own.map((value) => value / norm)] as const];
    });
    const lossAt = (shift: number): number => {
      const move = (by: number) =>
        noGrad(() =>
          scope(() => {
            for (const [parameter, direction] of directions)
              parameter.add_(
                tensor(
                  Float32Array.from(direction, (d) => d * by),
                  parameter.shape,
                ),
              );
          }),
        );
      move(shift);
      const { loss } = stepOf(world, oppoOptions).metrics;
      move(-shift);
      return loss!;
    };
    // A change of the loss that float32 can tell, and that is small beside its curvature.
    const step = Math.min(0.02, 0.001 / norm);
    const slope = (lossAt(step) - lossAt(-step)) / (2 * step);
    assert.ok(Math.abs(slope - norm) <= DIFFERENCE_TOLERANCE * norm, `${part}: slope ${slope}, gradient ${norm}`);
  }
});

worldTest("micro-batches, chunks and layers computed again do not change the result", (world) => {
  const whole = stepOf(world, oppoOptions);
  const changes: Partial<StepOptions>[] = [
    { promptsPerMicroBatch: 1 },
    { promptsPerMicroBatch: 2 },
    { tokensPerChunk: 3 },
    { viewPasses: "one" },
    { recomputes: true },
  ];
  for (const change of changes) {
    const split = stepOf(world, { ...oppoOptions, ...change });
    assert.ok(difference(whole, split) < ORDER_TOLERANCE, `${JSON.stringify(change)}: ${difference(whole, split)}`);
    for (const [name, value] of Object.entries(whole.metrics)) {
      const got = split.metrics[name]!;
      assert.ok(
        Math.abs(got - value) <= ORDER_TOLERANCE * Math.max(1, Math.abs(value)),
        `${name} ${JSON.stringify(change)}: ${got} ${value}`,
      );
    }
  }
  assert.ok(difference(whole, stepOf(world, { ...oppoOptions, anchorWeight: 0 })) > MISTAKE, "another loss shows");
});

worldTest("zero views are exactly GRPO", (world) => {
  const { policy, reference } = world;
  const none = stepOf(world, { ...oppoOptions, views: viewSelectors.none });
  const weightless = { ...oppoOptions, anchorWeight: 0, perception: { ...oppoOptions.perception, weight: 0 } };
  assert.equal(difference(none, stepOf(world, weightless)), 0);
  assert.ok(difference(none, stepOf(world, oppoOptions)) > MISTAKE, "views show");
  const plain = scope(() => {
    const groups = groupsOf(world, (pace) => policy.encode([policy.features(policy.fitClip(stripes(pace)))])[0]!, true);
    const rollouts = groups.flatMap(({ prompt, rollouts: own }) =>
      own.map((scored) => ({ prompt: prompt.policy, scored })),
    );
    let loss = tensor(Float32Array.of(0));
    for (const { prompt, scored } of rollouts) {
      const { ids, logprobs: sampled } = scored.rollout;
      const logprobs = (model: HumanOmni) =>
        model
          .logits(model.hidden([prompt], [[ids]]).select(0, 0))
          .logSoftmax(-1)
          .gather(-1, indices(ids, [ids.length, 1]))
          .view([-1]);
      const current = logprobs(policy);
      const d = noGrad(() => logprobs(reference)).sub(current);
      const ratio = current.sub(tensor(sampled)).exp();
      const surrogate = ratio.mul(scored.advantage).minimum(ratio.clamp({ min: 0.8, max: 1.2 }).mul(scored.advantage));
      loss = loss.sub(
        surrogate
          .sub(d.exp().sub(d).sub(1).mul(0.04))
          .mean()
          .mul(1 / rollouts.length),
      );
    }
    const named = [...policy.parameters()].filter(([name]) => none.gradients.has(name));
    const all = grad(
      [loss.sum()],
      named.map(([, parameter]) => parameter),
    );
    return {
      metrics: {},
      gradients: new Map(named.map(([name], i) => [name, Float64Array.from(all[i]!.toNumbers())])),
    };
  });
  assert.ok(difference(none, plain) < ORDER_TOLERANCE, String(difference(none, plain)));
});

worldTest("a mask that changes nothing has divergence 0 and no perception gradient", (world) => {
  const without = { ...oppoOptions, anchorWeight: 0 };
  const same = stepOf(world, without, false);
  assert.ok(same.metrics["omni/kl_max"]! < 1e-6);
  assert.ok(difference(stepOf(world, { ...without, views: viewSelectors.none }), same) < ORDER_TOLERANCE);
  assert.ok(stepOf(world, without).metrics["omni/kl_max"]! > 1e-6);
  const start = { ...world, reference: world.policy };
  const { kl } = stepOf(start, defaultStepOptions).metrics;
  assert.ok(Math.abs(kl!) < 1e-6, `the start is no distance from itself: ${kl}`);
});

test("questions about one clip learn together as they learn apart: each sees the clip by its own gate", () => {
  scope(() => {
    using model = tinyHumanOmni(1);
    for (const parameter of model.parameters().values()) parameter.requiresGrad = true;
    const shape = model.features(model.fitClip(stripes(1)));
    const rows = noGrad(() => model.encode([shape])[0]!);
    const example = (question: string, answer: string): SftExample => {
      const target = model.encodeText(answer);
      const prompt: ModelPrompt = { tokens: model.promptTokens(question, shape), rows };
      return { prompt, target, weights: new Float32Array(target.length).fill(1) };
    };
    const all = questions
      .map((question, i) => example(question, answers[i]!))
      .concat(example(questions[0]!, answers[3]!));
    const run = (batch: readonly (readonly SftExample[])[]): Step => {
      for (const parameter of model.parameters().values()) parameter.grad = null;
      const loss = sftGradients(model, batch);
      const gradients = new Map<string, Float64Array>();
      for (const [name, { grad: own }] of model.parameters())
        if (own !== null) gradients.set(name, Float64Array.from(own.toNumbers()));
      return { metrics: { loss }, gradients };
    };
    const together = run([all]);
    const apart = run(all.map((one) => [one]));
    assert.ok(Math.abs(together.metrics.loss! - apart.metrics.loss!) < ORDER_TOLERANCE);
    assert.ok(difference(together, apart) < ORDER_TOLERANCE);
    assert.ok(
      together.gradients.has("model.bert_gate.0.weight") &&
        together.gradients.has("model.bert_model.encoder.layer.0.intermediate.dense.weight"),
    );
    const wrong = all.map((one) => ({
      ...one,
      prompt: { ...one.prompt, tokens: { ...one.prompt.tokens, lens: "all alike" } },
    }));
    assert.ok(Math.abs(run([wrong]).metrics.loss! - together.metrics.loss!) > 1e-6, "one gate for all shows");
    for (const parameter of model.parameters().values()) parameter.grad = null;
  });
});

test("what a training may change: decoder, projectors, the gate, the question's encoder, towers", async () => {
  const { directory, remove } = tinyDirectory(1);
  try {
    const open = async (change: Record<string, unknown>) => {
      using opened = await openPolicy({
        ...resolveConfig(trainSchema, {}),
        model: directory,
        ...change,
      } as PolicyOptions);
      const roots = new Set([...opened.trainable.keys()].map((name) => name.split(".")[1]));
      return { roots: [...roots].sort(), trainsTowers: opened.trainsTowers };
    };
    const decoder = ["embed_tokens", "layers", "norm"];
    assert.deepEqual(await open({}), { roots: decoder, trainsTowers: false });
    const projectors = ["audio_projector", "mm_projector"];
    const full = (...parts: string[]) => ({ trainable: "full", parts });
    assert.deepEqual(await open(full("projector")), { roots: projectors, trainsTowers: true });
    assert.deepEqual(await open(full("gate")), { roots: ["bert_gate"], trainsTowers: false });
    assert.deepEqual(await open(full("question")), { roots: ["bert_model"], trainsTowers: false });
    assert.deepEqual(await open(full("decoder", "projector")), {
      roots: [...projectors, ...decoder].sort(),
      trainsTowers: true,
    });
    assert.deepEqual((await open(full("towers"))).roots, ["audio_tower", "vision_tower"]);
  } finally {
    remove();
  }
});
