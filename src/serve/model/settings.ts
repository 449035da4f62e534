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
const weights = "Weights of a trainer:";

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
  logprobsMode: z.enum(["raw_logprobs", "processed_logprobs"]).default("raw_logprobs").meta({
    description: "log-probabilities of the model's own distribution, or of that at the request's temperature",
  }),
  allowWeights: optionalFolder("adapters and weights below this folder may be loaded while it runs").meta({
    group: weights,
  }),
  maxAdapters: count.default(8).meta({ description: "adapters that may be loaded at once", group: weights }),
  maxLoraRank: count.default(64).meta({ description: "largest rank of an adapter", group: weights }),
  allowMedia: optionalFolder("allow file: URLs below this folder").meta({ group: media }),
  allowFetch: z
    .boolean()
    .default(false)
    .meta({ description: "allow http and https URLs of public addresses", group: media }),
  ...addressSettings(8000, 64),
});
