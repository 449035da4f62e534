// What every program that trains can be told about what learns and how: which weights, in what numbers, where, how much memory
// for how much time, and the optimizer. The schemas of `oppo train` and `oppo sft` spread it.
import { z } from "zod";
import {
  count,
  deviceSetting,
  dtypeSetting,
  optionalCount,
  optionalText,
  videoTimeSetting,
  wholeNumber,
} from "../corpus/settings.ts";
import type { LoraConfig } from "../models/lora/config.ts";
import type { SettingsOf } from "../run/config.ts";
import type { IdleRule } from "../run/idle-settings.ts";

const unit = z.number().min(0).max(1);
const positive = z.number().positive();
const weight = z.number().min(0);

export const learnerSettings = {
  trainable: z
    .enum(["full", "decoder", "lora"])
    .default("decoder")
    .describe("what learns: the weights themselves (which: parts), those of the decoder alone, or an adapter"),
  parts: z
    .array(z.enum(["decoder", "projector", "gate", "question", "towers"]))
    .min(1)
    .default(["decoder", "projector", "gate", "towers"])
    .describe(
      "of a full training: decoder; projector, the last layers of the towers; gate, what weighs HumanOmni's projectors by the question; " +
        "question, the encoder of the question (HumanOmni's BERT); towers, all before the projectors",
    ),
  lora: z
    .strictObject({
      rank: count.default(16).describe("of the adapter"),
      alpha: positive.default(32).describe("the adapter's scale is alpha / rank"),
      dropout: z
        .number()
        .min(0)
        .lt(1)
        .default(0)
        .describe("share of an adapted layer's inputs left out of its adapter"),
      targets: optionalText(
        "layers with an adapter: ends of their names with commas between (q_proj,v_proj), all-linear, or one pattern of whole names",
        "every projection of the decoder",
      ),
    })
    .prefault({}),
  device: deviceSetting,
  dtype: dtypeSetting(
    "numbers that the model computes with; beside bfloat16 stand master weights and moments in float32",
    "as the model is stored",
  ),
  videoTime: videoTimeSetting,
  recompute: z
    .enum(["auto", "on", "off"])
    .default("auto")
    .describe("keep only what enters every layer and compute the rest again on the way back; auto: of large models"),
  shardOptimizer: z
    .boolean()
    .default(false)
    .describe(
      "of several processes each keeps its part of masters, moments and summed gradients (ZeRO-2), to save memory",
    ),
  promptsPerMicroBatch: optionalCount("prompts whose graphs are alive at once", "all"),
  tokensPerChunk: optionalCount("tokens with vocabulary-sized rows at once", "what is fast"),
  learningRate: positive.nullable().default(null).meta({
    description: "of AdamW",
    standard: "by the model's size",
    paper: "2e-6, 7B",
  }),
  warmupSteps: wholeNumber.default(10).describe("linear warm-up"),
  schedule: z.enum(["linear", "cosine"]).default("linear").describe("how the learning rate falls after the warm-up"),
  learningRateFloor: unit.default(0.1).describe("share of the learning rate at the last step"),
  weightDecay: weight.default(0).describe("AdamW"),
  beta1: unit.default(0.9).describe("AdamW"),
  beta2: unit.default(0.98).describe("AdamW"),
  maxGradNorm: positive.default(1).describe("gradient clipping"),
} as const;

const learnerSchema = z.strictObject(learnerSettings);

export type LearnerSettings = SettingsOf<typeof learnerSchema>;

/** An adapter's targets: ends of names with commas between, or one pattern. */
export function targetsOf(text: string): LoraConfig["targets"] {
  if (text === "all-linear") return text;
  return /^[\w.]+(,[\w.]+)*$/.test(text) ? text.split(",") : text;
}

/** What idle rules of a learner look at. */
type WithTrainable = Pick<LearnerSettings, "trainable">;

export const learnerIdle: readonly IdleRule<WithTrainable>[] = [
  { paths: ["lora"], when: ({ trainable }) => trainable !== "lora", why: "trainable is not lora" },
  { paths: ["parts"], when: ({ trainable }) => trainable !== "full", why: "trainable is not full" },
];
