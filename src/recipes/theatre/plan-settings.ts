// What `oppo theatre build` can be told: the plan of a corpus, how much of it, where it goes.
import { availableParallelism } from "node:os";
import { z } from "zod";
import { count, folderPath, optionalCount, seedSetting } from "../../corpus/settings.ts";
import { type CorpusPlan, defaultPlan } from "../../data/theatre/plan.ts";
import { troupes } from "../../data/theatre/troupes.ts";
import { OppoError } from "../../error.ts";
import { type ConfigSources, type DeepReadonly, resolveConfig } from "../../run/config.ts";

const format = defaultPlan.format;

/** The plan as settings: splits by name, so that `--set splits.sft.numClips=10` says what it means. */
const planSchema = z.strictObject({
  seed: seedSetting("everything about the corpus follows from it", defaultPlan.seed),
  splits: z
    .record(
      z.string().regex(/^[a-z0-9][a-z0-9-]*$/i, "expected a name of letters, digits and hyphens"),
      z.strictObject({
        kind: z
          .enum(["train", "decorrelated", "congruent", "conflict"])
          .describe("how the emotions of face and voice go together"),
        numClips: count,
        troupe: z.enum(troupes).optional().describe("who plays; the second has other faces, voices and lines"),
      }),
    )
    .default(splitsByName(defaultPlan))
    .meta({
      description:
        "splits by name, each { kind: train, decorrelated, congruent or conflict, numClips }; troupe: second has other faces, voices and lines",
      standard: defaultPlan.splits.map(({ name, numClips }) => `${name} ${numClips}`).join(", "),
    }),
  format: z
    .strictObject({
      size: z.int().min(56).multipleOf(2).default(format.size).describe("width and height in pixels"),
      fps: z.number().positive().default(format.fps).describe("frames per second"),
      seconds: z.number().positive().max(60).default(format.seconds).describe("length of a clip"),
      sampleRateHz: z.int().min(8000).default(format.sampleRateHz).describe("of the sound"),
      crf: z.int().min(0).max(51).default(format.crf).describe("x264's quality, 0 is best"),
      preset: z.enum(["ultrafast", "superfast", "veryfast"]).default(format.preset).describe("x264's speed"),
    })
    .prefault({}),
});

export type PlanConfig = DeepReadonly<z.infer<typeof planSchema>>;

export const theatreSettings = z.strictObject({
  out: folderPath("where the corpus goes").default("runs/theatre"),
  clips: optionalCount("so many in all, shared out over the plan's splits", "as the plan says"),
  workers: count.default(availableParallelism()).describe("processes that render at the same time"),
  ...planSchema.shape,
});

export type TheatreSettings = DeepReadonly<z.infer<typeof theatreSettings>>;

/** The splits that `--set` changes when no file brings splits of its own. */
const standardPlan = { splits: splitsByName(defaultPlan) };

/** @throws ConfigError */
export function resolveTheatre(sources: ConfigSources): TheatreSettings {
  return resolveConfig(theatreSettings, {
    ...sources,
    ...(sources.file === undefined ? { preset: standardPlan } : {}),
  });
}

function splitsByName({ splits }: CorpusPlan) {
  return Object.fromEntries(splits.map(({ name, ...split }) => [name, split]));
}

/** The plan with so many clips in all, each split with its share and one at least. @throws OppoError ERR_PLAN */
export function planWithClips(plan: PlanConfig, numClips: number | null): PlanConfig {
  const splits = Object.entries(plan.splits);
  if (numClips === null) return plan;
  if (numClips < splits.length) {
    throw new OppoError(
      "ERR_PLAN",
      `--clips ${numClips}: expected at least one for each of the ${splits.length} splits (${splits.map(([name]) => name).join(", ")}). Ask for more, or give a plan with fewer splits (--config).`,
    );
  }
  const total = splits.reduce((sum, [, split]) => sum + split.numClips, 0);
  const spare = numClips - splits.length;
  // Cut at rounded running sums, so that the parts add up to the whole.
  let seen = 0;
  const shared = splits.map(([name, split]) => {
    const before = Math.round((seen / total) * spare);
    seen += split.numClips;
    return [name, { ...split, numClips: 1 + Math.round((seen / total) * spare) - before }] as const;
  });
  return { ...plan, splits: Object.fromEntries(shared) };
}

/** Example: "3000 clips of 2 s at 256 x 256: warm-up 1000 (decorrelated), sft 800 (train), ..." */
export function planText({ splits, format: { size, seconds } }: PlanConfig): string {
  const entries = Object.entries(splits);
  const total = entries.reduce((sum, [, { numClips }]) => sum + numClips, 0);
  const parts = entries.map(([name, { kind, numClips }]) => `${name} ${numClips} (${kind})`);
  return `${total} clips of ${seconds} s at ${size} x ${size}: ${parts.join(", ")}`;
}
