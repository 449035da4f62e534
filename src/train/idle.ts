// Settings of config.ts that do nothing under others: of views that are off, of a term without weight, of a ratio that is 1.
import type { SettingsOf } from "../run/config.ts";
import type { IdleRule } from "../run/idle-settings.ts";
import { perceptionSchema, type trainSchema } from "./config.ts";
import { learnerIdle } from "./learner-settings.ts";
import { updateIdle } from "./method/update-settings.ts";
import { rolloutIdle } from "./rollouts/settings.ts";

const below = (group: string, names: readonly string[]) => names.map((name) => `${group}.${name}`);
/** What degraded clips are, for views and for completions about them. */
const ofMasks = ["maskRatio", "maskFamily", "maskDoses", "support"];
const ofViews = Object.keys(perceptionSchema.shape).filter(
  (name) =>
    !["views", "rolloutShare", "alikeWeight", "alikeKinds", "viewPasses", "sharedPrefix", ...ofMasks].includes(name),
);

export const methodIdle: readonly IdleRule<SettingsOf<typeof trainSchema>>[] = [
  {
    paths: below("perception", ofViews),
    when: ({ perception }) => perception.views === "none",
    why: "perception.views is none, so no masked input is looked at",
  },
  {
    paths: below("perception", ofMasks),
    when: ({ perception }) => perception.views === "none" && perception.rolloutShare === 0,
    why: "perception.views is none, so no masked input is looked at",
  },
  {
    paths: below("perception", ["alikeWeight", "alikeKinds"]),
    when: ({ perception }) => perception.rolloutShare === 0,
    why: "perception.rolloutShare is 0, so no completion is about a blank",
  },
  {
    paths: ["perception.alikeKinds"],
    when: ({ perception }) => perception.alikeWeight === 0,
    why: "perception.alikeWeight is 0",
  },
  {
    paths: below("perception", ["viewPasses", "sharedPrefix"]),
    when: ({ perception }) => perception.views === "none" && perception.alikeWeight === 0,
    why: "perception.views is none, so no masked input is looked at",
  },
  {
    paths: ["perception.maskRatio"],
    when: ({ perception }) => perception.maskDoses !== null,
    why: "perception.maskDoses says it",
  },
  {
    paths: ["perception.holdWeight"],
    when: ({ perception }) => perception.target === "farthest",
    why: "perception.target is farthest, so nothing is held",
  },
  {
    paths: ["perception.holdWeight"],
    when: ({ perception }) => perception.gradient === "full",
    why: "perception.gradient is full, and only the masked branch learns to hold",
  },
  {
    paths: below("perception", ["estimator", "gradient", "reduction", "capNats", "target", "holdWeight"]),
    when: ({ perception }) => perception.perceptionLossWeight === 0,
    why: "perception.perceptionLossWeight is 0",
  },
  {
    paths: below("perception", ["anchorTo", "anchorUntil"]),
    when: ({ perception }) => perception.anchorWeight === 0,
    why: "perception.anchorWeight is 0",
  },
  {
    paths: ["reward.maxUnjudged"],
    when: ({ reward }) => reward.judged.length === 0,
    why: "reward.judged is empty",
  },
  {
    paths: below("reward", ["emptyKind", "combineKinds"]),
    when: ({ reward }) => !reward.terms.some(({ name }) => name === "omni"),
    why: "reward.terms has no omni",
  },
  ...learnerIdle,
  { paths: ["overlongWeight"], when: ({ overlongBuffer }) => overlongBuffer === 0, why: "overlongBuffer is 0" },
  ...rolloutIdle,
  {
    paths: ["advantageMinStd"],
    when: ({ advantageScale }) => advantageScale === "none",
    why: "advantageScale is none, so nothing is divided by a standard deviation",
  },
  ...updateIdle,
];
