// What `oppo pull` can be told.
import { z } from "zod";
import { optionalFolder } from "../../corpus/settings.ts";

export const pullSettings = z.strictObject({
  revision: z.string().min(1).default("main").meta({ description: "branch, tag or commit", value: "name" }),
  dir: optionalFolder("where it goes", "models/ and the repository's name"),
  anyModel: z.boolean().default(false).describe("all safetensors, also of a model that oppo does not read"),
});
