// What the parity script compares: our models, trained a little so that nothing is at its start, saved, and the inputs with
// our own outputs beside them. Every model lies in a folder of its own below `root`.
import { cpSync } from "node:fs";
import { join } from "node:path";
import { buildTheatreTokenizer } from "../../src/data/theatre/tokenizer.ts";
import { addAdapter } from "../../src/models/adapt.ts";
import { joinRows } from "../../src/models/clip-rows.ts";
import { defaultLora } from "../../src/models/lora/config.ts";
import type { ChatOptions, ChatTurn } from "../../src/models/omni-model.ts";
import type { ThinkerFeatures } from "../../src/models/qwen-omni/clips.ts";
import { initTiny } from "../../src/models/qwen-omni/init.ts";
import { loadThinker } from "../../src/models/qwen-omni/load.ts";
import { patchRows } from "../../src/models/qwen-omni/patches.ts";
import type { AdaptedThinker, Thinker } from "../../src/models/qwen-omni/thinker.ts";
import { readTextCheckpoint } from "../../src/models/qwen-text/checkpoint.ts";
import { loadTextModel, TextModel } from "../../src/models/qwen-text/text-model.ts";
import { AdamW } from "../../src/nn/index.ts";
import { indices, noGrad, op, scope, type Tensor, tensor, writeSafetensors } from "../../src/tensor/index.ts";
import { sftGradients } from "../../src/train/sft.ts";
import { stripes } from "../models/qwen-omni/tiny.ts";
import { sharedPath } from "../support/shared.ts";

/** One comparison: what Python loads, what it is given, what we got. */
export interface Probe {
  readonly name: string;
  readonly kind: "thinker" | "causal" | "base";
  readonly directory: string;
  readonly adapter?: string;
  readonly inputs: string;
  readonly inside: boolean;
  /** Rows that predict the reply (or the last hidden states), float32 [kept, n]. */
  readonly expected: Float32Array;
  /** The same rows before the training: what a comparison must tell apart. */
  readonly untrained: Float32Array;
}

const sftSteps = 6;
const learningRate = 2e-3;
const reply = "<think>the audio carries a loud voice.</think><answer>angry</answer>";

interface Question {
  readonly name: string;
  readonly features: readonly ThinkerFeatures[];
  readonly turns: readonly ChatTurn[];
  readonly inside: boolean;
}

function questionsOf(model: Thinker): Question[] {
  const clip = (seed: number) => model.features(model.fitClip(stripes(seed)));
  const [one, two] = [clip(1), clip(2)] as const;
  const still = { ...stripes(3), numFrames: 1, frames: stripes(3).frames.subarray(0, 256 * 256 * 3) };
  const image = model.features(model.fitImage({ ...still, waveform: new Float32Array(0) }));
  const text = (words: string) => ({ type: "text", text: words }) as const;
  const turn = (...parts: ChatTurn["parts"][number][]): ChatTurn => ({ role: "user", parts });
  const both = [
    turn({ type: "clip", clip: one }, { type: "clip", clip: two }, text("who is angry?")),
    { role: "assistant", parts: [text("he is")] },
    turn(text("why?")),
  ] as const;
  return [
    { name: "text", features: [], turns: [turn(text("hello"))], inside: false },
    { name: "clip", features: [one], turns: [turn({ type: "clip", clip: one }, text("what is felt?"))], inside: false },
    { name: "two clips, turns", features: [one, two], turns: both, inside: false },
    {
      name: "image, sound inside",
      features: [image, two],
      turns: [turn({ type: "image", image }, { type: "clip", clip: two }, text("what is felt?"))],
      inside: true,
    },
  ];
}

function layoutOf(inside: boolean): ChatOptions {
  return inside ? { layout: "audio-in-video" } : {};
}

/** Logits that predict the reply, [C, V]. */
function replyLogits(model: Thinker, { features, turns, inside }: Question): Float32Array {
  return noGrad(() =>
    scope(() => {
      const tokens = model.chatTokens(turns, layoutOf(inside));
      const rows = features.length === 0 ? null : joinRows(model.encode(features));
      const hidden = model.hidden([{ tokens, rows }], [[model.encodeText(reply)]]);
      return model.logits(hidden.select(0, 0)).toFloat32Array();
    }),
  );
}

/** What transformers' processor would hand over: prompt and all but the last token of the reply. */
function writeInputs(file: string, model: Thinker, { features, turns, inside }: Question): void {
  scope(() => {
    const prompt = model.chatTokens(turns, layoutOf(inside)).ids;
    const target = model.encodeText(reply);
    const ids = Int32Array.from([...prompt, ...target.subarray(0, -1)]);
    const given = new Map<string, Tensor>([
      ["input_ids", indices(ids, [1, ids.length])],
      ["attention_mask", indices(new Int32Array(ids.length).fill(1), [1, ids.length])],
      ["kept", indices([target.length])],
    ]);
    const looks = features.flatMap(({ video }) => (video ? [video] : []));
    for (const [key, grids, own] of [
      ["pixel_values_videos", "video_grid_thw", looks.filter(({ grid }) => grid[0] > 1)],
      ["pixel_values", "image_grid_thw", looks.filter(({ grid }) => grid[0] === 1)],
    ] as const) {
      if (own.length === 0) continue;
      const patches = own.map(({ input }) => patchRows(input, { dtype: "float32", device: "cpu" }));
      given.set(key, op.cat(patches, { dim: 0 }));
      given.set(
        grids,
        indices(
          own.flatMap(({ grid }) => [...grid]),
          [own.length, 3],
        ),
      );
      if (key === "pixel_values_videos") given.set("video_second_per_grid", op.ones([own.length]));
    }
    const sounds = features.flatMap(({ audio }) => (audio ? [audio] : []));
    if (sounds.length > 0) {
      const longest = Math.max(...sounds.map(({ numFrames }) => numFrames));
      const pads = sounds.map(({ mel, numFrames }) =>
        op.constantPadNd(tensor(mel, [128, numFrames]), [0, longest - numFrames]),
      );
      const masks = sounds.map(({ numFrames }) => Array.from({ length: longest }, (_, i) => Number(i < numFrames)));
      given.set("input_features", op.stack(pads));
      given.set("feature_attention_mask", indices(masks.flat(), [sounds.length, longest]));
    }
    writeSafetensors(file, given);
  });
}

/** A few steps on the questions, towers included where their weights learn. */
function train(model: Thinker): void {
  const learning = [...model.parameters().values()];
  for (const parameter of learning) parameter.requiresGrad = true;
  const questions = questionsOf(model).filter(({ inside }) => !inside);
  const target = model.encodeText(reply);
  using optimizer = new AdamW([{ parameters: learning }], { lr: learningRate });
  for (let step = 0; step < sftSteps; step++) {
    scope(() => {
      optimizer.zeroGrad();
      const batch = questions.map(({ features, turns }) => {
        const rows = features.length === 0 ? null : joinRows(model.encode(features));
        const weights = new Float32Array(target.length).fill(1);
        return [{ prompt: { tokens: model.chatTokens(turns), rows }, target, weights }];
      });
      sftGradients(model, batch);
      optimizer.step();
    });
  }
  for (const parameter of learning) parameter.requiresGrad = false;
}

function thinkerProbes(root: string, name: string, model: Thinker, before: Float32Array[], directory: string): Probe[] {
  return questionsOf(model).map((question, i) => {
    const inputs = join(root, `${name}-${i}.safetensors`);
    writeInputs(inputs, model, question);
    const { inside } = question;
    const expected = replyLogits(model, question);
    const label = `${name}: ${question.name}`;
    return { name: label, kind: "thinker", directory, inputs, inside, expected, untrained: before[i]! };
  });
}

/** The tiny thinker: trained whole, then with an adapter, apart and merged, and in half precision. */
export function thinkers(root: string): { probes: Probe[]; directory: string } {
  const fresh = join(root, "fresh");
  const trained = join(root, "trained");
  initTiny(fresh, buildTheatreTokenizer(), 1);
  using model = loadThinker(fresh);
  const logits = (given: Thinker) => questionsOf(given).map((question) => replyLogits(given, question));
  const untrained = logits(model);
  train(model);
  model.save(trained);
  const probes = thinkerProbes(root, "thinker, trained", model, untrained, trained);
  const base = logits(model);
  using adapted = addAdapter(model, { ...defaultLora, rank: 4, alpha: 8 }, 3) as AdaptedThinker;
  train(adapted);
  adapted.save(join(root, "adapter"));
  adapted.saveMerged(join(root, "merged"));
  const withAdapter = thinkerProbes(root, "adapter, by PEFT", adapted, base, trained);
  probes.push(...withAdapter.map((probe) => ({ ...probe, adapter: join(root, "adapter") })));
  probes.push(...thinkerProbes(root, "adapter, merged", adapted, base, join(root, "merged")));
  using half = loadThinker(trained, { dtype: "bfloat16" });
  half.save(join(root, "half"));
  probes.push(...thinkerProbes(root, "thinker, bfloat16", half, untrained, join(root, "half")));
  return { probes, directory: trained };
}

/** The golden thinker, whose configuration is of transformers 5: trained and saved by us. */
export function goldenThinker(root: string): Probe[] {
  const directory = join(root, "golden");
  using model = loadThinker(join(sharedPath("golden/qwen-omni")!, "omni"));
  const untrained = questionsOf(model).map((question) => replyLogits(model, question));
  train(model);
  model.save(directory);
  return thinkerProbes(root, "golden thinker", model, untrained, directory);
}

function textProbe(root: string, name: string, model: TextModel, kind: Probe["kind"]): Probe {
  const directory = join(root, name);
  const { vocabSize } = model.config.text;
  const ids = Int32Array.from({ length: 23 }, (_, i) => (i * 37 + 11) % Math.min(vocabSize, 500));
  const inputs = join(root, `${name}.safetensors`);
  const rows = () =>
    noGrad(() =>
      scope(() => {
        const hidden = model.hiddenStates([ids]);
        return (kind === "base" ? hidden : model.logits(hidden)).toFloat32Array();
      }),
    );
  const untrained = rows();
  perturb(model);
  model.save(directory);
  scope(() => {
    const given = { input_ids: indices(ids, [1, ids.length]), kept: indices([ids.length]) };
    writeSafetensors(inputs, new Map(Object.entries(given)));
  });
  return { name: name.replaceAll("-", " "), kind, directory, inputs, inside: false, expected: rows(), untrained };
}

/** One large step along the gradient of the text's own likelihood. */
function perturb(model: TextModel): void {
  const learning = [...model.parameters().values()];
  for (const parameter of learning) parameter.requiresGrad = true;
  using optimizer = new AdamW([{ parameters: learning }], { lr: learningRate });
  const ids = Int32Array.from({ length: 16 }, (_, i) => (i * 29 + 5) % 500);
  scope(() => {
    const logits = model.logits(model.hiddenStates([ids])).select(0, 0);
    op.crossEntropyLoss(logits.narrow(0, 0, 15), indices(ids.subarray(1))).backward();
    optimizer.step();
  });
  for (const parameter of learning) parameter.requiresGrad = false;
}

/** Qwen2 with a tied and with a head of its own, and Qwen3-Embedding. */
export function textModels(root: string): Probe[] {
  const golden = sharedPath("golden/qwen-omni")!;
  const probes: Probe[] = [];
  {
    using tied = loadTextModel(join(golden, "qwen2_tied"));
    probes.push(textProbe(root, "qwen2-tied", tied, "causal"));
  }
  {
    const checkpoint = readTextCheckpoint(join(golden, "qwen2_tied"), "optional");
    const head = scope(() => checkpoint.parameters.get("model.embed_tokens.weight")!.flip([0]).clone());
    const parameters = new Map([...checkpoint.parameters, ["lm_head.weight", head] as const]);
    const json = { ...checkpoint.config.json, tie_word_embeddings: false };
    using untied = new TextModel({ ...checkpoint, parameters, config: { ...checkpoint.config, json } });
    probes.push(textProbe(root, "qwen2-untied", untied, "causal"));
  }
  {
    using embedder = loadTextModel(join(golden, "qwen3_embed"));
    probes.push(textProbe(root, "qwen3-embedding", embedder, "base"));
    cpSync(join(golden, "qwen3_embed/tokenizer.json"), join(root, "qwen3-embedding/tokenizer.json"));
  }
  return probes;
}
