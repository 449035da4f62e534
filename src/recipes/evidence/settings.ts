// What `oppo evidence extract` can be told.
import { z } from "zod";
import {
  clientSettings,
  count,
  endpointSetting,
  fieldsSetting,
  filePath,
  optionalCount,
  optionalFile,
  optionalFolder,
  optionalText,
  requestFields,
  wholeNumber,
} from "../../corpus/settings.ts";
import type { SettingsOf } from "../../run/config.ts";
import type { IdleRule } from "../../run/idle-settings.ts";

export const extractSettings = z.strictObject({
  data: optionalFile("JSON lines: samples with a reasoning, or rows {id, text}"),
  fields: fieldsSetting,
  out: filePath("the JSON lines to write; .statistics.json and .review.html go beside it"),
  endpoint: endpointSetting("the language model that reads the accounts"),
  offline: z.boolean().default(false).describe("without a model: rules and a small lexicon, stamped as such"),
  dataset: optionalText("a published data set instead of --data; `oppo data list` has all", undefined, "name"),
  root: optionalFolder("where the data set is"),
  split: optionalText("of the data set; may be left out where there is one only", undefined, "name"),
  limit: optionalCount("only the first so many accounts", "all"),
  maxSkipped: wholeNumber.nullable().default(null).meta({
    description: "accounts without a usable result to tolerate",
    standard: "2%, at least 10",
  }),
  maxBadRows: wholeNumber.default(10).describe("rows that cannot be read to tolerate"),
  examples: count.default(40).describe("accounts on the page to review"),
  replyTokens: count.default(1024).meta({
    description: "limit of one reply; models that think first need more",
    group: "Asking a server:",
  }),
  extra: requestFields('further fields of a request: \'{"reasoning_effort": "low"}\'').meta({
    group: "Asking a server:",
  }),
  client: clientSettings,
});

export type ExtractSettings = SettingsOf<typeof extractSettings>;

export const extractIdle: readonly IdleRule<ExtractSettings>[] = [
  { paths: ["fields"], when: ({ data }) => data === null, why: "only rows of --data have keys of their own" },
  { paths: ["root", "split"], when: ({ dataset }) => dataset === null, why: "no --dataset is given" },
  {
    paths: ["client", "replyTokens", "extra"],
    when: ({ endpoint }) => endpoint === null,
    why: "no server is asked (--endpoint URL#MODEL)",
  },
];
