// What decoding owes every prompt whatever shares its batch: the trainer's log-probabilities, the same tokens alone and together,
// every modality alone, a penalty on new tokens only; and adapters on decoder, towers and gate.
import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { addAdapter, loadAdapter } from "../../../src/models/adapt.ts";
import type { HumanOmni } from "../../../src/models/human-omni/human-omni.ts";
import { loadHumanOmni } from "../../../src/models/human-omni/load.ts";
import { defaultLora } from "../../../src/models/lora/config.ts";
import type { ModelPrompt, OmniModel, SampledCompletion } from "../../../src/models/omni-model.ts";
import { noGrad, numLiveTensors, op, scope, type Tensor } from "../../../src/tensor/index.ts";
import { onHost } from "../../support/device.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { mixedPrompts, promptAbout, seedsOf, shownFeatures, tinyHumanOmni } from "./tiny.ts";

const LOGPROB_TOLERANCE = 1e-5;
const ORDER_TOLERANCE = 1e-5;
const MISTAKE = 1e-2;

function withModel(body: (model: HumanOmni) => void): void {
  const before = numLiveTensors();
  scope(() => {
    using model = tinyHumanOmni(1);
    body(model);
  });
  assert.equal(numLiveTensors(), before);
}

/** Largest difference between the sampler's log-probabilities and the trainer's. */
function worstLogprob(
  model: OmniModel,
  prompts: readonly ModelPrompt[],
  sampled: readonly (readonly SampledCompletion[])[],
): number {
  return noGrad(() =>
    scope(() => {
      const hidden = model.hidden(
        prompts,
        sampled.map((own) => own.map(({ ids }) => ids)),
      );
      let worst = 0;
      for (const [n, { ids, logprobs }] of sampled.flat().entries()) {
        const own = onHost(model.logits(hidden.select(0, n).narrow(0, 0, ids.length)).logSoftmax(-1));
        ids.forEach((id, t) => {
          worst = Math.max(worst, Math.abs(own.select(0, t).select(0, id).item() - logprobs[t]!));
        });
      }
      return worst;
    }),
  );
}

test("the sampler's log-probabilities are the trainer's, for prompts of every kind in one batch", () =>
  withModel((model) => {
    const prompts = mixedPrompts(model);
    for (const setting of [{ temperature: 1 }, { temperature: 0.7, topK: 20, topP: 0.9 }, { temperature: 0 }]) {
      const sampled = model.sample(prompts, { numSamples: 2, maxNewTokens: 12, seeds: seedsOf(8), ...setting });
      assert.ok(worstLogprob(model, prompts, sampled) < LOGPROB_TOLERANCE, JSON.stringify(setting));
      const other = sampled.map((own) =>
        own.map(({ ids, ...rest }) => ({ ...rest, ids: ids.map((id) => (id + 1) % 256) })),
      );
      assert.ok(worstLogprob(model, prompts, other) > MISTAKE, "other tokens");
    }
  }));

test("a sequence does not depend on which others are in its batch", () =>
  withModel((model) => {
    const prompts = mixedPrompts(model);
    const options = { maxNewTokens: 20, temperature: 1 };
    const together = model.sample(prompts, { ...options, numSamples: 3, seeds: seedsOf(12) });
    prompts.forEach((prompt, b) => {
      const [alone] = model.sample([prompt], { ...options, numSamples: 3, seeds: seedsOf(12).slice(3 * b, 3 * b + 3) });
      assert.deepEqual(
        together[b]!.map(({ ids }) => ids),
        alone!.map(({ ids }) => ids),
        `prompt ${b}`,
      );
    });
    const streamed: number[][] = prompts.map(() => []);
    model.sample(prompts, {
      ...{ ...options, numSamples: 1, seeds: seedsOf(4) },
      onToken: (prompt, _, { id }) => {
        streamed[prompt]!.push(id);
        return undefined;
      },
    });
    assert.ok(streamed.every((ids) => ids.length > 0));
  }));

test("the question steers how the clip is seen, and nothing else does", () =>
  withModel((model) => {
    const said = model.encodeText("a smile");
    const hiddenOf = (prompt: ModelPrompt): Tensor => noGrad(() => model.hidden([prompt], [[said]]));
    const features = shownFeatures(model, 1, "both") as Parameters<HumanOmni["encode"]>[0][0];
    const rows = noGrad(() => model.encode([features])[0]!);
    const asked = model.promptTokens("What is shown?", features);
    const other = model.promptTokens("And how is it?", features);
    const distance = (a: Tensor, b: Tensor) => scope(() => a.sub(b).abs().max().item());
    const base = hiddenOf({ tokens: asked, rows });
    const steered = { ...other, ids: asked.ids };
    assert.ok(distance(hiddenOf({ tokens: steered, rows }), base) > 1e-4, "another question of the gate alone");
    assert.equal(distance(hiddenOf({ tokens: { ...asked }, rows }), base), 0);
    const deaf = { ...rows, video: rows.video!.mul(0) };
    assert.ok(distance(hiddenOf({ tokens: asked, rows: deaf }), base) > MISTAKE);
    assert.throws(() => hiddenOf({ tokens: asked, rows: null }), { code: "ERR_MEDIA_ROW_COUNT" });
    assert.throws(() => model.hidden([{ tokens: asked, rows }], []), { code: "ERR_COMPLETIONS" });
  }));

test("a repetition penalty counts new tokens only", () =>
  withModel((model) => {
    const [prompt] = mixedPrompts(model) as [ModelPrompt];
    const options = { numSamples: 1, maxNewTokens: 1, temperature: 0 };
    const first = (repetitionPenalty: number) => model.sample([prompt], { ...options, repetitionPenalty })[0]![0]!.ids;
    assert.deepEqual(first(1e6), first(1), "the first token has nothing to repeat");
    const many = { ...options, maxNewTokens: 12 };
    const plain = model.sample([prompt], many)[0]![0]!.ids;
    const varied = model.sample([prompt], { ...many, repetitionPenalty: 1e6 })[0]![0]!.ids;
    assert.equal(new Set(varied).size, varied.length);
    assert.ok(plain.length > 0);
  }));

test("adapters: nothing at first, merged as applied, on towers and gate where asked for", async (t: TestContext) => {
  const folder = temporaryFolder(t);
  using base = tinyHumanOmni(1);
  const prompt = scope(() => noGrad(() => promptAbout(base, "What is shown?", 1)));
  const said = [[base.encodeText("a smile")]];
  const hiddenOf = (model: OmniModel, given: ModelPrompt = prompt): Tensor => noGrad(() => model.hidden([given], said));
  const same = (a: Tensor, b: Tensor) => scope(() => a.sub(b).abs().max().item());
  const plain = hiddenOf(base);
  using fresh = addAdapter(base, defaultLora, 3);
  assert.ok(same(hiddenOf(fresh), plain) < ORDER_TOLERANCE, "projections that are stacked, and apart");
  assert.ok(
    [...fresh.parameters().keys()].every((name) => /model\.layers\.\d+\./.test(name)),
    "the decoder's projections alone",
  );
  using wide = addAdapter(base, { ...defaultLora, targets: "all-linear" }, 3);
  const names = [...wide.parameters().keys()].join("\n");
  for (const part of [
    "bert_gate.0",
    "mm_projector.readout_body.2",
    "vision_model.encoder.layers.0.mlp.fc1",
    "audio_projector.0",
    "query",
  ]) {
    assert.ok(names.includes(part), part);
  }
  assert.ok(!/pooler|classifier|\.head\./.test(names));
  noGrad(() => {
    for (const [name, parameter] of wide.parameters()) if (name.includes("lora_B")) parameter.add_(0.01);
  });
  const features = shownFeatures(base, 1, "both") as Parameters<HumanOmni["encode"]>[0][0];
  const seen = scope(() => noGrad(() => ({ ...prompt, rows: wide.encode([features])[0]! })));
  const adapted = hiddenOf(wide, seen);
  assert.ok(same(adapted, plain) > 1e-3);
  wide.save(join(folder, "adapter"));
  using again = loadAdapter(base, join(folder, "adapter"));
  assert.equal(same(hiddenOf(again, seen), adapted), 0);
  wide.saveMerged(join(folder, "merged"));
  using merged = loadHumanOmni(join(folder, "merged"));
  const mergedPrompt = scope(() => noGrad(() => ({ ...prompt, rows: merged.encode([features])[0]! })));
  assert.ok(same(hiddenOf(merged, mergedPrompt), adapted) < 1e-4);
  assert.ok(op.equal(plain, hiddenOf(base)), "the base is as it was");
  for (const rows of [prompt.rows, seen.rows, mergedPrompt.rows]) rows?.[Symbol.dispose]();
});
