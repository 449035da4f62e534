// The method's further options in real steps on a very small theatre: several updates on one step's completions, a reference that
// moves, prompts drawn in the place of others, guards against a collapse that is planted; each goes on from a stop to the bit.
import assert from "node:assert/strict";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ClipLibrary } from "../../../src/corpus/clips/clip-library.ts";
import type { FittedSample } from "../../../src/corpus/clips/fitted-samples.ts";
import { latestCheckpoint } from "../../../src/run/checkpoint.ts";
import { resolveConfig } from "../../../src/run/config.ts";
import { InterruptedError } from "../../../src/run/interrupt.ts";
import { readStepLog } from "../../../src/run/metrics.ts";
import { numLiveTensors } from "../../../src/tensor/index.ts";
import { trainSchema } from "../../../src/train/config.ts";
import { trainGrpo } from "../../../src/train/grpo.ts";
import { openPolicy } from "../../../src/train/policy.ts";
import { type SmallTheatre, smallTheatre } from "../../support/small-theatre.ts";
import { theatreTerms, warmModel } from "../../support/theatre-training.ts";
import { digestOf, interruptAt, withoutTimes } from "../../support/training-runs.ts";

/** Enough for the format, with mistakes left. */
const warmSteps = 40;

let theatre: SmallTheatre;
let fitted: FittedSample[];
let warm: string;

before(async () => {
  theatre = await smallTheatre(6);
  ({ directory: warm, fitted } = await warmModel(theatre, warmSteps));
});
after(() => theatre[Symbol.dispose]());

interface RunOptions {
  readonly overrides?: readonly string[];
  readonly steps?: number;
  readonly stopAt?: number | null;
}

/** Trains into a folder. @returns its metrics without times, its rollouts, and digests of policy and reference afterwards. */
async function train(name: string, { overrides = [], steps = 3, stopAt = null }: RunOptions = {}) {
  const directory = join(theatre.root, name);
  mkdirSync(directory, { recursive: true });
  const shared = ["promptsPerStep=3", "warmupSteps=0", "maxNewTokens=48", "learningRate=5e-4", "checkpointEvery=50"];
  const config = resolveConfig(trainSchema, { overrides: [...shared, `steps=${steps}`, ...overrides] });
  using models = await openPolicy({ ...config, model: warm });
  using library = new ClipLibrary(models.reference);
  library.add(fitted);
  await trainGrpo(
    {
      ...{ config, models, library, samples: fitted.map(({ sample }) => sample) },
      ...theatreTerms(),
    },
    { directory, interrupt: interruptAt(stopAt) },
  );
  const metrics = withoutTimes(directory);
  const rollouts = readStepLog(join(directory, "rollouts.jsonl"));
  return { metrics, rollouts, weights: digestOf(models.trainable), reference: digestOf(models.reference.parameters()) };
}

/** A run, and the same one stopped before its third step and gone on with. */
async function wholeAndResumed(name: string, options: RunOptions) {
  const whole = await train(`${name}-whole`, options);
  await assert.rejects(train(`${name}-stopped`, { ...options, stopAt: 2 }), InterruptedError);
  assert.deepEqual(await train(`${name}-stopped`, options), whole);
  return whole;
}

describe("several updates on the completions of a step", () => {
  const four = ["updatesPerRollout=4", "miniBatches=2", "oldLogprobs=sampler"];

  test("are all logged as one step with the share that the clip held back, and go on to the bit", async () => {
    const live = numLiveTensors();
    const whole = await wholeAndResumed("four", { overrides: four });
    assert.equal(numLiveTensors(), live);
    for (const row of whole.metrics) {
      assert.equal(row["optim/updates"], 4);
      assert.equal(row["optim/skipped_steps"], 0);
      assert.ok(row["omni/kl_video"]! + row["omni/kl_audio"]! > 0, "the views are there in every update");
    }
    const wide = await train("clipped", { overrides: [...four, "learningRate=5e-3", "clipLow=0.02", "clipHigh=0.02"] });
    assert.ok(wide.metrics[0]!["clip_ratio/region_mean"]! > 0, "and the clip is at work");
    const one = await train("one");
    assert.equal("optim/updates" in one.metrics[0]!, false);
    assert.deepEqual(one.rollouts[0], whole.rollouts[0], "what is sampled first is the same");
    assert.notEqual(one.weights, whole.weights);
  });

  test("against what the trainer said at the start: as against the sampler, up to its rounding", async () => {
    const changed = (which: string) => ["updatesPerRollout=2", `oldLogprobs=${which}`];
    const sampler = await train("from-sampler", { overrides: changed("sampler"), steps: 1 });
    const start = await train("from-start", { overrides: changed("start"), steps: 1 });
    for (const key of ["loss", "policy_loss", "grad_norm"]) {
      const [a, b] = [sampler.metrics[0]![key]!, start.metrics[0]![key]!];
      assert.ok(Math.abs(a - b) < 1e-3 * Math.max(1, Math.abs(a)), `${key}: ${a} ${b}`);
    }
    const gspo = await train("gspo", { overrides: [...changed("start"), "ratioLevel=sequence"], steps: 1 });
    assert.notEqual(gspo.weights, start.weights);
  });

  test("of towers: what they say of a clip is encoded anew for every update", async () => {
    const full = ["trainable=full", "updatesPerRollout=2", "oldLogprobs=start", "learningRate=1e-3"];
    const { metrics } = await wholeAndResumed("towers", { overrides: full });
    for (const row of metrics) assert.ok(Number.isFinite(row.loss!) && row.grad_norm! > 0);
  });
});

describe("a reference that moves", () => {
  test("is the policy after every step with mix 1, lies between with less, and is part of a checkpoint", async () => {
    const still = await train("still");
    const same = await train("sync-whole", { overrides: ["referenceSyncEvery=1", "referenceSyncMix=1"] });
    for (const row of same.metrics) assert.ok(Math.abs(row.kl!) < 1e-9, `kl ${row.kl}`);
    assert.ok(still.metrics[2]!.kl! > 1e-5);
    const half = await wholeAndResumed("sync-half", {
      overrides: ["referenceSyncEvery=2", "referenceSyncMix=0.5"],
      steps: 4,
    });
    const long = await train("still-long", { steps: 4 });
    assert.equal(half.metrics[1]!.kl, long.metrics[1]!.kl);
    assert.ok(half.metrics[2]!.kl! > 0 && half.metrics[2]!.kl! < long.metrics[2]!.kl!);
    assert.notEqual(half.reference, long.reference);
    const newest = latestCheckpoint(join(theatre.root, "sync-half-whole", "checkpoints"))!;
    assert.ok(existsSync(join(newest.directory, "reference.safetensors")));
  });

  test("is refused where there is no copy to move, or towers that saw the clips would", async () => {
    const refused = (...overrides: string[]) =>
      train("refused", { overrides: ["referenceSyncEvery=1", ...overrides], steps: 1 });
    await assert.rejects(refused("trainable=lora"), /got lora, whose reference is the policy's own base/);
    await assert.rejects(refused("trainable=full"), /encoded once, so its towers have to stay/);
  });
});

describe("dynamic sampling", () => {
  test("draws prompts in the place of those whose completions are paid alike, to the bit after a stop", async () => {
    // Only the form is paid: some prompts have it in all four completions, some do not.
    const overrides = ["reward.terms=[{ name: format, weight: 1 }]", "resampleRounds=2"];
    const { metrics, rollouts } = await wholeAndResumed("spread", { overrides, steps: 4 });
    const sum = (key: string) => metrics.reduce((total, row) => total + row[key]!, 0);
    assert.ok(sum("sampling/rounds") > 0, "something was drawn again");
    assert.equal(rollouts.length, 12, "a step has as many prompts as ever");
    const off = await train("no-spread", { overrides: overrides.slice(0, 1), steps: 4 });
    assert.ok(sum("frac_reward_zero_std") <= off.metrics.reduce((total, row) => total + row.frac_reward_zero_std!, 0));
    assert.equal("sampling/rounds" in off.metrics[0]!, false);
  });

  test("with nothing but equal rewards the step is what it was: KL and perception train", async () => {
    const overrides = ["reward.terms=[{ name: format, weight: 0 }]"];
    const plain = await train("equal", { overrides, steps: 2 });
    const drawn = await train("equal-drawn", { overrides: [...overrides, "resampleRounds=3"], steps: 2 });
    assert.equal(drawn.weights, plain.weights);
    assert.equal(drawn.metrics[0]!["sampling/dropped_prompts"], 3, "all six samples were tried");
    assert.ok(plain.metrics[1]!.grad_norm! > 0);
  });
});

describe("guards", () => {
  /** An uncapped sum without an anchor, far too heavy: the masked branch is driven away from everything. */
  const collapse = [
    "perception.perceptionLossWeight=3",
    "perception.reduction=sum",
    "perception.capNats=null",
    "perception.anchorWeight=0",
    "perception.maskRatio=1",
    "perception.viewDraw=all",
    "learningRate=4e-3",
  ];
  const steps = 18;
  const warnings = (name: string) => readStepLog(join(theatre.root, name, "warnings.jsonl")).map((row) => row.name);
  const perception = ["format", "masked branch narrows", "masked branch babbles", "divergence", "repetition"];

  test("name a collapse that is planted, halve its coefficient for the rest of the run, and go on to the bit", async () => {
    const overrides = [...collapse, "guards.action=halve"];
    const whole = await train("halved", { overrides, steps });
    const tripped = warnings("halved").filter((name) => perception.includes(String(name)));
    assert.ok(tripped.length > 0, `told: ${warnings("halved")}`);
    const scales = whole.metrics.map((row) => row["guards/perception_scale"]!);
    assert.equal(scales[0], 1);
    assert.ok(scales.at(-1)! <= 0.5, String(scales));
    const at = scales.findIndex((scale, step) => scale * whole.metrics[step]!["guards/learning_rate_scale"]! < 1);
    await assert.rejects(train("halved-stopped", { overrides, steps, stopAt: at + 1 }), InterruptedError);
    assert.deepEqual(await train("halved-stopped", { overrides, steps }), whole);
    const warned = await train("warned", { overrides: collapse, steps });
    assert.deepEqual(warned.rollouts.slice(0, 3 * at), whole.rollouts.slice(0, 3 * at), "the same until then");
    assert.notEqual(warned.weights, whole.weights);
  });

  test("stop with a checkpoint, again where such a run is gone on with", async () => {
    const overrides = [...collapse, "guards.action=stop"];
    const stopped = { code: "ERR_COLLAPSE", message: /guards\.action stop\); its checkpoint and log are kept/ };
    await assert.rejects(train("stopped-run", { overrides, steps }), stopped);
    const done = withoutTimes(join(theatre.root, "stopped-run")).length;
    assert.ok(done < steps);
    assert.equal(latestCheckpoint(join(theatre.root, "stopped-run", "checkpoints"))!.step, done);
    await assert.rejects(train("stopped-run", { overrides, steps }), stopped);
    assert.equal(withoutTimes(join(theatre.root, "stopped-run")).length, done);
  });

  test("say nothing of a sound run", async () => {
    const { metrics } = await train("sound", { overrides: ["guards.action=halve"], steps: 12 });
    assert.deepEqual(
      warnings("sound").filter((name) => [...perception, "kl", "clipped", "endless"].includes(String(name))),
      [],
    );
    assert.deepEqual(
      metrics.map((row) => row["guards/perception_scale"]),
      new Array(12).fill(1),
    );
  });
});
