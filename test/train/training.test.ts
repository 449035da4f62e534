// The cold start and the method on a very small theatre: what is shared gives the same numbers, four examples can be
// learned by heart, a seed gives the same run bit for bit, and a run that was stopped goes on as if it had not been.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ClipLibrary } from "../../src/corpus/clips/clip-library.ts";
import type { FittedSample } from "../../src/corpus/clips/fitted-samples.ts";
import { reasoningQuestion } from "../../src/data/theatre/script.ts";
import type { ClipRows, OmniModel } from "../../src/models/omni-model.ts";
import { loadModel } from "../../src/models/registry.ts";
import { cosineSchedule } from "../../src/nn/index.ts";
import type { JudgedTerm } from "../../src/rl/rewards/judged.ts";
import { resolveConfig } from "../../src/run/config.ts";
import { InterruptedError } from "../../src/run/interrupt.ts";
import { readStepLog } from "../../src/run/metrics.ts";
import { noGrad, numLiveTensors, scope } from "../../src/tensor/index.ts";
import { trainSchema } from "../../src/train/config.ts";
import { trainGrpo } from "../../src/train/grpo.ts";
import { LiveRows } from "../../src/train/live-rows.ts";
import { openPolicy } from "../../src/train/policy.ts";
import { type PresetName, presets } from "../../src/train/presets.ts";
import { runSteps } from "../../src/train/run-steps.ts";
import { type SftExample, sftGradients, sftObjective } from "../../src/train/sft.ts";
import { fitAll, type SmallTheatre, smallTheatre } from "../support/small-theatre.ts";
import { theatreTerms } from "../support/theatre-training.ts";
import { digestOf, examples, interruptAt, plainOptimizer, trainable, withoutTimes } from "../support/training-runs.ts";

/** Of float32 sums in another order. */
const roundingTolerance = 1e-5;

/** Of a step's numbers, relative, in float32. */
const stepTolerance = 1e-6;

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
  using model = await loadModel(theatre.freshModel(1));
  fitted = await fitAll(theatre, model);
  using library = new ClipLibrary(model);
  library.add(fitted);
  overfit = await learnByHeart(model, library);
});
after(() => theatre[Symbol.dispose]());

async function learnByHeart(model: OmniModel, library: ClipLibrary): Promise<typeof overfit> {
  const batch = examples(model, library, fitted);
  const schedule = { total: overfitSteps, warmup: 10, floor: 0.1 };
  const losses: number[] = [];
  await runSteps({
    steps: overfitSteps,
    objective: sftObjective(model, () => batch),
    trainable: trainable(model),
    optimizer: { ...plainOptimizer, learningRate: 4e-3, schedule: (step) => cosineSchedule(step, schedule) },
    directory: join(theatre.root, "by-heart"),
    checkpointEvery: overfitSteps,
    interrupt: interruptAt(null),
    onStep: (step, { loss }) => {
      losses.push(loss!);
      if (step + 1 === warmSteps) model.save(warm);
    },
  });
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

describe("cold start", () => {
  test("learns four clips with their probes by heart, word for word", () => {
    assert.equal(overfit.answers.length, 8);
    assert.deepEqual(overfit.answers, overfit.wanted);
    assert.ok(overfit.first > 4, `starts at ${overfit.first}`);
    assert.ok(overfit.last < 0.02, `ends at ${overfit.last}`);
  });

  test("examples that share a prefix have the loss and the gradient of examples that do not", async () => {
    using model = await loadModel(warm);
    using library = new ClipLibrary(model);
    library.add(fitted);
    const parameters = trainable(model);
    const shared = examples(model, library, fitted);
    const lossOf = (batch: readonly (readonly SftExample[])[]) =>
      scope(() => {
        const loss = sftGradients(model, batch);
        const norms = [...parameters.values()].map((parameter) => Math.sqrt(parameter.grad!.pow(2).sum().item()));
        for (const parameter of parameters.values()) parameter.grad = null;
        return [loss, ...norms];
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

interface RunOptions {
  readonly preset?: PresetName;
  readonly overrides?: readonly string[];
  readonly steps?: number;
  readonly stopAt?: number | null;
  /** Of the reference; the policy's by default. */
  readonly reference?: string;
  readonly judged?: readonly JudgedTerm[];
}

/** Trains into a folder. @returns its metrics without times, and a digest of the parameters afterwards. */
async function train(name: string, options: RunOptions = {}) {
  const { preset = "oppo", overrides = [], steps = 3, stopAt = null, reference: start = warm, judged = [] } = options;
  const directory = join(theatre.root, name);
  mkdirSync(directory, { recursive: true });
  const shared = ["promptsPerStep=3", "warmupSteps=0", "maxNewTokens=48", "learningRate=2e-4", "checkpointEvery=50"];
  const config = resolveConfig(trainSchema, {
    preset: presets[preset].config,
    overrides: [...shared, `steps=${steps}`, ...overrides],
  });
  using models = await openPolicy({ ...config, model: warm });
  using other = start === warm ? null : await loadModel(start);
  using library = new ClipLibrary(models.reference);
  library.add(fitted);
  await trainGrpo(
    {
      config,
      models: other === null ? models : { ...models, reference: other },
      library,
      samples: fitted.map(({ sample }) => sample),
      ...theatreTerms(),
      judged,
    },
    { directory, interrupt: interruptAt(stopAt) },
  );
  const metrics = withoutTimes(directory);
  const rollouts = readStepLog(join(directory, "rollouts.jsonl"));
  return { metrics, rollouts, weights: digestOf(models.trainable) };
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

  test("a judged term moves the weights and is logged with what is missing; one that never judges leaves the run as it was", async () => {
    const judge = (score: (text: string, i: number) => number | null): JudgedTerm => ({
      name: "context",
      weight: 1,
      judge: async (groups) => groups.map((group) => group.map(({ rollout }, i) => score(rollout.text, i))),
    });
    const plain = await train("unjudged", { steps: 2 });
    const silent = await train("silent", { steps: 2, judged: [judge(() => null)] });
    assert.equal(silent.weights, plain.weights);
    assert.equal(silent.metrics[0]!["rewards/context/missing"], 1);
    const loud = await train("judged", { steps: 2, judged: [judge((_, i) => (i === 0 ? null : i % 2))] });
    assert.notEqual(loud.weights, plain.weights);
    assert.equal(loud.metrics[0]!["rewards/context/missing"], 0.25);
    assert.ok(Math.abs(loud.metrics[0]!["rewards/context/mean"]! - 2 / 3) < 1e-12);
  });

  test("a temperature is that of the trained distribution too: sampler and trainer agree on it", async () => {
    const { metrics } = await train("warm-1.5", { overrides: ["temperature=1.5"], steps: 2 });
    const { metrics: plain } = await train("warm-1", { steps: 2 });
    for (const row of metrics) assert.ok(row["sampling/sampling_logp_difference/max"]! < 1e-3);
    assert.equal(metrics[0]!.kl, 0);
    // Of the same weights: a higher temperature is a flatter distribution.
    assert.ok(metrics[0]!.entropy! > plain[0]!.entropy! + clearDifference);
  });

  test("every preset makes a step, with the views that it names", async () => {
    const view = (row: Record<string, number>) =>
      ["video", "audio", "both"].filter((name) => (row[`omni/kl_${name}`] ?? 0) > 0);
    const expected: Record<PresetName, string[]> = {
      baseline: [],
      "reward-only": [],
      papo: ["both"],
      "papo-exact": ["both"],
      "papo-equal": ["video", "audio"],
      "affectgpt-r1": [],
      "humanomni-v2": [],
      "anchor-only": ["video", "audio"],
      "random-evidence": ["video", "audio"],
      "swapped-evidence": ["video", "audio"],
      "papo-dual": ["video", "audio"],
      oppo: ["video", "audio"],
      informed: [],
      "oppo-family": [],
      "oppo-paper": ["video", "audio"],
      "oppo-paper-7b": ["video", "audio"],
      "r1-omni": [],
    };
    for (const preset of Object.keys(presets) as PresetName[]) {
      const judged = ["context", "logic"].map((name): JudgedTerm => {
        const judge: JudgedTerm["judge"] = async (all) => all.map((group) => group.map((_, i) => (i % 3) / 2));
        return { name, weight: 1, judge };
      });
      const isJudged = preset === "humanomni-v2";
      const { metrics, rollouts } = await train(`preset-${preset}`, {
        preset,
        steps: 1,
        ...(isJudged ? { judged } : {}),
      });
      const [row] = metrics;
      assert.deepEqual(view(row!), expected[preset], preset);
      // A model that knows no label yet earns nothing of R1-Omni's terms, and so learns nothing.
      const isPaid = preset !== "r1-omni" || row!.reward! > 0;
      assert.ok(row!.grad_norm! > 0 === isPaid && Number.isFinite(row!.loss!), preset);
      assert.equal(row!["optim/skipped_steps"], 0, preset);
      assert.equal(row!.kl, 0, `${preset}: the policy starts from its reference`);
      assert.equal(rollouts.length, 3, preset);
    }
  });

  test("a preset with judged terms is refused where nobody judges", async () => {
    await assert.rejects(train("unjudged-preset", { preset: "humanomni-v2", steps: 1 }), {
      code: "ERR_REWARD_JUDGE",
      message: /expected a judge for context, logic, got none\. Name a server with --judge/,
    });
  });

  test("a step is the same with layers computed again and a prompt at a time: of the decoder, of towers, of an adapter", async () => {
    // The numbers that are the step, then some that it reports.
    const numWhole = 2;
    const compared = ["loss", "grad_norm", "kl", "entropy", "omni/kl_video", "omni/kl_audio", "omni/anchor_kl"];
    const ways = [["recompute=on"], ["promptsPerMicroBatch=1"], ["recompute=on", "promptsPerMicroBatch=2"]];
    for (const trainable of ["decoder", "full", "lora"]) {
      const run = async (...overrides: string[]) => {
        const name = [trainable, ...overrides].join("-");
        const { metrics } = await train(`cut-${name}`, {
          overrides: [`trainable=${trainable}`, ...overrides],
          steps: 1,
        });
        return compared.map((key) => metrics[0]![key]!);
      };
      const whole = await run();
      assert.ok(whole.every(Number.isFinite) && whole[1]! > 0);
      for (const way of ways) {
        for (const [i, value] of (await run(...way)).entries()) {
          const error = Math.abs(value - whole[i]!) / Math.max(1e-2, Math.abs(whole[i]!));
          const tolerance = i < numWhole ? stepTolerance : roundingTolerance;
          assert.ok(error < tolerance, `${trainable} ${way}: ${compared[i]} ${value} ${whole[i]}`);
        }
      }
      const other = await run("perception.capNats=1");
      assert.ok(
        other.some((value, i) => Math.abs(value - whole[i]!) > stepTolerance),
        "another step would show",
      );
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

  test("an adapter learns over one model, which is the reference, and goes on to the bit", async () => {
    const lora = { overrides: ["trainable=lora", "lora.rank=4", "learningRate=1e-2"] };
    const whole = await train("lora", lora);
    assert.ok(Math.abs(whole.metrics[0]!.kl! as number) < 1e-8, "an adapter changes nothing before its first update");
    assert.ok(whole.metrics[1]!.kl! > 0);
    await assert.rejects(train("lora-stopped", { ...lora, stopAt: 2 }), InterruptedError);
    assert.deepEqual(await train("lora-stopped", lora), whole);
    using models = await openPolicy({ ...resolveConfig(trainSchema, lora), model: warm });
    const names = [...models.trainable.keys()];
    assert.ok(names.length > 0 && names.every((name) => /lora_[AB]\.weight$/.test(name)));
    assert.ok([...models.reference.parameters().values()].every((parameter) => !parameter.requiresGrad));
  });

  test("full training moves the towers, with the gradient of a graph that was never cut", async () => {
    using models = await openPolicy({ ...resolveConfig(trainSchema, {}), trainable: "full", model: warm });
    using library = new ClipLibrary(models.reference);
    library.add(fitted);
    const { policy } = models;
    const [{ sample }] = fitted as [FittedSample];
    const target = Int32Array.from([...policy.encodeText("<think>a smile.</think>"), policy.stopIds[0]!]);
    const example = { target, weights: new Float32Array(target.length).fill(1) };
    const gradientOf = (rows: ClipRows, afterwards: () => void) => {
      for (const parameter of models.trainable.values()) parameter.grad = null;
      const prompt = library.prompt(sample.id, reasoningQuestion, rows);
      sftGradients(policy, [[{ prompt, ...example }]]);
      afterwards();
      return scope(() => [...models.trainable].map(([name, { grad }]) => [name, grad?.toNumbers() ?? null] as const));
    };
    using live = new LiveRows(policy, library);
    const cut = gradientOf(live.rows(sample.id), () => live.backward());
    const whole = scope(() => {
      const [rows] = policy.encode([policy.features(library.fitted(sample.id))]);
      return gradientOf(rows!, () => undefined);
    });
    const towers = cut.filter(([name, grad]) => policy.partOf(name).endsWith("tower") && grad !== null);
    assert.ok(towers.length > 10 && towers.every(([, grad]) => grad!.some((value) => value !== 0)));
    for (const [i, [name, grad]] of cut.entries()) {
      const expected = whole[i]![1];
      assert.equal(grad === null, expected === null, name);
      for (const [j, value] of (grad ?? []).entries()) {
        assert.ok(Math.abs(value - expected![j]!) <= roundingTolerance * Math.max(1, Math.abs(value)), name);
      }
    }
    for (const parameter of models.trainable.values()) parameter.grad = null;
    const { metrics } = await train("full", { overrides: ["trainable=full"], steps: 2 });
    assert.deepEqual([metrics[0]!.kl, metrics[0]!["optim/skipped_steps"]], [0, 0]);
    const { metrics: frozen } = await train("not-full", { steps: 2 });
    assert.notEqual(metrics[0]!.grad_norm, frozen[0]!.grad_norm, "towers have gradients of their own");
    assert.ok(Math.abs(metrics[0]!.loss! - frozen[0]!.loss!) < roundingTolerance, "of the same loss");
  });

  test("a full gradient is clear of what a step before it left", async () => {
    const { metrics } = await train("micro", { overrides: ["promptsPerMicroBatch=1"], steps: 1 });
    const { metrics: whole } = await train("macro", { steps: 1 });
    for (const name of ["loss", "grad_norm", "kl", "entropy", "omni/kl_video", "rewards/omni/std"]) {
      const [one, all] = [metrics[0]![name]!, whole[0]![name]!];
      assert.ok(Math.abs(one - all) <= roundingTolerance * Math.max(1, Math.abs(all)), `${name}: ${one} ${all}`);
    }
  });
});
