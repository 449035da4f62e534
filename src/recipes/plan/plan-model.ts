// `oppo plan`: which settings of a training fit on a GPU, and how long a step and the run would take. Nothing is loaded.
import { readModelShape } from "../../models/read-model-shape.ts";
import { resolveConfig } from "../../run/config.ts";
import { trainSchema } from "../../train/config.ts";
import { type GpuFacts, gpuNamed } from "../../train/cost/gpus.ts";
import { type Candidate, type Engines, searchPlans, usableBytes } from "../../train/cost/search.ts";
import { spreadOver } from "../../train/cost/spread.ts";
import { grpoTask, numParameters, sftTask } from "../../train/memory/config-task.ts";
import type { MemoryTask, Place } from "../../train/memory/task.ts";
import { type Preset, type PresetName, presets } from "../../train/presets.ts";
import { sftSchema } from "../../train/sft-config.ts";
import { type SftPresetName, sftPresets } from "../../train/sft-presets.ts";
import type { PlanSettings } from "./settings.ts";

export interface Plan {
  readonly model: string;
  readonly title: string;
  readonly numParameters: number;
  readonly gpu: GpuFacts;
  readonly gpus: number;
  /** GPUs without a completion of a step: there are fewer completions than GPUs. */
  readonly idleGpus: number;
  readonly engines: Engines | null;
  /** Bytes of one GPU that tensors may take. */
  readonly usableBytes: number;
  readonly program: "train" | "sft";
  readonly preset: string;
  /** Other than the preset's. */
  readonly support: PlanSettings["support"];
  readonly steps: number;
  readonly candidates: readonly Candidate[];
  /** The first that fits: the most that can learn; null where nothing does. */
  readonly chosen: Candidate | null;
}

/** The paper's: of 5,000 samples. */
const sftSamples = 5000;

/** @throws OppoError ERR_MODEL_SHAPE, CheckpointError of a folder */
export async function planModel(model: string, settings: PlanSettings): Promise<Plan> {
  const shape = await readModelShape(model);
  const gpu = reachedGpu(settings);
  const engines = enginesOf(settings);
  const { frames, audioSeconds } = settings;
  const cell = 28;
  const whole = (pixels: number) => Math.max(cell, Math.floor(pixels / cell) * cell);
  const media = {
    ...{ frames: 2 * Math.floor(frames / 2), audioSeconds },
    ...{ height: whole(settings.height), width: whole(settings.width) },
  };
  // libtorch with CUDA has the fused operator.
  const place: Place = { kind: "cuda", fusesAttention: true, gpus: settings.gpus };
  const { task, steps, program } = taskOf(
    settings,
    (config) => grpoTask(shape, config, media, place),
    (config) => sftTask(shape, config, media, place),
  );
  const start: MemoryTask = { ...task, learner: { ...task.learner, dtype: "bfloat16" } };
  const candidates = searchPlans(start, gpu, program === "train" ? engines : null);
  const { prompts, groupSize } = start.batch;
  return {
    ...{ model, title: shape.title, numParameters: numParameters(shape), gpu, gpus: settings.gpus },
    idleGpus: spreadOver(prompts, groupSize, settings.gpus).idle,
    engines: program === "train" ? engines : null,
    ...{
      usableBytes: usableBytes(gpu),
      program,
      preset: settings.preset,
      support: settings.support,
      steps: settings.steps ?? steps,
      candidates,
    },
    chosen: candidates.find(({ fits }) => fits) ?? null,
  };
}

/** Its link is the network's where several machines take part. */
function reachedGpu({ gpu, gpus, gpusPerNode, network }: PlanSettings): GpuFacts {
  const facts = gpuNamed(gpu)!;
  if (gpus <= gpusPerNode) return facts;
  return { ...facts, linkGigabytesPerSecond: Math.min(facts.linkGigabytesPerSecond, network) };
}

function enginesOf({ engines, network, rolloutAhead }: PlanSettings): Engines | null {
  if (engines === 0) return null;
  return { engines, networkGigabytesPerSecond: network, ahead: rolloutAhead === 1 };
}

const scaleCounts = [1, 8, 16, 64] as const;

/** The same run on more and more GPUs; engines grow with them. */
export async function planScale(model: string, settings: PlanSettings): Promise<Plan[]> {
  const { gpus, engines } = settings;
  const enginesFor = (count: number) => (engines === 0 ? 0 : Math.max(1, Math.round((count * engines) / gpus)));
  const plans: Plan[] = [];
  for (const count of scaleCounts) {
    plans.push(await planModel(model, { ...settings, gpus: count, engines: enginesFor(count) }));
  }
  return plans;
}

interface PresetTask {
  readonly task: MemoryTask;
  readonly steps: number;
  readonly program: Plan["program"];
}

function taskOf(
  { preset, promptsPerStep, support }: PlanSettings,
  ofTrain: (config: Parameters<typeof grpoTask>[1]) => MemoryTask,
  ofSft: (config: Parameters<typeof sftTask>[1]) => MemoryTask,
): PresetTask {
  if (Object.hasOwn(presets, preset)) {
    const own: Preset["config"] = presets[preset as PresetName].config;
    const given = {
      ...own,
      ...(promptsPerStep === null ? {} : { promptsPerStep }),
      ...(support === null ? {} : { perception: { ...own.perception, support } }),
    };
    const config = resolveConfig(trainSchema, { preset: given });
    return { task: ofTrain(config), steps: config.steps, program: "train" };
  }
  const given = {
    ...sftPresets[preset as SftPresetName].config,
    ...(promptsPerStep === null ? {} : { samplesPerStep: promptsPerStep }),
  };
  const config = resolveConfig(sftSchema, { preset: given });
  const steps = config.steps ?? Math.ceil((config.epochs * (config.samples ?? sftSamples)) / config.samplesPerStep);
  return { task: ofSft(config), steps, program: "sft" };
}
