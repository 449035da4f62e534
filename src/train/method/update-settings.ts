// Settings of GRPO's updates beyond the paper's one update per step against the present policy: what its relatives and other
// trainers offer. All of them are off by default, and then change nothing.
import { z } from "zod";
import { count, optionalCount, wholeNumber } from "../../corpus/settings.ts";
import type { IdleRule } from "../../run/idle-settings.ts";

const unit = z.number().min(0).max(1);
const share = z.number().gt(0).max(1);

export const updateSettings = {
  oldLogprobs: z
    .enum(["current", "sampler", "start"])
    .default("current")
    .describe(
      "what the ratio is taken against: exactly 1, what the sampler reported, or what the trainer computed before the first update",
    ),
  ratioLevel: z.enum(["token", "sequence"]).default("token").meta({
    description: "whose ratio is clipped: a token's, or its sequence's (GSPO, clipLow 3e-4, clipHigh 4e-4)",
    paper: "not said",
  }),
  updatesPerRollout: count.default(1).meta({
    description: "updates on the completions of one step; all of them are done or none",
    paper: "not said",
  }),
  miniBatches: count
    .default(1)
    .describe("parts of a step's prompts, one per update; each round goes through all of them, drawn anew"),
  entropyWeight: z.number().min(0).default(0).describe("of the policy's entropy on its completions: a bonus"),
  referenceKlFloor: unit
    .default(1)
    .describe("share of referenceKlWeight to which it falls in a straight line; HumanOmni-V2 0.25"),
  referenceKlFall: share.default(0.5).describe("share of the run in which it falls"),
  referenceSyncEvery: optionalCount("steps after which the reference moves towards the policy (TR-DPO)", "never"),
  referenceSyncMix: share
    .default(0.6)
    .describe("share of the policy in the reference then: mix * policy + (1 - mix) * reference"),
  resampleRounds: wholeNumber
    .default(0)
    .describe(
      "further draws of prompts in place of those whose completions are all paid alike (DAPO's dynamic sampling); 0: they stay",
    ),
  advantageSpans: z
    .array(z.strictObject({ term: z.string(), span: z.enum(["context", "think"]) }))
    .default([])
    .meta({
      description:
        "reward terms whose advantage counts on a part of the completion alone, up to its </context> or </think> (HumanOmni-V2)",
      standard: "none",
    }),
} as const;

interface WithUpdates {
  readonly oldLogprobs: string;
  readonly referenceKlWeight: number;
  readonly referenceKlFloor: number;
  readonly referenceSyncEvery: number | null;
  readonly perception: { readonly views: string; readonly anchorWeight: number; readonly anchorTo: string };
}

export const updateIdle: readonly IdleRule<WithUpdates>[] = [
  {
    paths: ["clipLow", "clipHigh", "dualClip", "ratioLevel"],
    when: ({ oldLogprobs }) => oldLogprobs === "current",
    why: "oldLogprobs is current, so the ratio is 1 and nothing is clipped",
  },
  {
    paths: ["referenceKlEstimator", "referenceKlFloor"],
    when: ({ referenceKlWeight }) => referenceKlWeight === 0,
    why: "referenceKlWeight is 0",
  },
  {
    paths: ["referenceKlFall"],
    when: ({ referenceKlWeight, referenceKlFloor }) => referenceKlWeight === 0 || referenceKlFloor === 1,
    why: "the weight does not fall (referenceKlFloor)",
  },
  {
    paths: ["referenceSyncMix"],
    when: ({ referenceSyncEvery }) => referenceSyncEvery === null,
    why: "the reference stays (referenceSyncEvery)",
  },
  {
    paths: ["referenceSyncEvery"],
    when: ({ referenceKlWeight, perception }) =>
      referenceKlWeight === 0 &&
      (perception.views === "none" || perception.anchorWeight === 0 || perception.anchorTo === "full"),
    why: "nothing is held to the reference: referenceKlWeight is 0, and so is the anchor to it",
  },
];

/** The weight of the KL to the reference at a step: constant, or falling over the first part of the run to its floor. */
export function referenceKlAt(
  {
    referenceKlWeight: weight,
    referenceKlFloor: floor,
    referenceKlFall: fall,
    steps,
  }: {
    readonly referenceKlWeight: number;
    readonly referenceKlFloor: number;
    readonly referenceKlFall: number;
    readonly steps: number;
  },
  step: number,
): number {
  return floor === 1 ? weight : weight * (1 - (1 - floor) * Math.min(1, step / (fall * steps)));
}
