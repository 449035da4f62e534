// adapter_config.json of PEFT: which linear layers a LoRA adapter changes, their ranks and scales. A field that would give
// other numbers than plain LoRA is refused by name, a field that nobody here knows too, unless it is off; what is honoured,
// what changes nothing and what is refused is listed in docs/models.md.
import { z } from "zod";
import { CheckpointError } from "../../tensor/error.ts";
import { isOff, shownValue } from "../checkpoint/config-fields.ts";

export interface LoraConfig {
  readonly rank: number;
  readonly alpha: number;
  readonly dropout: number;
  /** A list of name endings ("q_proj"), or one regular expression for whole names; PEFT's rules. */
  readonly targets: readonly string[] | string;
  /** alpha / sqrt(rank) instead of alpha / rank. */
  readonly isRankStabilised: boolean;
  /** Modules that are left out though `targets` means them; the same two forms. */
  readonly excluded?: readonly string[] | string;
  /** Only modules of these layers; with a list of targets. */
  readonly layers?: readonly number[];
  /** What stands before a layer's number in a module's name; default anything. */
  readonly layerPatterns?: readonly string[];
  /** Pattern of module names -> their rank in place of `rank`; the first that matches counts. */
  readonly rankPattern?: Readonly<Record<string, number>>;
  readonly alphaPattern?: Readonly<Record<string, number>>;
}

/** Every projection of the decoder and nothing else, with `thinker.` or without. */
export const DECODER_TARGETS =
  "(thinker\\.)?model\\.layers\\.\\d+\\.(self_attn\\.[qkvo]_proj|mlp\\.(gate|up|down)_proj)";

export const defaultLora: LoraConfig = {
  rank: 16,
  alpha: 32,
  dropout: 0,
  targets: DECODER_TARGETS,
  isRankStabilised: false,
};

const ADVICE = "Merge the adapter in Python and give the merged model.";
const CHANGES_BASE = "changes the base model's weights when PEFT loads it";
const CONVERT =
  "Save it with PEFT's save_pretrained(path_initial_model_for_weight_conversion=...), which gives a plain adapter, or merge it.";

/** Initialisations that leave the base model alone: what they draw is overwritten by the file. */
const PLAIN_STARTS: readonly unknown[] = [true, false, null, undefined, "gaussian", "eva", "orthogonal"];

/** Fields that say how an adapter was trained or made, or matter only beside another field that is refused. */
const WITHOUT_EFFECT: readonly string[] = [
  ...["auto_mapping", "base_model_name_or_path", "revision", "task_type", "inference_mode", "peft_version"],
  // Of linear layers as nn.Linear has them PEFT itself takes no notice of fan_in_fan_out, and says so.
  ...["fan_in_fan_out", "megatron_core", "qalora_group_size", "ensure_weight_tying", "runtime_config"],
  // Settings of initialisations.
  ...["loftq_config", "eva_config", "corda_config", "lora_ga_config"],
  // ms-swift's, of its optimizer.
  ...["lora_dtype", "lorap_lr_ratio", "lorap_emb_lr"],
];

/** Fields of PEFT that would give other numbers, and what they are. */
const REFUSED: Readonly<Record<string, string>> = {
  alora_invocation_tokens: "an activated LoRA (aLoRA), which only acts from its invocation tokens on",
  use_dora: "DoRA, which also scales the weights",
  lora_bias: "biases of the adapter",
  modules_to_save: "whole modules saved beside the adapter",
  layer_replication: "layers that are repeated",
  target_parameters: "adapters of parameters that are no linear layers",
  trainable_token_indices: "trained rows of the embedding",
  use_qalora: "QA-LoRA, which pools its inputs",
  use_bdlora: "block-diagonal adapters",
  arrow_config: "a router over several adapters",
  kasa_config: "KaSA",
  velora_config: "VeLoRA",
  monteclora_config: "MonteCLoRA",
  megatron_config: "parallel layers of Megatron",
};

const names = z.union([z.string(), z.array(z.string())]);
const layer = z.number().int().nonnegative();

const schema = z.looseObject({
  peft_type: z.literal("LORA"),
  r: z.number().int().positive(),
  lora_alpha: z.number().positive(),
  lora_dropout: z.number().min(0).lt(1).nullish(),
  target_modules: z.union([z.string(), z.array(z.string()).min(1)]),
  exclude_modules: names.nullish(),
  layers_to_transform: z.union([layer, z.array(layer)]).nullish(),
  layers_pattern: names.nullish(),
  rank_pattern: z.record(z.string(), z.number().int().positive()).nullish(),
  alpha_pattern: z.record(z.string(), z.number().positive()).nullish(),
  use_rslora: z.boolean().nullish(),
  bias: z.literal("none").nullish(),
  init_lora_weights: z.unknown().optional(),
});

type Raw = z.infer<typeof schema>;

const maxListed = 4;

/** @throws CheckpointError ERR_ADAPTER_CONFIG */
export function parseLoraConfig(json: unknown, path: string): LoraConfig {
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const issues = parsed.error.issues.map(({ path: at, message }) => `${at.map(String).join(".")}: ${message}`);
    throw refusal(path, issues);
  }
  const raw = parsed.data;
  const wrong = [...startProblems(raw), ...variantProblems(raw), ...layerProblems(raw)];
  if (wrong.length > 0) throw refusal(path, wrong);
  return {
    rank: raw.r,
    alpha: raw.lora_alpha,
    dropout: raw.lora_dropout ?? 0,
    targets: raw.target_modules,
    isRankStabilised: raw.use_rslora ?? false,
    ...given("excluded", raw.exclude_modules),
    ...given("layers", asList(raw.layers_to_transform)),
    ...given("layerPatterns", asList(raw.layers_pattern)),
    ...given("rankPattern", raw.rank_pattern),
    ...given("alphaPattern", raw.alpha_pattern),
  };
}

function refusal(path: string, problems: readonly string[]): CheckpointError {
  const listed = problems.slice(0, maxListed).join("; ");
  return new CheckpointError(
    "ERR_ADAPTER_CONFIG",
    path,
    `expected a plain LoRA adapter, got ${listed}. ${listed.includes(CHANGES_BASE) ? CONVERT : ADVICE}`,
  );
}

function startProblems({ init_lora_weights: start }: Raw): string[] {
  if (PLAIN_STARTS.includes(start)) return [];
  return [
    `init_lora_weights ${shownValue(start)}, an initialisation that ${CHANGES_BASE}, or one that is not known here`,
  ];
}

function variantProblems(raw: Raw): string[] {
  const known = new Set([...Object.keys(schema.shape), ...WITHOUT_EFFECT]);
  return Object.entries(raw).flatMap(([key, value]) => {
    if (known.has(key) || isOff(value, key !== "alora_invocation_tokens")) return [];
    const meaning = Object.hasOwn(REFUSED, key) ? REFUSED[key] : "a field that is not known here";
    return [`${key} ${shownValue(value)}: ${meaning}`];
  });
}

/** PEFT refuses these itself. */
function layerProblems({
  target_modules: targets,
  layers_to_transform: layers,
  layers_pattern: patterns,
}: Raw): string[] {
  if (typeof targets !== "string" || (isOff(layers) && layers !== 0 && isOff(patterns))) return [];
  return ["layers_to_transform or layers_pattern beside a target_modules that is one pattern"];
}

function asList<T>(value: T | readonly T[] | null | undefined): readonly T[] | null {
  if (value === null || value === undefined) return null;
  return (Array.isArray(value) ? value : [value]) as readonly T[];
}

/** The field, left out where the file does not use it. */
function given<K extends string, V>(key: K, value: V | null | undefined): { readonly [k in K]?: V } {
  const isUsed = value !== null && value !== undefined && Object.keys(value).length > 0;
  return (isUsed ? { [key]: value } : {}) as { readonly [k in K]?: V };
}

/** The same as PEFT writes it. */
export function loraConfigJson(config: LoraConfig, baseModel: string): Record<string, unknown> {
  return {
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    base_model_name_or_path: baseModel,
    r: config.rank,
    lora_alpha: config.alpha,
    lora_dropout: config.dropout,
    target_modules: config.targets,
    exclude_modules: config.excluded ?? null,
    layers_to_transform: config.layers ?? null,
    layers_pattern: config.layerPatterns ?? null,
    rank_pattern: config.rankPattern ?? {},
    alpha_pattern: config.alphaPattern ?? {},
    use_rslora: config.isRankStabilised,
    use_dora: false,
    bias: "none",
    fan_in_fan_out: false,
    modules_to_save: null,
    init_lora_weights: true,
    inference_mode: true,
  };
}
