// What `oppo score questions` can be told.
import { z } from "zod";
import { count, filePath, optionalText, seedSetting } from "../../../corpus/settings.ts";
import type { SettingsOf } from "../../../run/config.ts";

export const questionsSettings = z.strictObject({
  questions: filePath("the questions: id, answer and, where there are any, media, task, choices, pair"),
  missing: z
    .enum(["refuse", "empty"])
    .default("refuse")
    .meta({ description: "questions without an answer", value: "rule" }),
  nameColumn: optionalText("the column with the questions' ids in the answers", undefined, "name"),
  textColumn: optionalText("the column with the answers", undefined, "name"),
  resamples: count.default(1000).describe("of the bootstrap, over clips"),
  seed: seedSetting("of the bootstrap", 1),
});

export type QuestionsSettings = SettingsOf<typeof questionsSettings>;
