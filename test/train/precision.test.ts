// Training in bfloat16 over float32 masters, and an adapter over half-precision weights: updates that a bfloat16 cannot hold are
// not lost, the loss is float32's, a stopped run goes on to the bit, one model is in memory, and a damaged checkpoint is refused.
import assert from "node:assert/strict";
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ClipLibrary } from "../../src/corpus/clips/clip-library.ts";
import type { FittedSample } from "../../src/corpus/clips/fitted-samples.ts";
import { reasoningQuestion } from "../../src/data/theatre/script.ts";
import { loadAdapter } from "../../src/models/adapt.ts";
import { loadModel } from "../../src/models/registry.ts";
import { resolveConfig } from "../../src/run/config.ts";
import { InterruptedError } from "../../src/run/interrupt.ts";
import { numLiveTensors, op, openSafetensors, scope, type Tensor, writeSafetensors } from "../../src/tensor/index.ts";
import { trainSchema } from "../../src/train/config.ts";
import { trainGrpo } from "../../src/train/grpo.ts";
import { methodIdle } from "../../src/train/idle.ts";
import { type OpenedPolicy, openPolicy } from "../../src/train/policy.ts";
import { runSteps } from "../../src/train/run-steps.ts";
import { sftObjective } from "../../src/train/sft.ts";
import { fitAll, type SmallTheatre, smallTheatre } from "../support/small-theatre.ts";
import { theatreTerms } from "../support/theatre-training.ts";
import { digestOf, examples, interruptAt, plainOptimizer, withoutTimes } from "../support/training-runs.ts";

/** The paper's learning rate. */
const paperRate = 2e-6;
/** What must change per step with masters, and what cannot without. */
const mostWeights = 0.8;
const fewWeights = 0.05;
/** bfloat16 has 8 bits: a loss of its is within about 1 in 256 of float32's. */
const lossTolerance = 0.01;
/** Of the way that the loss goes down. */
const progressTolerance = 0.1;
const numSteps = 20;

let theatre: SmallTheatre;
let start: string;
let fitted: FittedSample[];

before(async () => {
  theatre = await smallTheatre(4);
  start = theatre.freshModel(1);
  using model = await loadModel(start);
  fitted = await fitAll(theatre, model);
});
after(() => theatre[Symbol.dispose]());

type Changes = Readonly<Record<string, string>>;

function configOf(changes: Changes) {
  return resolveConfig(trainSchema, { overrides: Object.entries(changes).map(([path, value]) => `${path}=${value}`) });
}

interface Learned {
  readonly losses: readonly number[];
  /** Share of the numbers that were updated which changed in the last step. */
  readonly changed: number;
  readonly digest: string;
}

/** SFT on the theatre for some steps. @param usesMasters false: as bfloat16 alone would learn */
async function learn(
  name: string,
  changes: Changes,
  rate: number,
  options: { readonly usesMasters?: boolean; readonly stopAt?: number | null; readonly steps?: number } = {},
): Promise<Learned> {
  const { usesMasters = true, stopAt = null, steps = numSteps } = options;
  const directory = join(theatre.root, name);
  mkdirSync(directory, { recursive: true });
  using models = await openPolicy({ ...configOf(changes), model: start });
  using library = new ClipLibrary(models.reference);
  library.add(fitted);
  const batch = examples(models.policy, library, fitted);
  const losses: number[] = [];
  let changed = 0;
  let kept = copies(models, usesMasters);
  await runSteps({
    steps,
    objective: sftObjective(models.policy, () => batch, {
      promptsPerMicroBatch: null,
      tokensPerChunk: null,
      recomputes: models.recomputes,
    }),
    trainable: models.trainable,
    ...(usesMasters ? { masters: models.masters } : {}),
    optimizer: { ...plainOptimizer, learningRate: rate, schedule: () => 1 },
    directory,
    checkpointEvery: 5,
    interrupt: interruptAt(stopAt),
    onStep: (_, { loss }) => {
      losses.push(loss!);
      const now = copies(models, usesMasters);
      changed = shareChanged(kept, now);
      kept = now;
    },
  });
  return { losses, changed, digest: digestOf(models.trainable) };
}

/** What is updated, masters or the parameters, but the embedding: tokens that do not occur have no gradient. */
function copies(models: OpenedPolicy, usesMasters: boolean): Float32Array[] {
  const named = [...models.trainable].filter(([name]) => name !== "model.embed_tokens.weight");
  const updated = named.map(([name, own]) => (usesMasters ? models.masters.get(name) : null) ?? own);
  return updated.map((tensor) => scope(() => tensor.detach().to("float32").toFloat32Array()));
}

function shareChanged(before: readonly Float32Array[], now: readonly Float32Array[]): number {
  let numChanged = 0;
  let total = 0;
  before.forEach((values, i) => {
    total += values.length;
    for (let j = 0; j < values.length; j++) if (values[j] !== now[i]![j]) numChanged++;
  });
  return numChanged / total;
}

describe("bfloat16 over float32 masters", () => {
  test("at the paper's rate most master weights change in a step, and without masters nearly none", async () => {
    const half = await learn("rate-bf16", { dtype: "bfloat16" }, paperRate);
    assert.ok(half.changed > mostWeights, `${half.changed}`);
    const single = await learn("rate-fp32", { dtype: "float32" }, paperRate);
    const bare = await learn("rate-bare", { dtype: "bfloat16" }, paperRate, { usesMasters: false });
    assert.ok(bare.changed < fewWeights, `${bare.changed}`);
    assert.ok(Math.abs(half.changed - single.changed) < fewWeights, `${half.changed} ${single.changed}`);
    for (const [step, loss] of single.losses.entries()) {
      assert.ok(Math.abs(half.losses[step]! / loss - 1) < lossTolerance, `step ${step}: ${half.losses[step]} ${loss}`);
    }
  });

  test("follows float32's loss down over twenty steps", async () => {
    const rate = 1e-3;
    const half = await learn("follow-bf16", { dtype: "bfloat16" }, rate);
    const single = await learn("follow-fp32", { dtype: "float32" }, rate);
    const drop = single.losses[0]! - single.losses.at(-1)!;
    assert.ok(drop > 0.5, `a loss that does not move follows everything: ${drop}`);
    for (const [step, loss] of single.losses.entries()) {
      assert.ok(
        Math.abs(half.losses[step]! - loss) < progressTolerance * drop,
        `${step}: ${half.losses[step]} ${loss}`,
      );
    }
  });

  test("goes on from a checkpoint to the bit: masters are what it keeps", async () => {
    const whole = await learn("whole", { dtype: "bfloat16" }, 1e-3, { steps: 8 });
    await assert.rejects(learn("stopped", { dtype: "bfloat16" }, 1e-3, { steps: 8, stopAt: 6 }), InterruptedError);
    using file = openSafetensors(join(theatre.root, "stopped", "checkpoints", "step-000006", "policy.safetensors"));
    assert.ok([...file.entries.values()].every(({ dtype }) => dtype === "float32"));
    const resumed = await learn("stopped", { dtype: "bfloat16" }, 1e-3, { steps: 8 });
    assert.equal(resumed.digest, whole.digest);
    assert.deepEqual(resumed.losses, whole.losses.slice(-resumed.losses.length));
  });

  test("masters are what the directory stores, not what bfloat16 left of it", async () => {
    const before = numLiveTensors();
    {
      using models = await openPolicy({ ...configOf({ dtype: "bfloat16" }), model: start });
      using stored = await loadModel(start);
      const all = stored.parameters();
      scope(() => {
        for (const [name, master] of models.masters) assert.ok(op.equal(master, all.get(name)!), name);
        const rounded = [...models.trainable].some(([name, own]) => !op.equal(own.to("float32"), all.get(name)!));
        assert.ok(rounded, "there was something to lose");
      });
      assert.deepEqual([models.policy.dtype, models.reference.dtype], ["bfloat16", "bfloat16"]);
    }
    assert.equal(numLiveTensors(), before);
  });

  test("the whole OPPO step runs and its invariants hold: all weights, recomputed or not, and an adapter", async () => {
    const settings = {
      dtype: "bfloat16",
      steps: "2",
      promptsPerStep: "3",
      maxNewTokens: "24",
      promptsPerMicroBatch: "2",
    };
    for (const changes of [{}, { recompute: "on" }, { trainable: "lora", "lora.dropout": "0.1", recompute: "on" }]) {
      const config = configOf({ ...settings, ...changes });
      const directory = join(theatre.root, `oppo-${Object.values(changes).join("-")}`);
      mkdirSync(directory, { recursive: true });
      using models = await openPolicy({ ...config, model: start });
      using library = new ClipLibrary(models.reference);
      library.add(fitted);
      await trainGrpo(
        {
          config,
          models,
          library,
          samples: fitted.map(({ sample }) => sample),
          ...theatreTerms(),
        },
        { directory, interrupt: interruptAt(null) },
      );
      const [first, second] = withoutTimes(directory);
      assert.equal(first!.kl, 0, "the policy starts as its reference");
      assert.ok(Number.isFinite(second!.loss) && second!["optim/skipped_steps"] === 0);
    }
  });
});

describe("an adapter", () => {
  test("is float32 over bfloat16 weights, which are one model and stay as they were; adapter and merged model are written", async () => {
    const directory = join(theatre.root, "lora");
    mkdirSync(directory, { recursive: true });
    const changes = { trainable: "lora", "lora.rank": "4", "lora.targets": "q_proj,down_proj", dtype: "bfloat16" };
    using models = await openPolicy({ ...configOf(changes), model: start });
    assert.deepEqual([models.masters.size, models.reference.dtype], [0, "bfloat16"]);
    assert.ok([...models.trainable].every(([name, { dtype }]) => dtype === "float32" && /q_proj|down_proj/.test(name)));
    const untouched = digestOf(models.reference.parameters());
    using library = new ClipLibrary(models.reference);
    library.add(fitted);
    const batch = examples(models.policy, library, fitted);
    await runSteps({
      steps: 6,
      objective: sftObjective(models.policy, () => batch),
      trainable: models.trainable,
      optimizer: { ...plainOptimizer, learningRate: 1e-2, schedule: () => 1 },
      directory,
      checkpointEvery: 6,
      interrupt: interruptAt(null),
    });
    assert.equal(digestOf(models.reference.parameters()), untouched);
    models.save(join(directory, "model"), join(directory, "adapter"));
    using merged = await loadModel(join(directory, "model"));
    using adapted = loadAdapter(models.reference, join(directory, "adapter"));
    assert.equal(merged.dtype, "bfloat16");
    scope(() => {
      const [{ prompt }] = batch[0] as [(typeof batch)[0][0]];
      const target = [[batch[0]![0]!.target]];
      const rows = (model: typeof merged): Tensor => model.hidden([prompt], target).to("float32");
      const far = (x: Tensor, y: Tensor) => x.sub(y).norm().item() / y.norm().item();
      const [own, base] = [rows(models.policy), rows(models.reference)];
      assert.equal(far(rows(adapted), own), 0, "PEFT's files are the adapter");
      assert.ok(far(base, own) > 0.1, "it has learned");
      assert.ok(far(rows(merged), own) < 0.02, "merging rounds to bfloat16");
    });
  });

  test("decodes as it scores: joined projections give the trainer's log-probabilities", async () => {
    using models = await openPolicy({ ...configOf({ trainable: "lora", "lora.rank": "4" }), model: start });
    using library = new ClipLibrary(models.reference);
    library.add(fitted);
    scope(() => {
      for (const [name, value] of models.trainable) {
        if (name.includes("lora_B"))
          value.detach().copy_(op.ones(value.shape).mul(name.length % 2 === 0 ? 0.02 : -0.03));
      }
      const prompt = library.prompt(fitted[0]!.sample.id, reasoningQuestion);
      const { policy, reference } = models;
      const sampling = { numSamples: 2, maxNewTokens: 12, temperature: 1, seeds: [1, 2] };
      const [sampled] = policy.sample([prompt], sampling);
      const scored = (model: typeof policy) => {
        const ids = sampled!.map((completion) => completion.ids);
        const hidden = model.hidden([prompt], [ids]);
        return ids.map((own, n) => {
          const logits = model.logits(hidden.select(0, n).narrow(0, 0, own.length));
          return own.reduce((sum, id, t) => sum + logits.logSoftmax(-1).select(0, t).select(0, id).item(), 0);
        });
      };
      const reported = sampled!.map(({ logprobs }) => logprobs.reduce((sum, one) => sum + one, 0));
      const own = scored(policy);
      const base = scored(reference);
      reported.forEach((total, n) => {
        // The sampler never draws media tokens, which the trainer counts: a fresh model gives them little.
        assert.ok(Math.abs(total - own[n]!) < 0.3 * Math.abs(total - base[n]!), `${total} ${own[n]} ${base[n]}`);
      });
    });
  });

  test("with targets that match nothing is refused, naming what there is", async () => {
    const options = { ...configOf({ trainable: "lora", "lora.targets": "qproj" }), model: start };
    await assert.rejects(openPolicy(options), (error: Error & { code: string }) => {
      assert.equal(error.code, "ERR_ADAPTER_TARGETS");
      assert.match(error.message, /q_proj.*got \["qproj"\], which matches none/s);
      return true;
    });
  });
});

test("a full training may leave parts out: the projector alone, towers without it", async () => {
  const namesOf = async (parts: string) => {
    using models = await openPolicy({ ...configOf({ trainable: "full", parts }), model: start });
    return { names: [...models.trainable.keys()], trainsTowers: models.trainsTowers };
  };
  const projector = await namesOf("projector");
  assert.ok(projector.trainsTowers && projector.names.length >= 4);
  assert.ok(projector.names.every((name) => /^(visual\.merger|audio_tower\.proj)\./.test(name)));
  const towers = await namesOf("towers");
  const decoder = await namesOf("decoder");
  const whole = await namesOf("decoder,projector,towers");
  assert.ok(!decoder.trainsTowers && decoder.names.includes("model.norm.weight"));
  assert.equal(whole.names.length, projector.names.length + towers.names.length + decoder.names.length);
  const idle = () => resolveConfig(trainSchema, { overrides: ["parts=towers"] }, methodIdle);
  assert.throws(idle, /parts=towers has no effect: trainable is not full/);
});

test("a bfloat16 checkpoint with NaN is refused in one sentence before anything is learned", async () => {
  const broken = join(theatre.root, "broken");
  {
    using half = await loadModel(start, { dtype: "bfloat16" });
    half.save(broken);
  }
  const file = join(broken, "model.safetensors");
  scope(() => {
    using whole = openSafetensors(file);
    const tensors = new Map([...whole.entries.keys()].map((name) => [name, whole.tensor(name).clone()]));
    tensors.get("model.layers.1.mlp.up_proj.weight")!.select(0, 3).narrow(0, 2, 1).fill_(Number.NaN);
    cpSync(file, `${file}.whole`);
    writeSafetensors(file, tensors);
  });
  const before = numLiveTensors();
  await assert.rejects(openPolicy({ ...configOf({}), model: broken }), (error: Error & { code: string }) => {
    assert.equal(error.code, "ERR_CHECKPOINT_VALUES");
    assert.match(error.message, /NaN or infinity in 1 weights \(model\.layers\.1\.mlp\.up_proj\.weight\)/);
    return true;
  });
  assert.equal(numLiveTensors(), before);
});
