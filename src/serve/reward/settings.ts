// What `oppo serve reward` can be told. What the reward is made of is training's own.
import { z } from "zod";
import {
  accuracySetting,
  clauseInstruction,
  clientSettings,
  deltaSetting,
  embedderSetting,
  fieldsSetting,
  idleInstruction,
  idleWithEmbedder,
  optionalFile,
  wholeNumber,
} from "../../corpus/settings.ts";
import { paperTerms } from "../../rl/rewards/terms.ts";
import type { SettingsOf } from "../../run/config.ts";
import type { IdleRule } from "../../run/idle-settings.ts";
import { rewardSchema } from "../../train/config.ts";
import { addressSettings } from "../address-settings.ts";

const trained = rewardSchema.shape;
const group = "The reward:";

export const serveRewardSettings = z.strictObject({
  data: optionalFile("samples with cues and labels, one JSON object per line; requests then name a sample"),
  fields: fieldsSetting,
  embedder: embedderSetting("auto"),
  clauseInstruction,
  accuracy: accuracySetting,
  weight: z
    .array(z.string())
    .default([])
    .meta({
      description: "of a reward term; may be given several times",
      standard: paperTerms.map(({ name, weight }) => `${name}=${weight}`).join(", "),
      value: "term=number",
      source: "Eq. 5",
      group,
    }),
  threshold: deltaSetting.meta({ ...deltaSetting.meta(), group }),
  empty: trained.emptyKind.meta({ ...trained.emptyKind.meta(), group }),
  anyFormat: z
    .boolean()
    .default(false)
    .meta({ description: "malformed completions may earn R_omni too (training: they do not)", group }),
  maxSkippedRows: wholeNumber.default(100).describe("rows of --data that may be no samples"),
  client: clientSettings,
  ...addressSettings(8200, 16),
});

export const serveRewardIdle: readonly IdleRule<SettingsOf<typeof serveRewardSettings>>[] = [
  { paths: ["fields", "maxSkippedRows"], when: ({ data }) => data === null, why: "no rows are read (--data FILE)" },
  ...idleWithEmbedder,
  idleInstruction,
];
