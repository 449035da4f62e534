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
import { type DemoContext, isTaskDone, runDemoTask, startTask } from "../../src/recipes/demo/run-task.ts";
import { resolveConfig } from "../../src/run/config.ts";
import { type Interrupt, listenForInterrupt } from "../../src/run/interrupt.ts";
import { deriveSeed } from "../../src/seeds.ts";
import { trainSchema } from "../../src/train/config.ts";
import { grpoObjective } from "../../src/train/grpo.ts";
import { openPolicy } from "../../src/train/policy.ts";
import { type PresetName, presets } from "../../src/train/presets.ts";
import { theatrePrompt } from "../../src/train/theatre/context.ts";
import { fittedSplit, type SplitName, shardsOf } from "../../src/train/theatre/splits.ts";

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

export interface Spread {
  readonly median: number;
  readonly min: number;
}

export interface ArmTimes {
  readonly arm: string;
  /** Seconds of a whole step, by the wall clock, and of the processor, which a busy machine does not spoil. */
  readonly wall: Spread;
  readonly cpu: Spread;
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

function demoContext(directory: string, interrupt: Interrupt, changes: object = {}): DemoContext {
  return { paths: demoPaths(directory), config: demoSchema.parse(changes), interrupt, progress: () => {} };
}

async function smallColdStart(directory: string, interrupt: Interrupt): Promise<DemoContext> {
  const context = demoContext(directory, interrupt, smallDemo);
  const { paths, config } = context;
  const seed = deriveSeed(config.seed, "policy");
  await initFresh("tiny", paths.fresh, buildTheatreTokenizer(), { seed, dtype: "float32" });
  for (const split of ["warmup", "warmupDev", "sft"] as const) {
    for (const shard of shardsOf(config, split)) await runDemoTask({ kind: "render", ...shard }, context);
  }
  for (const modality of ["video", "audio"] as const) await runDemoTask({ kind: "tower", modality }, context);
  await runDemoTask(startTask(context), context);
  return context;
}

async function takeTurns(
  context: DemoContext,
  split: SplitName,
  arms: readonly Arm[],
  { steps, warmup }: MeasureOptions,
): Promise<ArmTimes[]> {
  if (!isTaskDone(startTask(context), context.paths) || !existsSync(context.paths.corpus(split))) {
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
    wall: [] as number[],
    cpu: [] as number[],
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
    for (const { objective, wall, cpu, metrics } of turns) {
      const [start, startCpu] = [performance.now() / 1000, cpuSeconds()];
      optimizer.zeroGrad();
      const outcome = await objective.gradients(step, { update: () => undefined, perceptionScale: 1 });
      updateParameters(optimizer, trainable, 0, config.maxGradNorm);
      if (step < warmup) continue;
      wall.push(performance.now() / 1000 - start);
      cpu.push(cpuSeconds() - startCpu);
      metrics.push(outcome.metrics.values());
    }
  }
  return measured.map(({ arm, wall, cpu, metrics }) => ({
    arm: arm.name,
    wall: spread(wall),
    cpu: spread(cpu),
    ...summarize(metrics),
  }));
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function summarize(metrics: readonly Record<string, number>[]): Pick<ArmTimes, "phases" | "viewTokens"> {
  const names = new Set(metrics.flatMap((one) => Object.keys(one)).filter((name) => name.startsWith("timing_s/")));
  const phases = [...names].map(
    (name) => [name.slice(9), spread(metrics.map((one) => one[name] ?? 0)).median] as const,
  );
  const viewTokens = metrics.reduce((sum, one) => sum + (one["omni/view_tokens"] ?? 0), 0) / metrics.length;
  return { phases: Object.fromEntries(phases), viewTokens };
}

function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: sorted[sorted.length >> 1]!, min: sorted[0]! };
}
