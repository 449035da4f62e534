// What `oppo serve model` can be told.
import { z } from "zod";
import {
  count,
  deviceSetting,
  dtypeSetting,
  optionalFolder,
  optionalText,
  wholeNumber,
} from "../../corpus/settings.ts";
import { addressSettings } from "../address-settings.ts";

const limits = "Limits:";
const media = "What media may come from:";

export const serveModelSettings = z.strictObject({
  name: optionalText("what clients call the model", "the folder's"),
  device: deviceSetting,
  dtype: dtypeSetting("convert the weights", "as stored"),
  maxContext: count
    .default(32768)
    .meta({ description: "longest prompt and answer together, in tokens", group: limits }),
  maxNewTokens: count.default(2048).meta({ description: "longest answer that may be asked for", group: limits }),
  maxBatch: count.default(32).meta({ description: "requests that decode together", group: limits }),
  maxBatchTokens: count
    .default(131072)
    .meta({ description: "places in the cache that they may take, which is memory", group: limits }),
  mediaCacheMb: wholeNumber
    .default(512)
    .meta({ description: "memory for what the towers made of media that come again", group: limits }),
  maxQueue: count.default(128).meta({ description: "requests that may wait; more get status 429", group: limits }),
  maxJobSeconds: count
    .default(600)
    .meta({ description: "work on one request before it is given up", unit: "seconds", group: limits }),
  allowMedia: optionalFolder("allow file: URLs below this folder").meta({ group: media }),
  allowFetch: z
    .boolean()
    .default(false)
    .meta({ description: "allow http and https URLs of public addresses", group: media }),
  ...addressSettings(8000, 64),
});
