// The work that speed/oppo-step.ts times, through the demo's own code.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ClipLibrary } from "../../src/corpus/clips/clip-library.ts";
import { theatreKind } from "../../src/corpus/theatre-kind.ts";
import { buildTheatreTokenizer } from "../../src/data/theatre/tokenizer.ts";
import { initFresh } from "../../src/models/registry.ts";
import { AdamW, updateParameters } from "../../src/nn/index.ts";
import { demoSchema } from "../../src/recipes/demo/config.ts";
import { demoPaths } from "../../src/recipes/demo/paths.ts";
import { isTaskDone, runDemoTask } from "../../src/recipes/demo/run-task.ts";
import { fittedSplit, type SplitName, shardsOf } from "../../src/recipes/demo/splits.ts";
import { type TaskContext, theatrePrompt } from "../../src/recipes/demo/task.ts";
import { resolveConfig } from "../../src/run/config.ts";
import { type Interrupt, listenForInterrupt } from "../../src/run/interrupt.ts";
import { deriveSeed } from "../../src/seeds.ts";
import { trainSchema } from "../../src/train/config.ts";
import { grpoObjective } from "../../src/train/grpo.ts";
import { openPolicy } from "../../src/train/policy.ts";
import { type PresetName, presets } from "../../src/train/presets.ts";

export interface Arm {
  readonly name: string;
  readonly preset: PresetName;
  /** `path=value` changes to the preset. */
  readonly overrides: readonly string[];
}

/** Example: `oppo perception.anchorTo=full` */
export function parseArm(name: string): Arm {
  const [preset, ...overrides] = name.split(/\s+/);
  if (!(preset! in presets))
    throw new Error(`bench:step: expected a preset (${Object.keys(presets)}), got "${preset}"`);
  return { name, preset: preset as PresetName, overrides };
}

export interface ArmTimes {
  readonly arm: string;
  /** Seconds of a whole step. */
  readonly median: number;
  readonly min: number;
  /** Median seconds by phase. */
  readonly phases: Readonly<Record<string, number>>;
  /** Tokens that were compared under a mask, mean per step. */
  readonly viewTokens: number;
}

export interface MeasureOptions {
  /** A demo's run with a cold start; null: a small one is made and taken away. */
  readonly run: string | null;
  readonly steps: number;
  readonly warmup: number;
}

export async function measureArms(arms: readonly Arm[], options: MeasureOptions): Promise<ArmTimes[]> {
  const directory = options.run ?? mkdtempSync(join(tmpdir(), "oppo-step-"));
  using interrupt = listenForInterrupt();
  try {
    const context =
      options.run === null ? await smallColdStart(directory, interrupt) : demoContext(directory, interrupt);
    return await takeTurns(context, options.run === null ? "sft" : "rl", arms, options);
  } finally {
    if (options.run === null) rmSync(directory, { recursive: true });
  }
}

/** Enough that answers have the form and name cues of their clips; the split of the cold start is then trained on further. */
const smallDemo = {
  shards: 1,
  clips: { warmup: 48, warmupDev: 12, sft: 96 },
  warmup: { steps: 30 },
  sft: { steps: 160 },
} as const;

function demoContext(directory: string, interrupt: Interrupt, changes: object = {}): TaskContext {
  return { paths: demoPaths(directory), config: demoSchema.parse(changes), interrupt, progress: () => {} };
}

async function smallColdStart(directory: string, interrupt: Interrupt): Promise<TaskContext> {
  const context = demoContext(directory, interrupt, smallDemo);
  const { paths, config } = context;
  const seed = deriveSeed(config.seed, "policy");
  await initFresh("tiny", paths.fresh, buildTheatreTokenizer(), { seed, dtype: "float32" });
  for (const split of ["warmup", "warmupDev", "sft"] as const) {
    for (const shard of shardsOf(config, split)) await runDemoTask({ kind: "render", ...shard }, context);
  }
  for (const modality of ["video", "audio"] as const) await runDemoTask({ kind: "tower", modality }, context);
  await runDemoTask({ kind: "cold-start" }, context);
  return context;
}

async function takeTurns(
  context: TaskContext,
  split: SplitName,
  arms: readonly Arm[],
  { steps, warmup }: MeasureOptions,
): Promise<ArmTimes[]> {
  if (!isTaskDone({ kind: "cold-start" }, context.paths) || !existsSync(context.paths.corpus(split))) {
    throw new Error(`bench:step: expected a demo's run with a cold start and clips, got ${context.paths.root}`);
  }
  const config = trainSchema.parse({});
  using models = await openPolicy({ ...config, model: context.paths.sft });
  const fitted = await fittedSplit(context, split, models.policy);
  using library = new ClipLibrary(models.reference);
  library.add(fitted);
  const trainable = [...models.trainable.values()];
  using optimizer = new AdamW([{ parameters: trainable }], { lr: 0 });
  const measured = arms.map((arm) => ({
    arm,
    seconds: [] as number[],
    metrics: [] as Record<string, number>[],
    objective: grpoObjective({
      config: resolveConfig(trainSchema, { preset: presets[arm.preset].config, overrides: arm.overrides }),
      models,
      library,
      samples: fitted.map(({ sample }) => sample),
      promptText: theatrePrompt,
      embedder: theatreKind.embedder(),
      emotionScore: theatreKind.emotion.score,
    }),
  }));
  for (let step = 0; step < warmup + steps; step++) {
    // who comes first changes, so that nobody always follows the same one
    const turns = step % 2 === 0 ? measured : [...measured].reverse();
    for (const { objective, seconds, metrics } of turns) {
      const start = performance.now();
      optimizer.zeroGrad();
      const outcome = await objective.gradients(step);
      updateParameters(optimizer, trainable, 0, config.maxGradNorm);
      if (step < warmup) continue;
      seconds.push((performance.now() - start) / 1000);
      metrics.push(outcome.metrics.values());
    }
  }
  return measured.map(({ arm, seconds, metrics }) => summarize(arm.name, seconds, metrics));
}

function summarize(arm: string, seconds: readonly number[], metrics: readonly Record<string, number>[]): ArmTimes {
  const names = new Set(metrics.flatMap((one) => Object.keys(one)).filter((name) => name.startsWith("timing_s/")));
  const phases = [...names].map((name) => [name.slice(9), median(metrics.map((one) => one[name] ?? 0))] as const);
  const viewTokens = metrics.reduce((sum, one) => sum + (one["omni/view_tokens"] ?? 0), 0) / metrics.length;
  return { arm, median: median(seconds), min: Math.min(...seconds), phases: Object.fromEntries(phases), viewTokens };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}
