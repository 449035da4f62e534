// Adapters on any model: a fresh one, or one from PEFT's files. The model says which of its layers may change.

import { type AdapterOptions, freshAdapter, readAdapter } from "./lora/adapter.ts";
import type { LoraConfig } from "./lora/config.ts";
import type { AdaptedModel, OmniModel } from "./omni-model.ts";

/** A fresh adapter on a model, which it does not change yet. @throws CheckpointError ERR_ADAPTER_TARGETS */
export function addAdapter(base: OmniModel, config: LoraConfig, seed: number): AdaptedModel {
  const { device, directory } = base;
  return base.withAdapter(freshAdapter(base.linearLayers(), config, directory, seed, { device }));
}

/** A model with an adapter of PEFT's format. @throws CheckpointError ERR_ADAPTER_*, ERR_CHECKPOINT_* */
export function loadAdapter(base: OmniModel, directory: string, options: AdapterOptions = {}): AdaptedModel {
  const { device } = base;
  return base.withAdapter(readAdapter(directory, base.linearLayers(), { device, ...options }));
}
