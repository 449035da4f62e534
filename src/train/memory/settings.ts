// What a program that trains can be told about memory; no part of what a run is, so that its config.yaml does not hold it.
import { z } from "zod";

export const memorySettings = {
  dryRun: z
    .boolean()
    .default(false)
    .describe("print what a step takes of memory, and what to change where it does not fit; train nothing"),
  overcommit: z.boolean().default(false).describe("begin also where memory seems too small"),
} as const;
