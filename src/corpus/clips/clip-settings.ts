// How a program that trains gets at its clips: held in memory or streamed, by how many decoders, how far ahead, kept where. None
// of it changes a number of the run but decodeSeconds, which decides what counts as unreadable.
import { z } from "zod";
import type { IdleRule } from "../../run/idle-settings.ts";
import { count, optionalFolder } from "../settings.ts";

const positive = z.number().positive();

export const clipSettings = z
  .strictObject({
    mode: z
      .enum(["auto", "memory", "stream"])
      .default("auto")
      .describe("memory: all clips decoded and encoded before the first step; stream: each when a step needs it"),
    memoryGigabytes: positive.default(1).describe("auto holds what takes up to this, and streams what takes more"),
    workers: count.default(2).describe("processes that decode"),
    ahead: count.default(2).describe("steps whose clips are decoded ahead of time"),
    aheadMegabytes: positive.default(256).describe("bound on clips that are decoded ahead of time"),
    cache: optionalFolder("where decoded clips are kept for the next epoch or run", "they are decoded again"),
    cacheGigabytes: positive.default(50).describe("size of that folder; the clips used longest ago go"),
    decodeSeconds: positive
      .default(600)
      .describe(
        "processor time for one file; with more, or twice that and a minute by the clock, it counts as unreadable",
      ),
  })
  .prefault({});

export type ClipSettings = Readonly<z.output<typeof clipSettings>>;

interface WithClips {
  readonly clips: ClipSettings;
}

export const idleClips: readonly IdleRule<WithClips>[] = [
  {
    paths: ["clips.ahead", "clips.aheadMegabytes"],
    when: ({ clips }) => clips.mode === "memory",
    why: "clips.mode is memory, so nothing is read ahead",
  },
  {
    paths: ["clips.memoryGigabytes"],
    when: ({ clips }) => clips.mode !== "auto",
    why: "clips.mode says whether clips are held",
  },
  { paths: ["clips.cacheGigabytes"], when: ({ clips }) => clips.cache === null, why: "there is no clips.cache" },
];

/** What may change when a run goes on: it decides nothing of what is learnt. */
export const changeableClips: readonly string[] = [
  "mode",
  "memoryGigabytes",
  "workers",
  "ahead",
  "aheadMegabytes",
  "cache",
  "cacheGigabytes",
].map((name) => `clips.${name}`);
