// Settings by which a run is watched, the same for everything that trains: what stays of it, what it is evaluated on, who draws it.
import { z } from "zod";
import { count, optionalFile } from "../../corpus/settings.ts";
import type { IdleRule } from "../../run/idle-settings.ts";

export const watchSettings = {
  keep: count.default(1).describe("newest checkpoints that stay"),
  tensorboard: z.boolean().default(false).describe("write the curves as TensorBoard's event files too"),
};

export const evalSettings = {
  evalData: optionalFile("samples to evaluate on in the course of training; none that is trained on"),
  evalEvery: count.default(20).describe("steps between evaluations; the start and the end are evaluated too"),
  evalClips: count.default(32).describe("samples of evalData that are taken, at most"),
};

/** What says nothing without samples to evaluate on. */
export const idleWithoutEvaluation: IdleRule<{ readonly evalData: string | null }> = {
  paths: ["evalEvery", "evalClips", "bestBy"],
  when: ({ evalData }) => evalData === null,
  why: "nothing is evaluated (--eval-data)",
};
