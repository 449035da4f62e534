// Whole prompts of the reference: ids from texts, embeddings, hidden states, logits, greedy tokens, log-probabilities, a loss and
// its gradients. Every case that lies in the folder is run, those with answers as a batch of unequal lengths too.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { languageModel, runPrompts } from "../../../src/models/decoder/language.ts";
import { decoderLayers } from "../../../src/models/decoder/layers.ts";
import { layouts } from "../../../src/models/human-omni/conversation.ts";
import type { HumanOmni } from "../../../src/models/human-omni/human-omni.ts";
import { loadHumanOmni } from "../../../src/models/human-omni/load.ts";
import { decoderPrompts, type HumanOmniTokens, placeholders } from "../../../src/models/human-omni/prompt.ts";
import type { ChatTurn, ClipRows, ModelPrompt, PromptPart, SampledCompletion } from "../../../src/models/omni-model.ts";
import {
  indices,
  noGrad,
  op,
  openSafetensors,
  type SafetensorsFile,
  scope,
  type Tensor,
} from "../../../src/tensor/index.ts";
import { type SftExample, sftGradients, sftLoss } from "../../../src/train/sft.ts";
import { onHost, testDevice } from "../../support/device.ts";
import {
  type CaseInfo,
  distance,
  goldenFeatures,
  goldenJson,
  goldenOptions,
  goldenRoot,
  type Look,
  modelFolder,
  withGolden,
} from "./golden.ts";

const EMBEDDING_TOLERANCE = 2e-5;
const LOGIT_TOLERANCE = 5e-5;
const LOSS_TOLERANCE = 2e-5;
const GRADIENT_TOLERANCE = 2e-4;
const PENALTY = 1.3;
const MISTAKE = 0.1;

const cases = (): Record<string, CaseInfo> => {
  const all = goldenJson<{ cases: Record<string, CaseInfo> }>("INDEX.json").cases;
  return Object.fromEntries(
    Object.entries(all).filter(([name]) => existsSync(join(goldenRoot!, "cases", `${name}.safetensors`))),
  );
};

function withModel(body: (model: HumanOmni) => void): void {
  using model = loadHumanOmni(modelFolder(), { device: testDevice });
  scope(() => body(model));
}

/** The golden clip's rows as a model's towers see it; `reversed` shows its frames and its sound backwards. */
function rowsOf(model: HumanOmni, look: Look, modal: string, reversed = false): ClipRows {
  const { config } = model.parts.checkpoint;
  const { video, audio } = goldenFeatures(config, look);
  const clip = {
    video: modal.includes("video") || modal === "image" ? video.video : null,
    audio: modal.includes("audio") ? audio.audio : null,
  };
  if (modal === "image") {
    const frames = clip.video!.frames.subarray(0, clip.video!.frames.length / clip.video!.numFrames);
    const numTokens = clip.video!.numTokens / clip.video!.numFrames;
    return model.encode([{ video: { ...clip.video!, frames, numFrames: 1, key: "1", numTokens }, audio: null }])[0]!;
  }
  if (!reversed) return model.encode([clip])[0]!;
  const { frames, numFrames } = clip.video!;
  const size = frames.length / numFrames;
  const turned = Uint8Array.from(frames, (_, i) => frames[(numFrames - 1 - Math.floor(i / size)) * size + (i % size)]!);
  const { mel } = clip.audio!;
  const { numMels, maxPositions } = config.audio;
  const window = 2 * maxPositions;
  const backwards = Float32Array.from(
    { length: numMels * window },
    (_, i) => mel[i - (i % window) + window - 1 - (i % window)]!,
  );
  return model.encode([{ video: { ...clip.video!, frames: turned }, audio: { ...clip.audio!, mel: backwards } }])[0]!;
}

/** A row of the reference's ids as ours: every placeholder as often as its medium has rows. */
function tokensOf(model: HumanOmni, ids: readonly number[], question: string, rows: ClipRows | null): HumanOmniTokens {
  const counts = new Map<number, number>([
    [placeholders.image, rows?.video?.size(0) ?? 0],
    [placeholders.video, rows?.video?.size(0) ?? 0],
    [placeholders.audio, rows?.audio?.size(0) ?? 0],
  ]);
  const all = ids.flatMap((id) => Array<number>(counts.get(id) ?? 1).fill(id));
  const read = model.parts.question.encode(question);
  return { ids: Int32Array.from(all), question: read, lens: read.join() } as HumanOmniTokens;
}

interface Outputs {
  readonly embedded: Tensor;
  /** After the final norm, [B, T, D]. */
  readonly hidden: Tensor;
}

/** Hidden states of whole prompts, left-padded. */
function run(model: HumanOmni, prompts: readonly ModelPrompt[], change: object = {}): Outputs {
  const { parameters, config } = model.parts.checkpoint;
  const text = { ...config.text, ...change };
  const placed = decoderPrompts(parameters, config, prompts);
  const decoder = languageModel(parameters, text, decoderLayers(parameters, text));
  const embedded = placed.map(({ ids, media }) => {
    const rows = op.embedding(decoder.embedding, indices(ids).to({ device: testDevice }));
    for (const { places, rows: own } of media) rows.indexCopy_(0, indices([...places]).to({ device: testDevice }), own);
    return rows;
  });
  return { embedded: embedded[0]!, hidden: runPrompts(decoder, placed) };
}

function compareLogits(model: HumanOmni, file: SafetensorsFile, hidden: Tensor, name: string): void {
  const places = file.tensor("logit_positions").toInt32Array();
  const logits = onHost(model.logits(hidden.reshape([-1, hidden.size(-1)]))); // [T, V]
  const at = logits.indexSelect(0, indices(places));
  const worst = distance(at, file.tensor("logits").select(0, 0));
  assert.ok(worst <= LOGIT_TOLERANCE, `${name} logits: ${worst}`);
  assert.ok(
    distance(logits.logsumexp([-1]), file.tensor("logsumexp").select(0, 0)) <= LOGIT_TOLERANCE,
    `${name} logsumexp`,
  );
  assert.deepEqual(logits.argmax({ dim: -1 }).toInt32Array(), file.tensor("argmax").select(0, 0).toInt32Array(), name);
}

/** Runs of equal placeholders as one, as the reference writes them. */
function collapsed(ids: Int32Array): number[] {
  return [...ids].filter((id, i) => id >= 0 || ids[i - 1] !== id);
}

function userTurn(model: HumanOmni, modal: string, text: string, rows: ClipRows | null): ChatTurn[] {
  const count = (x: Tensor | null) => (x === null ? null : { key: "", numTokens: x.size(0) });
  const clip = { video: count(rows?.video ?? null), audio: count(rows?.audio ?? null) };
  const medium: PromptPart = modal === "image" ? { type: "image", image: clip } : { type: "clip", clip };
  assert.ok(model.vocabSize > 0);
  return [{ role: "user", parts: [medium, { type: "text", text }] }];
}

test(
  "prompts of inference: ids from texts, embeddings, hidden states, logits, greedy tokens with and without a penalty",
  goldenOptions,
  () => {
    const inference = Object.entries(cases()).filter(([, { modal }]) => modal !== undefined);
    assert.ok(inference.length >= 4);
    withModel((model) => {
      for (const [name, info] of inference) {
        withGolden(`cases/${name}.safetensors`, (file) => {
          const modal = info.modal!;
          const rows = modal === "text" ? null : rowsOf(model, "squash", modal);
          const tokens = model.chatTokens(userTurn(model, modal, info.question!, rows));
          const want = file.tensor("input_ids").toInt32Array();
          assert.deepEqual(collapsed(tokens.ids), [...want], `${name} ids`);
          assert.deepEqual(tokens, tokensOf(model, [...want], info.bert_text as string, rows), name);
          const prompt = { tokens, rows };
          const { embedded, hidden } = run(model, [prompt]);
          if (file.entries.has("spliced_embeds")) {
            assert.ok(
              distance(embedded, file.tensor("spliced_embeds").select(0, 0)) <= EMBEDDING_TOLERANCE,
              `${name} embeddings`,
            );
          }
          if (file.entries.has("hidden_final")) {
            assert.ok(distance(hidden, file.tensor("hidden_final")) <= LOGIT_TOLERANCE, `${name} hidden`);
          }
          compareLogits(model, file, hidden, name);
          for (const [key, repetitionPenalty] of [
            ["generated", 1],
            ["generated_rep_penalty_1_3", PENALTY],
          ] as const) {
            const [[said]] = model.sample([prompt], {
              numSamples: 1,
              maxNewTokens: 8,
              temperature: 0,
              repetitionPenalty,
            }) as [[SampledCompletion]];
            assert.deepEqual(said.ids, file.tensor(key).select(0, 0).toInt32Array(), `${name} ${key}`);
          }
          const other = run(model, [prompt], { ropeTheta: 1e4 });
          assert.throws(() => compareLogits(model, file, other.hidden, name), /logits/);
        });
      }
    });
  },
);

test("mistakes show in the prompt with video and sound", goldenOptions, () => {
  withModel((model) =>
    withGolden("cases/video_audio.safetensors", (file) => {
      const info = cases().video_audio!;
      const want = file.tensor("input_ids").toInt32Array();
      const rows = rowsOf(model, "squash", "video_audio");
      const right = tokensOf(model, [...want], info.bert_text as string, rows);
      const residue = "<vi_start><vi_end><au_start><audio><au_end>";
      const equal = rows.video!.view([-1, 3, 64]).mean(1).repeat([1, 3]);
      const swapped = rows.video!.view([-1, 3, 64]).flip([1]).reshape([-1, 192]);
      const wrong: Record<string, ModelPrompt> = {
        "squares that are padded": { tokens: right, rows: rowsOf(model, "pad", "video_audio") },
        "a question with the fine-tuning's residue": {
          tokens: tokensOf(model, [...want], residue + info.bert_text, rows),
          rows,
        },
        "no gate": { tokens: right, rows: { ...rows, video: equal } },
        "lists in another order": { tokens: right, rows: { ...rows, video: swapped } },
        "frames and sound backwards": { tokens: right, rows: rowsOf(model, "squash", "video_audio", true) },
      };
      const logits = (prompt: ModelPrompt) =>
        onHost(model.logits(run(model, [prompt]).hidden.reshape([-1, 64]))).indexSelect(
          0,
          indices(file.tensor("logit_positions").toInt32Array()),
        );
      assert.ok(distance(logits({ tokens: right, rows }), file.tensor("logits").select(0, 0)) <= LOGIT_TOLERANCE);
      for (const [name, prompt] of Object.entries(wrong)) {
        assert.ok(distance(logits(prompt), file.tensor("logits").select(0, 0)) > MISTAKE, name);
      }
    }),
  );
});

interface TrainingRow {
  readonly prompt: ModelPrompt;
  readonly target: Int32Array;
}

/** The rows of a batch of fine-tuning with rows of media that carry gradients in grad mode. */
function trainingRows(model: HumanOmni, info: CaseInfo): TrainingRow[] {
  return info.answers!.map((answer, i) => {
    const rows = rowsOf(model, "pad", "video_audio", i === 1);
    const text = info.user_text![i]!.split("\n").slice(4).join("\n");
    const tokens = model.chatTokens(userTurn(model, "video_audio", text, rows), { layout: "sft" });
    return { prompt: { tokens, rows }, target: model.encodeText(`${answer}<|im_end|>\n`) };
  });
}

function batchOf(rows: readonly TrainingRow[]): SftExample[][] {
  return rows.map(({ prompt, target }) => [{ prompt, target, weights: new Float32Array(target.length).fill(1) }]);
}

const lossOf = (model: HumanOmni, rows: readonly TrainingRow[]) => sftLoss(model, batchOf(rows));

test("a batch of fine-tuning: ids, question, hidden states where rows differ in length, loss", goldenOptions, () => {
  const info = cases().sft_batch2!;
  withModel((model) =>
    withGolden("cases/sft_batch2.safetensors", (file) => {
      const rows = trainingRows(model, info);
      const width = file.tensor("input_ids").size(1);
      const ids = file.tensor("input_ids").toInt32Array();
      const mask = file.tensor("attention_mask").toInt32Array();
      const length = mask.length / 2;
      const whole = rows.map(({ prompt, target }): ModelPrompt => {
        return { ...prompt, tokens: { ...prompt.tokens, ids: Int32Array.of(...prompt.tokens.ids, ...target) } };
      });
      rows.forEach(({ prompt, target }, i) => {
        const own = [...collapsed(prompt.tokens.ids), ...target];
        assert.deepEqual(own, [...ids.subarray(i * width, i * width + own.length)], `ids of ${i}`);
        assert.deepEqual((prompt.tokens as HumanOmniTokens).question, model.parts.question.encode(info.bert_text[i]!));
      });
      const { hidden } = run(model, whole); // left-padded
      whole.forEach(({ tokens }, i) => {
        const numTokens = mask.subarray(i * length, (i + 1) * length).reduce((sum, kept) => sum + kept, 0);
        assert.equal(tokens.ids.length, numTokens);
        const own = hidden.select(0, i).narrow(0, hidden.size(1) - numTokens, numTokens);
        const want = file.tensor("hidden_final").select(0, i).narrow(0, 0, numTokens);
        assert.ok(distance(own, want) <= LOGIT_TOLERANCE, `hidden of ${i}: ${distance(own, want)}`);
      });
      const want = file.tensor("loss").item();
      assert.ok(Math.abs(lossOf(model, rows) - want) <= LOSS_TOLERANCE);
      const meanOfMeans = rows.reduce((sum, row) => sum + lossOf(model, [row]) / 2, 0);
      assert.ok(Math.abs(meanOfMeans - want) > 1e-2, "the mean of rows' means");
      const other = rows.map((row): TrainingRow => {
        const { tokens } = row.prompt;
        const question = model.parts.question.encode("What is shown?");
        return {
          ...row,
          prompt: { ...row.prompt, tokens: { ...tokens, question, lens: question.join() } as HumanOmniTokens },
        };
      });
      assert.ok(Math.abs(lossOf(model, other) - want) > 1e-3, "another question");
    }),
  );
});

for (const recomputes of [false, true])
  test(
    `gradients of that loss: decoder, projectors, gate, and BERT${recomputes ? ", layers computed again" : ""}`,
    goldenOptions,
    () => {
      const info = cases().sft_batch2!;
      const { grad_norms: norms, none } = goldenJson<{
        grad_norms: Record<string, number | null>;
        none: readonly string[];
      }>("grads.json");
      using file = openSafetensors(join(goldenRoot!, "grads.safetensors"));
      withModel((model) => {
        const parameters = model.parameters();
        const isTower = (name: string) => model.partOf(name).endsWith(" tower") && !model.isProjector(name);
        for (const [name, parameter] of parameters) parameter.requiresGrad = !isTower(name);
        const options = {
          promptsPerMicroBatch: recomputes ? 1 : null,
          tokensPerChunk: recomputes ? 7 : null,
          recomputes,
        };
        scope(() => void sftGradients(model, batchOf(trainingRows(model, info)), options));
        let numCompared = 0;
        for (const key of file.entries.keys()) {
          const match = /^grad(_rows8|_rows_256_271|_slice)?\.([^[]*)/.exec(key);
          if (match === null) continue;
          scope(() => {
            const gradient = onHost(parameters.get(match[2]!)!.grad!);
            const own =
              match[1] === "_rows_256_271"
                ? gradient.narrow(0, 256, 16)
                : match[1] === undefined
                  ? gradient
                  : gradient.narrow(0, 0, 8);
            const want = file.tensor(key);
            const worst = distance(own, want) / want.abs().max().item();
            assert.ok(worst <= GRADIENT_TOLERANCE, `${key}: ${worst}`);
            numCompared++;
          });
        }
        assert.equal(numCompared, 24);
        for (const [name, norm] of Object.entries(norms)) {
          if (norm === null) continue; // listed in `none`
          const own = noGrad(() => scope(() => parameters.get(name)!.grad!.square().sum().item() ** 0.5));
          assert.ok(Math.abs(own - norm) <= 1e-3 * norm + 1e-6, `${name}: ${own}, expected ${norm}`);
        }
        for (const name of none) assert.ok(parameters.get(name)?.grad == null, name);
      });
    },
  );

test("log-probabilities of two completions under the prompt of reinforcement learning", goldenOptions, () => {
  const info = cases().rl_logps!;
  withModel((model) =>
    withGolden("cases/rl_logps.safetensors", (file) => {
      const rows = rowsOf(model, "pad", "video_audio");
      const logprobs = (layout: string): Tensor => {
        const tokens = model.chatTokens(userTurn(model, "video_audio", info.bert_text as string, rows), { layout });
        if (layout === "rl") assert.deepEqual(collapsed(tokens.ids), [...file.tensor("prompt_ids").toInt32Array()]);
        const completions = [0, 1].map((i) => {
          const count = file.tensor("completion_mask").select(0, i).sum().item();
          return file.tensor("completion_ids").select(0, i).narrow(0, 0, count).contiguous().toInt32Array();
        });
        const hidden = model.hidden([{ tokens, rows }], [completions]);
        const logits = onHost(model.logits(hidden.reshape([-1, 64]))).view([2, hidden.size(1), -1]);
        const ids = file.tensor("completion_ids").narrow(1, 0, hidden.size(1)).unsqueeze(-1);
        const kept = file.tensor("completion_mask").narrow(1, 0, hidden.size(1));
        return logits.logSoftmax(-1).gather(2, ids).squeeze(-1).mul(kept);
      };
      const want = file.tensor("per_token_logps").mul(file.tensor("completion_mask"));
      const worst = distance(logprobs("rl"), want);
      assert.ok(worst <= LOGIT_TOLERANCE, String(worst));
      for (const layout of layouts.filter((name) => name !== "rl"))
        assert.ok(distance(logprobs(layout), want) > MISTAKE, layout);
    }),
  );
});

test("a batch whose rows have and lack media, where it is there", goldenOptions, (t) => {
  const [found] = Object.entries(cases()).filter(([name]) => name.startsWith("mixed"));
  if (found === undefined) return t.skip("kept apart for acceptance");
  const [name, info] = found;
  withModel((model) =>
    withGolden(`cases/${name}.safetensors`, (file) => {
      const ids = file.tensor("input_ids");
      const pad = model.encodeText("<|endoftext|>")[0]!;
      const mask = file.tensor("attention_mask");
      const prompts = (info.bert_text as readonly string[]).map((question, i): ModelPrompt => {
        const own = [...ids.select(0, i).contiguous().toInt32Array()];
        while (own.at(-1) === pad) own.pop();
        const has = (id: number) => own.includes(id);
        const modal = `${has(placeholders.video) ? "video" : ""}${has(placeholders.audio) ? "audio" : ""}`;
        const rows = modal === "" ? null : rowsOf(model, "pad", modal);
        return { tokens: tokensOf(model, own, question, rows), rows };
      });
      const { hidden } = run(model, prompts);
      const labels = file.tensor("labels_spliced");
      let [sum, count] = [0, 0];
      prompts.forEach(({ tokens }, i) => {
        const numTokens = tokens.ids.length;
        assert.ok(numTokens <= mask.select(0, i).sum().item() || numTokens > 0);
        const own = hidden.select(0, i).narrow(0, hidden.size(1) - numTokens, numTokens);
        const logprobs = onHost(model.logits(own)).logSoftmax(-1);
        const targets = labels.select(0, i).contiguous().toInt32Array();
        for (let at = 1; at < numTokens; at++) {
          if (targets[at]! < 0) continue;
          sum -= logprobs
            .select(0, at - 1)
            .select(0, targets[at]!)
            .item();
          count++;
        }
      });
      assert.ok(Math.abs(sum / count - file.tensor("loss").item()) <= LOSS_TOLERANCE);
    }),
  );
});
