// A thinker with a LoRA adapter over the weights of another one. What learns and what is saved is the adapter; the model
// that it was made from is the same model with the adapter off: the reference policy at no cost.
import type { Tensor } from "../../tensor/index.ts";
import type { WeightSource } from "../decoder/projection.ts";
import { type AdapterOptions, freshAdapter, type LoraAdapter, readAdapter } from "../lora/adapter.ts";
import type { LoraConfig } from "../lora/config.ts";
import { writeCheckpoint } from "./checkpoint.ts";
import { linearLayers, parameterSpecs } from "./parameters.ts";
import { Thinker } from "./thinker.ts";

export class AdaptedThinker extends Thinker {
  readonly base: Thinker;
  readonly adapter: LoraAdapter;

  /** Borrows the base, which must outlive it, and owns the adapter. */
  constructor(base: Thinker, adapter: LoraAdapter) {
    super(base.parts);
    this.base = base;
    this.adapter = adapter;
  }

  /** The adapter's. */
  override parameters(): ReadonlyMap<string, Tensor> {
    return this.adapter.parameters();
  }

  /** Writes the adapter as PEFT does. */
  override save(directory: string): void {
    this.adapter.save(directory);
  }

  /** Writes the whole model with the adapter merged into its weights, one at a time. */
  saveMerged(directory: string): void {
    writeCheckpoint(directory, this.parts.checkpoint, (name, weight) => this.adapter.merged(name, weight));
  }

  override [Symbol.dispose](): void {
    this.adapter[Symbol.dispose]();
  }

  protected override weights(): WeightSource {
    const weights = this.base.parameters();
    return { get: (name) => weights.get(name), adapterOf: (layer) => this.adapter.get(layer) };
  }
}

/** A fresh adapter on a model, which it does not change yet. @throws CheckpointError ERR_ADAPTER_TARGETS */
export function addAdapter(base: Thinker, config: LoraConfig, seed: number): AdaptedThinker {
  const layers = linearLayers(parameterSpecs(base.config));
  const { device } = base.parameters().values().next().value!;
  return new AdaptedThinker(base, freshAdapter(layers, config, base.parts.checkpoint.directory, seed, { device }));
}

/** A model with an adapter of PEFT's format. @throws CheckpointError ERR_ADAPTER_*, ERR_CHECKPOINT_* */
export function loadAdapter(base: Thinker, directory: string, options: AdapterOptions = {}): AdaptedThinker {
  const { device } = base.parameters().values().next().value!;
  const layers = linearLayers(parameterSpecs(base.config));
  return new AdaptedThinker(base, readAdapter(directory, layers, { device, ...options }));
}
