// New models: a small HumanOmni that is trained from scratch, and HumanOmni of the published shapes with random weights. Weights
// are drawn and written one at a time, so a model may be larger than the memory.
import { byteSize, scope } from "../../tensor/index.ts";
import { createTokenizer } from "../../text/tokenizer.ts";
import type { FreshOptions, TokenizerFiles } from "../architecture.ts";
import { drawParameter } from "../checkpoint/draw-parameter.ts";
import { CONFIG_FILE, writeModelFiles } from "../checkpoint/model-directory.ts";
import { writeWeights } from "../checkpoint/weight-files.ts";
import { parseConfig } from "./config/config.ts";
import { type FreshSize, freshConfig, freshTowers } from "./config/config-json.ts";
import { parameterSpecs } from "./parameters.ts";
import { humanOmniTokenizer, wordPieceVocabulary } from "./tokenizer-files.ts";

/** Writes a model with random weights: for tests and speed, or (tiny) to be trained. */
export function initHumanOmni(directory: string, size: FreshSize, files: TokenizerFiles, options: FreshOptions): void {
  const own = humanOmniTokenizer(files, size !== "tiny");
  const tokenizer = createTokenizer(own.tokenizerJson, own.tokenizerConfig);
  const vocabulary = wordPieceVocabulary(files);
  const towers = freshTowers(size, vocabulary.split("\n").length - 1);
  const json = freshConfig(size, tokenizer.vocabSize, tokenizer.idOf);
  const config = parseConfig(json, directory, towers);
  const dtype = size === "tiny" ? "float32" : options.dtype;
  const specs = new Map(parameterSpecs(config).map((spec) => [spec.name, spec]));
  const shapes = new Map([...specs].map(([name, { shape }]) => [name, { dtype, shape }]));
  let numBytes = 0;
  writeWeights(directory, shapes, (name) => {
    const parameter = scope(() => drawParameter(specs.get(name)!, config.text.numLayers, options.seed, dtype));
    numBytes += parameter.numel * byteSize(dtype);
    options.onProgress?.(numBytes);
    return parameter;
  });
  const pad = tokenizer.idOf("<|endoftext|>");
  const generation = { eos_token_id: [...config.stopIds, pad], pad_token_id: pad, do_sample: false };
  const companions = new Map([
    ["tokenizer.json", text(own.tokenizerJson)],
    ["tokenizer_config.json", text(own.tokenizerConfig)],
    ["chat_template.jinja", own.chatTemplate],
    ["generation_config.json", text(generation)],
    ["processor_config.json", text({ processor_class: "HumanOmniProcessor", square: "squash", stereo: "mean" })],
    ...Object.values(towers).map((tower) => [`${tower.folder}/${CONFIG_FILE}`, text(tower.json)] as const),
    [`${towers.question.folder}/vocab.txt`, vocabulary],
    [
      `${towers.question.folder}/tokenizer_config.json`,
      text({ tokenizer_class: "BertTokenizer", do_lower_case: true, model_max_length: config.question.maxPositions }),
    ],
  ]);
  writeModelFiles(directory, { ...json, torch_dtype: dtype }, companions);
}

function text(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
