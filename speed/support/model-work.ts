// What bench:model times on our side, and the same inputs written for the Python side: prompts with a video and a sound
// each, different questions, the golden checkpoint.
import { join } from "node:path";
import type { MediaClip } from "../../src/media/clip.ts";
import { generate } from "../../src/models/decoder/generate.ts";
import { languageModel, runPrompts } from "../../src/models/decoder/language.ts";
import { decoderLayers } from "../../src/models/decoder/layers.ts";
import type { DecoderPrompt } from "../../src/models/decoder/prompt.ts";
import type { PromptTokens } from "../../src/models/omni-model.ts";
import type { ThinkerFeatures } from "../../src/models/qwen-omni/clips.ts";
import { loadThinker } from "../../src/models/qwen-omni/load.ts";
import { patchRows } from "../../src/models/qwen-omni/patches.ts";
import { decoderPrompts } from "../../src/models/qwen-omni/prompt.ts";
import type { Thinker } from "../../src/models/qwen-omni/thinker.ts";
import { createRandom } from "../../src/random.ts";
import {
  indices,
  inference,
  op,
  scope,
  setNumThreads,
  tensor,
  torchVersion,
  writeSafetensors,
} from "../../src/tensor/index.ts";

const frameSide = 112;
const numFrames = 4;
const sampleRateHz = 16000;
const numSamples = 2 * sampleRateHz;
const questions = [
  "What emotion?",
  "What does the person feel, and why?",
  "Describe the voice.",
  "Is she sad or angry?",
];

/** Noise in colours and sound: two seconds, 32 + 50 tokens. */
function clip(seed: number): MediaClip {
  const random = createRandom(seed);
  const frames = Uint8Array.from({ length: numFrames * frameSide * frameSide * 3 }, () => random.int(256));
  const waveform = Float32Array.from({ length: numSamples }, () => (random.int(2001) - 1000) / 2048);
  const size = { height: frameSide, width: frameSide };
  return { frames, numFrames, ...size, fps: 2, waveform, sampleRateHz, durationSeconds: 2 };
}

export class ModelWork {
  readonly version: string;
  readonly #model: Thinker;
  readonly #features: readonly ThinkerFeatures[];
  readonly #tokens: readonly PromptTokens[];

  constructor(directory: string, numPrompts: number, numThreads: number) {
    setNumThreads(numThreads);
    this.version = torchVersion();
    this.#model = loadThinker(directory);
    this.#features = Array.from({ length: numPrompts }, (_, i) => this.#model.features(clip(i)));
    this.#tokens = this.#features.map((shape, i) => this.#model.promptTokens(questions[i % questions.length]!, shape));
  }

  /** The batch as transformers' processor would hand it over. */
  writeInputs(folder: string): string {
    const file = join(folder, "inputs.safetensors");
    const longest = Math.max(...this.#tokens.map(({ ids }) => ids.length));
    const size = [this.#tokens.length, longest];
    const padded = this.#tokens.flatMap(({ ids }) => [
      ...Array<number>(longest - ids.length).fill(this.#model.config.ids.pad),
      ...ids,
    ]);
    const mask = this.#tokens.flatMap(({ ids }) =>
      Array.from({ length: longest }, (_, i) => Number(i >= longest - ids.length)),
    );
    scope(() => {
      const looks = this.#features.map(({ video }) => video!);
      const sounds = this.#features.map(({ audio }) => audio!);
      const rows = looks.map(({ input }) => patchRows(input, { dtype: "float32", device: "cpu" }));
      const mels = sounds.map(({ mel, numFrames: count }) => tensor(mel, [128, count]));
      writeSafetensors(
        file,
        new Map([
          ["input_ids", indices(padded, size)],
          ["attention_mask", indices(mask, size)],
          ["pixel_values_videos", op.cat(rows, { dim: 0 })],
          [
            "video_grid_thw",
            indices(
              looks.flatMap(({ grid }) => [...grid]),
              [looks.length, 3],
            ),
          ],
          ["video_second_per_grid", op.ones([looks.length])],
          ["input_features", op.stack(mels)],
          [
            "feature_attention_mask",
            indices(
              sounds.flatMap(({ numFrames: count }) => Array<number>(count).fill(1)),
              [sounds.length, sounds[0]!.numFrames],
            ),
          ],
        ]),
      );
    });
    return file;
  }

  /** Towers, language model and the logits of every position; returns the sum of the last rows, which tells mistakes. */
  forward(): number {
    return inference(() =>
      scope(() => {
        const { config } = this.#model;
        const parameters = this.#model.parameters();
        const layers = decoderLayers(parameters, config.text);
        const hidden = runPrompts(languageModel(parameters, config.text, layers), this.#prompts());
        const logits = op.linear(hidden, parameters.get("lm_head.weight")!);
        return logits
          .select(1, logits.size(1) - 1)
          .sum()
          .item();
      }),
    );
  }

  /** Ids of `numNewTokens` tokens for every prompt and sample, towers included. No token ends a sequence. */
  generate(numNewTokens: number, samplesPerPrompt: number): number[][] {
    return inference(() =>
      scope(() => {
        const { config } = this.#model;
        const parameters = this.#model.parameters();
        const language = languageModel(parameters, config.text, decoderLayers(parameters, config.text, true));
        const isGreedy = samplesPerPrompt === 1;
        const rules = { stopIds: [], bannedIds: [] };
        const numRows = this.#tokens.length * samplesPerPrompt;
        const options = {
          numSamples: samplesPerPrompt,
          maxNewTokens: numNewTokens,
          temperature: isGreedy ? 0 : 1,
          seeds: Array.from({ length: numRows }, (_, i) => i),
        };
        return generate(language, this.#prompts(), options, rules)
          .flat()
          .map(({ ids }) => [...ids]);
      }),
    );
  }

  #prompts(): DecoderPrompt[] {
    const rows = this.#model.encode(this.#features);
    const prompts = this.#tokens.map((tokens, i) => ({ tokens, rows: rows[i]! }));
    return decoderPrompts(prompts, this.#model.config.ids);
  }
}
