// A LoRA adapter of a model: made fresh, read from and written to PEFT's files (adapter_config.json,
// adapter_model.safetensors), switched between training and inference, merged into weights.
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { type LowRank, lowRankScale, mergedDelta } from "../../nn/lora.ts";
import { deriveSeed } from "../../seeds.ts";
import {
  CheckpointError,
  type DType,
  Generator,
  keep,
  noGrad,
  op,
  openSafetensors,
  type SafetensorsFile,
  scope,
  type Tensor,
  writeSafetensors,
} from "../../tensor/index.ts";
import { readJsonFile } from "../../text/json-file.ts";
import { replaceText } from "../checkpoint/model-directory.ts";
import { type LoraConfig, loraConfigJson, parseLoraConfig } from "./config.ts";
import { moduleRanks, type RankOf, targetModules } from "./targets.ts";

const CONFIG_FILE = "adapter_config.json";
const WEIGHTS_FILE = "adapter_model.safetensors";
const KEY_PREFIX = "base_model.model.";
const THINKER = "thinker.";
/** Parts of a whole omni model that are not ours. */
const SPEECH_PARTS = /^(talker|token2wav)\./;
const MAX_LISTED = 6;

/** A linear layer that can be adapted. */
export interface LinearShape {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
}

export interface AdapterOptions {
  readonly device?: string;
  readonly dtype?: DType;
  /** A larger rank is refused before a tensor is read. Left out: none is. */
  readonly maxRank?: number;
  /** Looks for numbers that are none. */
  readonly checkValues?: boolean;
}

/** Owns the adapter's tensors. */
export class LoraAdapter implements Disposable {
  readonly config: LoraConfig;
  /** Written to the configuration: where the base model is. */
  readonly baseModel: string;
  /** Tensors of the file that belong to a whole model's speech parts, left out. */
  readonly numSkipped: number;
  readonly #modules: ReadonlyMap<string, Omit<LowRank, "dropout">>;
  #seed: number | null = null;
  #numPasses = 0;

  constructor(
    config: LoraConfig,
    baseModel: string,
    modules: ReadonlyMap<string, { down: Tensor; up: Tensor }>,
    numSkipped = 0,
  ) {
    const ranks = moduleRanks(config, baseModel);
    const scaleOf = (name: string) => {
      const { rank, alpha } = ranks(name);
      return lowRankScale(alpha, rank, config.isRankStabilised);
    };
    this.config = config;
    this.baseModel = baseModel;
    this.numSkipped = numSkipped;
    this.#modules = new Map([...modules].map(([name, { down, up }]) => [name, { down, up, scale: scaleOf(name) }]));
  }

  /** The adapter of a module; null when it has none. @param pass of `nextPass`: with its dropout */
  get(module: string, pass: number | null = null): LowRank | null {
    const adapter = this.#modules.get(module);
    if (adapter === undefined) return null;
    const dropout =
      pass === null || this.#seed === null
        ? null
        : { rate: this.config.dropout, seed: deriveSeed(this.#seed, "dropout", pass, module) };
    return { ...adapter, dropout };
  }

  /** The weights of a base with this over them. @param pass as of `get` */
  over(weights: ReadonlyMap<string, Tensor>, pass: number | null) {
    return { get: (name: string) => weights.get(name), adapterOf: (layer: string) => this.get(layer, pass) };
  }

  get modules(): readonly string[] {
    return [...this.#modules.keys()];
  }

  /** "<module>.lora_A.weight" and "<module>.lora_B.weight" -> tensor. */
  parameters(): ReadonlyMap<string, Tensor> {
    return new Map(
      [...this.#modules].flatMap(([name, { down, up }]): [string, Tensor][] => [
        [`${name}.lora_A.weight`, down],
        [`${name}.lora_B.weight`, up],
      ]),
    );
  }

  /** From here on passes that learn leave out inputs, by draws from a seed: one seed, the same draws. null: none any more. */
  train(seed: number | null): void {
    this.#seed = seed;
    this.#numPasses = 0;
  }

  /** Begins a forward pass that learns, which draws its own dropout; null while there is none. */
  nextPass(): number | null {
    return this.#seed === null || this.config.dropout === 0 ? null : this.#numPasses++;
  }

  /** A weight of the base ("<module>.weight") as it is with the adapter merged in: W + scale * B A. */
  merged(name: string, weight: Tensor, direction: 1 | -1 = 1): Tensor {
    const adapter = this.#modules.get(name.replace(/\.weight$/, ""));
    if (adapter === undefined || !name.endsWith(".weight")) return weight;
    const delta = mergedDelta({ ...adapter, dropout: null }).mul(direction);
    return weight.to(delta.dtype).add(delta).to(weight.dtype);
  }

  /**
   * Merges the adapter into weights in place, or takes it off again (-1): the model is then as fast as without one. Equal
   * up to rounding, and in half precision rounding is not small; keep the weights where that matters.
   */
  merge(weights: ReadonlyMap<string, Tensor>, direction: 1 | -1 = 1): void {
    noGrad(() => {
      for (const module of this.modules) {
        const weight = weights.get(`${module}.weight`)!;
        scope(() => void weight.copy_(this.merged(`${module}.weight`, weight, direction)));
      }
    });
  }

  /**
   * Writes PEFT's two files.
   * @param whole named as layers of the whole omni model, its targets as a list of endings: what vLLM reads
   */
  save(directory: string, { whole = false } = {}): void {
    mkdirSync(directory, { recursive: true });
    const prefix = `${KEY_PREFIX}${whole ? THINKER : ""}`;
    const stored = new Map([...this.parameters()].map(([name, value]) => [`${prefix}${name}`, value]));
    writeSafetensors(join(directory, WEIGHTS_FILE), stored, { format: "pt" });
    const endings = [...new Set(this.modules.map((name) => name.slice(name.lastIndexOf(".") + 1)))];
    const json = loraConfigJson(whole ? { ...this.config, targets: endings } : this.config, this.baseModel);
    replaceText(join(directory, CONFIG_FILE), `${JSON.stringify(json, null, 2)}\n`);
  }

  [Symbol.dispose](): void {
    for (const { down, up } of this.#modules.values()) {
      down.dispose();
      up.dispose();
    }
  }
}

/** A fresh float32 adapter: A uniform within 1 / sqrt(inputs), as PEFT draws it, B zero. It changes nothing yet. */
export function freshAdapter(
  layers: readonly LinearShape[],
  config: LoraConfig,
  baseModel: string,
  seed: number,
  options: AdapterOptions = {},
): LoraAdapter {
  const { device = "cpu", dtype = "float32" } = options;
  using generator = new Generator(seed);
  const chosen = new Set(
    targetModules(
      config,
      layers.map(({ name }) => name),
      baseModel,
    ),
  );
  const ranks = moduleRanks(config, baseModel);
  const modules = new Map<string, { down: Tensor; up: Tensor }>();
  for (const { name, inputs, outputs } of layers) {
    if (!chosen.has(name)) continue;
    const bound = inputs ** -0.5;
    const { rank } = ranks(name);
    scope(() => {
      const drawn = op
        .rand([rank, inputs], { generator })
        .mul_(2 * bound)
        .sub_(bound);
      modules.set(name, {
        down: keep(drawn.to({ device, dtype })),
        up: keep(op.zeros([outputs, rank], { device, dtype })),
      });
    });
  }
  return new LoraAdapter(config, baseModel, modules);
}

/**
 * Reads an adapter for a model with these layers. Every tensor must belong to one of them, in its shape, and the modules
 * that the configuration means must all be there.
 * @throws CheckpointError ERR_ADAPTER_CONFIG, ERR_ADAPTER_RANK, ERR_ADAPTER_TARGETS, ERR_ADAPTER_KEYS, ERR_CHECKPOINT_*
 */
export function readAdapter(
  directory: string,
  layers: readonly LinearShape[],
  options: AdapterOptions = {},
): LoraAdapter {
  if (!existsSync(join(directory, CONFIG_FILE))) {
    const message = `expected an adapter's folder with ${CONFIG_FILE}, got none. Check the path.`;
    throw new CheckpointError("ERR_CHECKPOINT_MISSING", directory, message);
  }
  const json = readJsonFile(directory, CONFIG_FILE, "ERR_ADAPTER_CONFIG");
  const config = parseLoraConfig(json, join(directory, CONFIG_FILE));
  requireRank(config, options.maxRank ?? Number.POSITIVE_INFINITY, join(directory, CONFIG_FILE));
  const targets = targetModules(
    config,
    layers.map(({ name }) => name),
    directory,
  );
  using file = openSafetensors(join(directory, WEIGHTS_FILE));
  const keys = adapterKeys(file);
  requireLayers(directory, file, keys, moduleRanks(config, directory), layers, targets);
  const convert = {
    ...(options.device ? { device: options.device } : {}),
    ...(options.dtype ? { dtype: options.dtype } : {}),
  };
  const take = (name: string) => scope(() => keep(file.tensor(keys.get(name)!).to({ ...convert, copy: true })));
  const modules = new Map(
    targets.map((name) => [name, { down: take(`${name}.lora_A.weight`), up: take(`${name}.lora_B.weight`) }]),
  );
  const base = typeof json.base_model_name_or_path === "string" ? json.base_model_name_or_path : "";
  const adapter = new LoraAdapter(config, base, modules, file.entries.size - keys.size);
  if (options.checkValues === true) requireFinite(adapter, join(directory, WEIGHTS_FILE));
  return adapter;
}

function requireRank({ rank, rankPattern = {} }: LoraConfig, maxRank: number, path: string): void {
  const largest = Math.max(rank, ...Object.values(rankPattern));
  if (largest <= maxRank) return;
  throw new CheckpointError(
    "ERR_ADAPTER_RANK",
    path,
    `expected a rank of at most ${maxRank}, got ${largest}. Serve with a larger limit, or train a smaller adapter.`,
  );
}

/** Disposes of an adapter that it refuses. */
function requireFinite(adapter: LoraAdapter, path: string): void {
  for (const [name, value] of adapter.parameters()) {
    const areNumbers = scope(() => Number.isFinite(noGrad(() => value.to({ dtype: "float32" }).abs().max().item())));
    if (areNumbers) continue;
    adapter[Symbol.dispose]();
    throw new CheckpointError(
      "ERR_CHECKPOINT_VALUES",
      path,
      `expected numbers, got NaN or infinity in ${name}. Save it again.`,
    );
  }
}

/** Our name of every tensor -> its key in the file. */
function adapterKeys(file: SafetensorsFile): Map<string, string> {
  const keys = new Map<string, string>();
  for (const key of file.entries.keys()) {
    const bare = key.startsWith(KEY_PREFIX) ? key.slice(KEY_PREFIX.length) : key;
    if (SPEECH_PARTS.test(bare)) continue;
    keys.set(bare.startsWith(THINKER) ? bare.slice(THINKER.length) : bare, key);
  }
  return keys;
}

function requireLayers(
  directory: string,
  file: SafetensorsFile,
  keys: ReadonlyMap<string, string>,
  ranks: RankOf,
  layers: readonly LinearShape[],
  targets: readonly string[],
): void {
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  const wanted = new Map<string, readonly number[]>();
  for (const name of targets) {
    const { inputs, outputs } = byName.get(name)!;
    const { rank } = ranks(name);
    wanted.set(`${name}.lora_A.weight`, [rank, inputs]);
    wanted.set(`${name}.lora_B.weight`, [outputs, rank]);
  }
  const wrong = [
    ...[...keys.keys()].filter((name) => !wanted.has(name)).map((name) => `unexpected ${name}`),
    ...[...wanted].flatMap(([name, shape]) => {
      const key = keys.get(name);
      if (key === undefined) return [`missing ${name}`];
      const stored = file.entries.get(key)!.shape;
      return stored.join() === shape.join() ? [] : [`${name} expected [${shape}], got [${stored}]`];
    }),
  ];
  if (wrong.length === 0) return;
  throw new CheckpointError(
    "ERR_ADAPTER_KEYS",
    join(directory, WEIGHTS_FILE),
    `expected the ${wanted.size} tensors of an adapter of this model, got ${wrong.slice(0, MAX_LISTED).join("; ")}` +
      `${wrong.length > MAX_LISTED ? "; ..." : ""}. Is it an adapter of this model?`,
  );
}
