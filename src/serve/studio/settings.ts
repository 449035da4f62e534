// What `oppo studio` can be told.
import { z } from "zod";
import { addressSettings } from "../address-settings.ts";

const { host, port } = addressSettings(8300, 1);

export const studioSettings = z.strictObject({
  control: z.boolean().default(false).meta({ description: "let the page stop runs, and go on with stopped ones" }),
  host,
  port,
});
