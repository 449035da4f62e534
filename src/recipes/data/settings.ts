// What `oppo data check` and `oppo data export` can be told.
import { z } from "zod";
import { filePath, optionalText, wholeNumber } from "../../corpus/settings.ts";

export const dataCheckSettings = z.strictObject({
  against: z
    .array(z.string())
    .default([])
    .meta({ description: "compare the names with another set's, trained on; repeatable", value: "name=root" }),
});

export const dataExportSettings = z.strictObject({
  out: filePath("the JSON lines to write"),
  split: optionalText("which split; may be left out where there is one only", undefined, "name"),
  sound: z
    .enum(["files", "video"])
    .default("files")
    .meta({ description: "the layout's sound files where it has them, or the videos' own tracks", value: "source" }),
  missing: z
    .enum(["refuse", "leave-out"])
    .default("refuse")
    .meta({ description: "samples without their clip or sound file", value: "rule" }),
  maxSkippedRows: wholeNumber.default(10).describe("bad rows of the tables to tolerate"),
});
