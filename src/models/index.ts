// Models by directory. One architecture so far; config.json's model_type decides.

import type { LoadOptions } from "./checkpoint/weight-files.ts";
import { loadThinker } from "./qwen-omni/load.ts";
import type { Thinker } from "./qwen-omni/thinker.ts";

export type { LoadOptions } from "./checkpoint/weight-files.ts";
export { joinRows } from "./clip-rows.ts";
export type { LoraAdapter } from "./lora/adapter.ts";
export { DECODER_TARGETS, defaultLora, type LoraConfig } from "./lora/config.ts";
export { AdaptedThinker, addAdapter, loadAdapter } from "./qwen-omni/adapted.ts";
export {
  type FreshOptions,
  initPublished,
  initTiny,
  type PublishedSize,
  type TinyOverrides,
  type TokenizerFiles,
} from "./qwen-omni/init.ts";
export type { Thinker } from "./qwen-omni/thinker.ts";
export {
  loadTextEmbedder,
  SEARCH_INSTRUCTION,
  type TextEmbedder,
  type TextEmbedderOptions,
} from "./qwen-text/embedder.ts";
export { loadTextModel, type TextModel } from "./qwen-text/text-model.ts";

/**
 * Loads a Hugging Face style directory; the caller disposes the model. Parameters do not require gradients until asked to.
 * @throws CheckpointError
 */
export function loadModel(directory: string, options: LoadOptions = {}): Thinker {
  return loadThinker(directory, options);
}
