// adapter_config.json of PEFT: which linear layers a LoRA adapter changes, its rank and scale. Variants that would give
// other numbers (DoRA, trained biases, whole modules saved) are refused.
import { z } from "zod";
import { CheckpointError } from "../../tensor/error.ts";

export interface LoraConfig {
  readonly rank: number;
  readonly alpha: number;
  readonly dropout: number;
  /** A list of name endings ("q_proj"), or one regular expression for whole names; PEFT's rules. */
  readonly targets: readonly string[] | string;
  /** alpha / sqrt(rank) instead of alpha / rank. */
  readonly isRankStabilised: boolean;
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

const unused = z.union([z.literal(false), z.null(), z.array(z.unknown()).length(0), z.strictObject({})]).optional();

const schema = z.looseObject({
  peft_type: z.literal("LORA"),
  r: z.number().int().positive(),
  lora_alpha: z.number().positive(),
  lora_dropout: z.number().min(0).lt(1).nullish(),
  target_modules: z.union([z.string(), z.array(z.string()).min(1)]),
  use_rslora: z.boolean().nullish(),
  bias: z.literal("none").nullish(),
  use_dora: unused,
  fan_in_fan_out: unused,
  modules_to_save: unused,
  rank_pattern: unused,
  alpha_pattern: unused,
  layers_to_transform: unused,
  layer_replication: unused,
  exclude_modules: unused,
  target_parameters: unused,
  trainable_token_indices: unused,
  lora_bias: unused,
});

const maxListed = 4;

/** @throws CheckpointError ERR_ADAPTER_CONFIG */
export function parseLoraConfig(json: unknown, path: string): LoraConfig {
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const issues = parsed.error.issues
      .slice(0, maxListed)
      .map(({ path: at, message }) => `${at.join(".")}: ${message}`);
    throw new CheckpointError(
      "ERR_ADAPTER_CONFIG",
      path,
      `expected a plain LoRA adapter, got ${issues.join("; ")}. Merge it in Python and give the merged model.`,
    );
  }
  const { r, lora_alpha, lora_dropout, target_modules, use_rslora } = parsed.data;
  return {
    rank: r,
    alpha: lora_alpha,
    dropout: lora_dropout ?? 0,
    targets: target_modules,
    isRankStabilised: use_rslora ?? false,
  };
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
    use_rslora: config.isRankStabilised,
    use_dora: false,
    bias: "none",
    fan_in_fan_out: false,
    modules_to_save: null,
    init_lora_weights: true,
    inference_mode: true,
  };
}

/** The modules of `names` that a configuration means, in their order. @throws CheckpointError ERR_ADAPTER_TARGETS */
export function targetModules(targets: LoraConfig["targets"], names: readonly string[], path: string): string[] {
  const matches = matcher(targets, path);
  const chosen = names.filter(matches);
  if (chosen.length > 0) return chosen;
  throw new CheckpointError(
    "ERR_ADAPTER_TARGETS",
    path,
    `expected target modules among the model's linear layers (such as ${names.slice(0, maxListed).join(", ")}), ` +
      `got ${JSON.stringify(targets)}, which matches none. Choose others.`,
  );
}

function matcher(targets: LoraConfig["targets"], path: string): (name: string) => boolean {
  if (targets === "all-linear") return () => true;
  if (typeof targets !== "string") {
    return (name) => targets.some((target) => name === target || name.endsWith(`.${target}`));
  }
  try {
    const expression = new RegExp(`^(?:${targets})$`);
    // Adapters of whole models name the thinker's modules with a prefix.
    return (name) => expression.test(name) || expression.test(`thinker.${name}`);
  } catch (cause) {
    const message = `expected a regular expression in target_modules, got ${targets}. Fix it.`;
    throw new CheckpointError("ERR_ADAPTER_TARGETS", path, message, { cause });
  }
}
