// What `oppo launch` can be told, beside the command that it starts.
import { z } from "zod";
import { count } from "../../corpus/settings.ts";

export const launchSettings = z.strictObject({
  processes: count.describe("how many, on this machine; with --device cuda each takes a GPU of its own"),
});

/** Commands that several processes can run together. */
export const launchable = ["train", "sft"];
