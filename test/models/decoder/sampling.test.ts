// Sampling from a whole model: limits of choice, penalties and seeds through prefill, caches and compaction; and bfloat16,
// whose sampler, trainer and gradients stay near those of float32.
import assert from "node:assert/strict";
import { test } from "node:test";
import { generate } from "../../../src/models/decoder/generate.ts";
import { languageModel } from "../../../src/models/decoder/language.ts";
import { decoderLayers } from "../../../src/models/decoder/layers.ts";
import type { SampledCompletion, SampleOptions } from "../../../src/models/omni-model.ts";
import { loadThinker } from "../../../src/models/qwen-omni/load.ts";
import { decoderPrompts } from "../../../src/models/qwen-omni/prompt.ts";
import type { Thinker } from "../../../src/models/qwen-omni/thinker.ts";
import { indices, noGrad, numLiveTensors, scope, type Tensor } from "../../../src/tensor/index.ts";
import { onDevice, onHost, testDevice } from "../../support/device.ts";
import { mixedPrompts, tinyDirectory, tinyThinker } from "../qwen-omni/tiny.ts";

const seedsOf = (count: number) => Array.from({ length: count }, (_, i) => 500 + i);
/** Of log-probabilities of about -5: bfloat16 has 8 bits, a logit of 4 moves by 0.016 at most, sums of three layers by more. */
const HALF_LOGPROB_TOLERANCE = 0.1;
/** Cosine of a bfloat16 gradient with that of float32. */
const HALF_GRADIENT_COSINE = 0.98;

function withThinker(body: (model: Thinker) => void): void {
  const before = numLiveTensors();
  scope(() => {
    using model = tinyThinker(1);
    body(model);
  });
  assert.equal(numLiveTensors(), before);
}

const idsOf = (sampled: readonly (readonly SampledCompletion[])[]) => sampled.flat().map(({ ids }) => [...ids]);

test("one likeliest token is the greedy one, by count and by probability", () =>
  withThinker((model) => {
    const prompts = mixedPrompts(model);
    const run = (options: Partial<SampleOptions>) =>
      idsOf(model.sample(prompts, { numSamples: 2, maxNewTokens: 20, temperature: 1, seeds: seedsOf(6), ...options }));
    const greedy = run({ temperature: 0 });
    assert.deepEqual(run({ topK: 1 }), greedy);
    assert.deepEqual(run({ topP: 1e-6 }), greedy);
    assert.deepEqual(greedy[0], greedy[1], "samples of a prompt are the same when greedy");
    const free = run({});
    assert.notDeepEqual(free, greedy);
    assert.notDeepEqual(free[0], free[1], "every sequence has its own seed");
    assert.deepEqual(run({}), free, "the same seeds, the same text");
  }));

test("a heavy repetition penalty repeats nothing, of the prompt neither, with and without siblings", () =>
  withThinker((model) => {
    const { config } = model;
    const prompts = decoderPrompts(mixedPrompts(model), config.ids);
    const layers = decoderLayers(model.parameters(), config.text);
    const language = languageModel(model.parameters(), config.text, layers);
    // About one token in sixteen stops: compactions happen.
    const stopIds = Array.from({ length: model.vocabSize }, (_, id) => id).filter((id) => id % 16 === 0);
    const rules = { stopIds, bannedIds: [] };
    const options: SampleOptions = {
      numSamples: 4,
      maxNewTokens: 40,
      // A seen token's logit becomes 0 at most; cold enough, an unseen one that is above wins.
      temperature: 0.05,
      repetitionPenalty: 1e6,
      seeds: seedsOf(12),
    };
    const together = generate(language, prompts, options, rules);
    const lengths = together.flat().map(({ ids }) => ids.length);
    assert.ok(Math.min(...lengths) < 9 && Math.max(...lengths) > 16, `lengths ${lengths}`);
    prompts.forEach((prompt, b) => {
      const seen = new Set(prompt.ids);
      for (let i = 0; i < 4; i++) {
        const { ids } = together[b]![i]!;
        assert.equal(new Set(ids).size, ids.length, "a token came twice");
        assert.ok(
          ids.every((id) => !seen.has(id)),
          "a token of the prompt came again",
        );
        const alone = { ...options, numSamples: 1, seeds: [options.seeds![4 * b + i]!] };
        assert.deepEqual(generate(language, [prompt], alone, rules)[0]![0]!.ids, ids);
      }
    });
    const plain = generate(language, prompts, { ...options, repetitionPenalty: 1 }, rules);
    assert.ok(
      plain.flat().some(({ ids }) => new Set(ids).size < ids.length),
      "without a penalty some token repeats",
    );
  }));

/** Log-probabilities of completions by the trainer's path. */
function trainerLogprobs(model: Thinker, completions: Int32Array[][]): Tensor[] {
  const hidden = model.hidden(mixedPrompts(model), completions);
  const logprobs = model.logits(hidden.view([-1, hidden.size(2)])).logSoftmax(-1);
  const perRow = hidden.size(1);
  return completions.flat().map((ids, i) => {
    const rows = logprobs.narrow(0, i * perRow, ids.length);
    return rows.gather(1, onDevice(indices(ids, [ids.length, 1]))).squeeze(1);
  });
}

function gradients(model: Thinker, completions: Int32Array[][]): Map<string, Tensor> {
  for (const parameter of model.parameters().values()) parameter.requiresGrad = true;
  trainerLogprobs(model, completions)
    .map((row) => row.sum())
    .reduce((sum, one) => sum.add(one))
    .backward();
  return new Map([...model.parameters()].flatMap(([name, { grad }]) => (grad ? [[name, onHost(grad)] as const] : [])));
}

test("looking at several tokens at once gives the same sequences, and listeners hear every one", () =>
  withThinker((model) => {
    const { config } = model;
    const prompts = decoderPrompts(mixedPrompts(model), config.ids);
    const language = languageModel(
      model.parameters(),
      config.text,
      decoderLayers(model.parameters(), config.text, true),
    );
    const stopIds = Array.from({ length: model.vocabSize }, (_, id) => id).filter((id) => id % 16 === 0);
    const base: SampleOptions = { numSamples: 4, maxNewTokens: 45, temperature: 0.9, seeds: seedsOf(12) };
    for (const change of [{}, { repetitionPenalty: 1.3 }, { topK: 20, topP: 0.9 }, { temperature: 0 }]) {
      const options = { ...base, ...change };
      const run = (tokensPerLook: number) =>
        generate(language, prompts, options, { stopIds, bannedIds: [], tokensPerLook });
      const want = run(1);
      for (const tokensPerLook of [2, 4, 8]) assert.deepEqual(run(tokensPerLook), want, JSON.stringify(change));
      assert.ok(new Set(idsOf(want).map(({ length }) => length)).size > (change.temperature === 0 ? 0 : 3));
    }
  }));

test("bfloat16: the sampler agrees with the trainer, both with float32, and gradients point the same way", () => {
  const before = numLiveTensors();
  const { directory, remove } = tinyDirectory(1);
  scope(() => {
    using whole = loadThinker(directory, { device: testDevice });
    using half = loadThinker(directory, { device: testDevice, dtype: "bfloat16" });
    assert.equal(half.parameters().get("model.norm.weight")!.dtype, "bfloat16");
    const options = { numSamples: 3, maxNewTokens: 24, temperature: 1, seeds: seedsOf(9) };
    const sampled = half.sample(mixedPrompts(half), options);
    assert.deepEqual(idsOf(half.sample(mixedPrompts(half), options)), idsOf(sampled));
    const completions = sampled.map((own) => own.map(({ ids }) => ids));
    const worst = (got: Tensor[], want: readonly Float32Array[]) =>
      Math.max(
        ...got.map((row, i) => {
          const values = onHost(row).toFloat32Array();
          return values.reduce((most, value, t) => Math.max(most, Math.abs(value - want[i]![t]!)), 0);
        }),
      );
    noGrad(() =>
      scope(() => {
        const bySampler = sampled.flat().map(({ logprobs }) => logprobs);
        const byHalf = trainerLogprobs(half, completions);
        assert.ok(worst(byHalf, bySampler) < HALF_LOGPROB_TOLERANCE, "sampler and trainer");
        assert.ok(worst(trainerLogprobs(whole, completions), bySampler) < HALF_LOGPROB_TOLERANCE, "float32");
        const shifted = completions.map((own) => own.map((ids) => ids.map((id) => (id + 1) % 256)));
        assert.ok(worst(trainerLogprobs(half, shifted), bySampler) > 5 * HALF_LOGPROB_TOLERANCE, "other tokens");
      }),
    );
    const exact = gradients(whole, completions);
    const rough = gradients(half, completions);
    assert.deepEqual([...rough.keys()], [...exact.keys()]);
    const global = Math.max(...[...exact.values()].map((gradient) => gradient.norm().item()));
    let numCompared = 0;
    for (const [name, want] of exact) {
      const norm = want.norm().item();
      if (norm < 1e-2 * global) continue;
      const got = rough.get(name)!.to("float32");
      const cosine = got.mul(want).sum().item() / (norm * got.norm().item());
      assert.ok(cosine > HALF_GRADIENT_COSINE, `${name}: ${cosine}`);
      numCompared++;
    }
    assert.ok(numCompared > 10, `${numCompared}`);
  });
  remove();
  assert.equal(numLiveTensors(), before);
});
