// What `oppo studio` can be told.
import { z } from "zod";
import { optionalFolder } from "../../corpus/settings.ts";
import { addressSettings } from "../address-settings.ts";

const { host, port } = addressSettings(8300, 1);

export const studioSettings = z.strictObject({
  control: z.boolean().default(false).meta({ description: "let the page stop runs, and go on with stopped ones" }),
  media: optionalFolder("clips that links of a data file's folder lead to are shown if they lie below it", "none are"),
  annotations: optionalFolder("where decisions about cues are written", "beside each corpus"),
  host,
  port,
});
