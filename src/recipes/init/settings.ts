// What `oppo init` can be told.
import { z } from "zod";
import { dtypeSetting, seedSetting } from "../../corpus/settings.ts";
import { freshShapes } from "../../models/registry.ts";
import type { SettingsOf } from "../../run/config.ts";
import type { IdleRule } from "../../run/idle-settings.ts";

const shapes = [...freshShapes().keys()] as [string, ...string[]];

export const initSettings = z.strictObject({
  arch: z.enum(shapes).describe("the shape"),
  random: z.literal(true).meta({
    description: "draw the weights (there is no other way yet)",
  }),
  seed: seedSetting("seed of the weights"),
  dtype: dtypeSetting("of the weights", "bfloat16; small models are always float32"),
});

export const initIdle: readonly IdleRule<SettingsOf<typeof initSettings>>[] = [
  {
    paths: ["dtype"],
    when: ({ arch, dtype }) => freshShapes().get(arch) === null && dtype !== "float32",
    why: "small models are always float32",
  },
];
