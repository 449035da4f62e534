// HumanOmni from its directory: checkpoint, both tokenizers, chat template, how it looks and listens, stop ids.
import { join } from "node:path";
import { OppoError } from "../../error.ts";
import { CheckpointError } from "../../tensor/error.ts";
import { loadChatTemplate } from "../../text/chat-template.ts";
import { parseJsonObject } from "../../text/json-file.ts";
import { loadTokenizer, type TextTokenizer } from "../../text/tokenizer.ts";
import { createWordPiece, type WordPiece } from "../../text/word-piece.ts";
import { generationStopIds } from "../checkpoint/generation-settings.ts";
import { requireModelDirectory } from "../checkpoint/model-directory.ts";
import { type LoadOptions, owning } from "../checkpoint/weight-files.ts";
import { type Checkpoint, readCheckpoint } from "./checkpoint.ts";
import { HumanOmni } from "./human-omni.ts";
import { mediaSettings } from "./processor.ts";

/** @throws CheckpointError, OppoError of the tokenizers' and template's files */
export function loadHumanOmni(directory: string, options: LoadOptions = {}): HumanOmni {
  requireModelDirectory(directory);
  if (options.videoTime !== undefined) {
    throw new OppoError(
      "ERR_CONFIG",
      `videoTime: expected none, got ${options.videoTime}. Prompts of HumanOmni count places, not time: leave it out.`,
    );
  }
  const tokenizer = loadTokenizer(directory);
  requireTurnTokens(tokenizer, directory);
  const template = loadChatTemplate(directory);
  const checkpoint = readCheckpoint(directory, options);
  return owning(new Map([...checkpoint.parameters, ...checkpoint.unused]), () => {
    const { config, companions, towers } = checkpoint;
    requireRoom(tokenizer, checkpoint);
    const media = mediaSettings(config, companions, towers, directory);
    const question = questionTokenizer(checkpoint);
    // generation_config.json wins where it names them.
    const stopIds = generationStopIds(companions) ?? config.stopIds;
    return new HumanOmni({ checkpoint, tokenizer, template, question, media, stopIds });
  });
}

const turnTokens = ["<|im_start|>", "<|im_end|>"];

/** Without them as tokens of their own a prompt would be spelled out, and no answer would end. */
function requireTurnTokens(tokenizer: TextTokenizer, directory: string): void {
  const spelled = turnTokens.find((token) => tokenizer.encode(token).length !== 1);
  if (spelled === undefined) return;
  throw new OppoError(
    "ERR_TOKENIZER_UNKNOWN_TOKEN",
    `${join(directory, "tokenizer.json")}: expected ${spelled} as an added token, got ordinary text. Fetch tokenizer.json and ` +
      "tokenizer_config.json of the model (those of Qwen2-VL have its 14 added tokens).",
  );
}

function requireRoom({ vocabSize }: TextTokenizer, { config, directory }: Checkpoint): void {
  if (vocabSize <= config.text.vocabSize) return;
  throw new CheckpointError(
    "ERR_CHECKPOINT_CONFIG",
    directory,
    `expected a tokenizer of at most ${config.text.vocabSize} tokens (vocab_size), got ${vocabSize}. It belongs to another model.`,
  );
}

function questionTokenizer({ companions, config, towers, directory }: Checkpoint): WordPiece {
  const { folder } = towers.question;
  const file = `${folder}/vocab.txt`;
  const path = join(directory, file);
  const vocabulary = companions.get(file);
  if (vocabulary === undefined) {
    throw new OppoError(
      "ERR_TOKENIZER_FILE",
      `${path}: expected the vocabulary of the question's encoder, got no such file. Fetch vocab.txt and tokenizer_config.json of ` +
        `google-bert/bert-base-uncased into ${join(directory, folder)}.`,
    );
  }
  const settings = companions.get(`${folder}/tokenizer_config.json`);
  const json =
    settings === undefined ? {} : parseJsonObject(settings, `${folder}/tokenizer_config.json`, "ERR_TOKENIZER_FILE");
  const { model_max_length: stated, do_lower_case: lowercase } = json;
  const { maxPositions, vocabSize } = config.question;
  const maxTokens = typeof stated === "number" && stated > 2 ? Math.min(stated, maxPositions) : maxPositions;
  return createWordPiece(vocabulary, path, { maxTokens, lowercase: lowercase !== false, maxPieces: vocabSize });
}
