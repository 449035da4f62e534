// Who samples, in a run's settings: this process, or servers that are given the policy's weights step by step.
import { z } from "zod";
import { count, optionalFolder, optionalText } from "../../corpus/settings.ts";
import type { CorrectionOptions } from "../../rl/objectives/correction.ts";
import type { IdleRule } from "../../run/idle-settings.ts";

const group = "Rollouts from a server:";
const addressForm = /^https?:\/\/[^\s,/?#@]+(\/[^\s,?#@]*)?$/;
const maxServers = 64;

/** "http://a:8000,http://b:8000/v1" -> addresses without an end of their own. */
export function serverAddresses(text: string): string[] {
  return text.split(",").map((one) => one.trim().replace(/\/+$/, "").replace(/\/v1$/, ""));
}

function isListOfServers(text: string): boolean {
  const addresses = serverAddresses(text);
  const isEach = addresses.every((address) => addressForm.test(address));
  return isEach && addresses.length <= maxServers && new Set(addresses).size === addresses.length;
}

export const rolloutSettings = {
  rollouts: z
    .string()
    .refine(isListOfServers, {
      message: "expected addresses such as http://HOST:8000, with commas between them, each once",
    })
    .nullable()
    .default(null)
    .meta({
      description: "servers that sample the completions: vLLM, or oppo serve model",
      value: "addresses",
      standard: "this process samples",
      group,
    }),
  rolloutAhead: z
    .union([z.literal(0), z.literal(1)])
    .default(0)
    .meta({
      description:
        "1: completions of the next step are sampled while this one is computed, by weights that are one update older",
      group,
    }),
  rolloutFolder: optionalFolder(
    "where adapters and weights are put for the servers, which must see it under the same path",
    "RUN/rollouts",
  ).meta({ group }),
  rolloutConcurrency: count.default(8).meta({ description: "prompts at once that a server is asked about", group }),
  rolloutTimeout: z.number().positive().max(86_400).default(600).meta({
    description: "for the answers to one prompt",
    value: "seconds",
    group,
  }),
  rolloutPatience: z.number().positive().max(604_800).default(900).meta({
    description: "for servers that do not answer, before the run stops",
    value: "seconds",
    group,
  }),
  rolloutKeyEnv: optionalText(
    "the environment variable with the servers' bearer token",
    "none is sent",
    "variable",
  ).meta({
    group,
  }),
  rolloutCorrection: z.enum(["auto", "none", "token", "sequence"]).default("auto").meta({
    description:
      "weighs the policy's term by min(exp(l_old - l_engine), cap), per token or per rollout; auto: per token where servers sample",
    paper: "not said",
    group,
  }),
  rolloutCorrectionCap: z.number().positive().default(3).meta({ description: "no such weight is larger", group }),
};

interface RolloutChoice {
  readonly rollouts: string | null;
  readonly rolloutCorrection: "auto" | "none" | "token" | "sequence";
  readonly oldLogprobs: "current" | "sampler" | "start";
}

interface CorrectionChoice extends RolloutChoice {
  readonly rolloutCorrectionCap: number;
}

const ofServers = ["rolloutAhead", "rolloutFolder", "rolloutConcurrency", "rolloutTimeout", "rolloutPatience"];

/** Servers move, and their number decides nothing of what is learned. */
export const changeableRollouts: readonly string[] = ["rollouts", ...ofServers.slice(1), "rolloutKeyEnv"];

export const rolloutIdle: readonly IdleRule<RolloutChoice>[] = [
  {
    paths: [...ofServers, "rolloutKeyEnv"],
    when: ({ rollouts }) => rollouts === null,
    why: "no server samples (--rollouts URL would ask one)",
  },
  {
    paths: ["rolloutCorrectionCap"],
    when: (config) => formOf(config) === "none",
    why: "nothing is corrected (rolloutCorrection)",
  },
  {
    paths: ["rolloutCorrection"],
    when: ({ oldLogprobs }) => oldLogprobs === "sampler",
    why: "oldLogprobs is sampler: the ratio itself is taken against the engine, and the weight would be 1",
  },
];

function formOf({ rollouts, rolloutCorrection: form, oldLogprobs }: RolloutChoice): CorrectionOptions["form"] {
  // Against the sampler's own log-probabilities the ratio is the correction.
  if (oldLogprobs === "sampler") return "none";
  if (form !== "auto") return form;
  return rollouts === null ? "none" : "token";
}

export function correctionOf(config: CorrectionChoice): CorrectionOptions {
  return { form: formOf(config), cap: config.rolloutCorrectionCap };
}
