// A step or a few of the method and of the cold start on a very small theatre, by however many processes the world has.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { ClipLibrary } from "../../src/corpus/clips/clip-library.ts";
import { clipSettings } from "../../src/corpus/clips/clip-settings.ts";
import { type ClipOrder, heldClips } from "../../src/corpus/clips/clip-source.ts";
import { type FittedSample, fitSamples } from "../../src/corpus/clips/fitted-samples.ts";
import { openClips } from "../../src/corpus/clips/open-clips.ts";
import type { Conversation } from "../../src/data/conversations/conversation.ts";
import { loadSamples } from "../../src/data/jsonl.ts";
import type { Sample } from "../../src/data/sample.ts";
import { reasoningQuestion } from "../../src/data/theatre/script.ts";
import { loadModel } from "../../src/models/registry.ts";
import { resolveConfig } from "../../src/run/config.ts";
import { readStepLog } from "../../src/run/metrics.ts";
import { alone, type Tensor, type World, writeSafetensors } from "../../src/tensor/index.ts";
import { batchOf } from "../../src/train/batches.ts";
import { learningOrder, trainSft } from "../../src/train/cold-start/cold-start.ts";
import { trainSchema } from "../../src/train/config.ts";
import { trainGrpo } from "../../src/train/grpo.ts";
import { openPolicy } from "../../src/train/policy.ts";
import { type PresetName, presets } from "../../src/train/presets.ts";
import { sftSchema } from "../../src/train/sft-config.ts";
import { responseText } from "../../src/train/theatre/theatre-examples.ts";
import { shardOf } from "../../src/train/world/run-world.ts";
import { quietRun } from "./quiet-run.ts";
import type { SmallTheatre } from "./small-theatre.ts";
import { theatreTerms } from "./theatre-training.ts";
import { digestOf, interruptAt, withoutTimes } from "./training-runs.ts";

/** Plain, so that it can be given to a process. */
export interface RankRun {
  readonly corpus: string;
  readonly samplesFile: string;
  /** Of the model to start from. */
  readonly model: string;
  readonly directory: string;
  /** "sft", or a preset of the method. */
  readonly kind: "sft" | PresetName;
  readonly overrides?: readonly string[];
  /** A stop before the step of this number, on this rank alone. */
  readonly stop?: { readonly rank: number; readonly step: number };
  /** File beside the run that gets the gradients of the last step. */
  readonly gradients?: string;
  readonly videoOnly?: boolean;
  /** Whether clips are read step by step. */
  readonly isStreamed?: boolean;
}

/** In a folder of the theatre, that keeps its gradients. */
export function rankRun(
  { corpus, samplesFile, root }: SmallTheatre,
  model: string,
  name: string,
  kind: RankRun["kind"],
  more: Partial<RankRun>,
): RankRun {
  return { corpus, samplesFile, model, directory: join(root, name), kind, gradients: "gradients.safetensors", ...more };
}

export interface RankResult {
  readonly log: Record<string, number>[];
  readonly texts: string[];
  /** Of what learned, on this rank. */
  readonly weights: string;
}

/** A theatre's clips as a model looks at them; kept beside them. */
export async function fittedOf({ corpus, samplesFile, model }: Pick<RankRun, "corpus" | "samplesFile" | "model">) {
  const { samples } = await loadSamples(samplesFile);
  using fitter = await loadModel(model);
  const options = { model: fitter, maxSkippedFraction: 0, cacheFile: join(corpus, "fitted.safetensors") };
  const { fitted } = await fitSamples(corpus, samples, options);
  return fitted;
}

export async function trainOn(run: RankRun, world: World = alone): Promise<RankResult> {
  mkdirSync(run.directory, { recursive: true });
  const fitted = await fittedOf(run);
  const own = run.videoOnly
    ? fitted.map((one) => ({ ...one, clip: { ...one.clip, waveform: new Float32Array(0) } }))
    : fitted;
  const learning = await (run.kind === "sft" ? learnSft(run, own, world) : learnGrpo(run, run.kind, own, world));
  if (world.rank === 0 && run.gradients !== undefined) {
    const gradients = [...learning].flatMap(([name, { grad }]) => (grad === null ? [] : [[name, grad] as const]));
    writeSafetensors(join(run.directory, run.gradients), new Map(gradients));
  }
  const rollouts = run.kind === "sft" || world.rank !== 0 ? [] : readStepLog(join(run.directory, "rollouts.jsonl"));
  // Divergences of tokens are written by one process alone.
  const texts = rollouts.map((row) => JSON.stringify(row, (key, value) => (key === "tokens" ? undefined : value)));
  return { log: world.rank === 0 ? withoutTimes(run.directory) : [], texts, weights: digestOf(learning) };
}

function around({ directory, stop }: RankRun, world: World) {
  return { directory, interrupt: interruptAt(stop?.rank === world.rank ? stop.step : null) };
}

async function learnGrpo(run: RankRun, preset: PresetName, fitted: readonly FittedSample[], world: World) {
  const shared = ["promptsPerStep=3", "warmupSteps=0", "maxNewTokens=48", "learningRate=2e-4", "checkpointEvery=50"];
  const config = resolveConfig(trainSchema, {
    preset: presets[preset].config,
    overrides: [...shared, "steps=1", "maxGradNorm=1000000", ...(run.overrides ?? [])],
  });
  const models = await openPolicy({ ...config, model: run.model, ...shardOf(world, config) });
  const library = new ClipLibrary(models.reference);
  const samples = fitted.map(({ sample }) => sample);
  const order = {
    items: samples,
    clipsOf: (sample: Sample) => [sample],
    batchAt: (step: number) => batchOf(samples, config.promptsPerStep, config.seed, step),
    steps: config.steps,
  };
  if (!run.isStreamed) library.add(fitted, 1);
  using clips = run.isStreamed ? await streamOf(run, library, order) : heldClips(library, order);
  const task = { config, models, library, samples, clips, world };
  await trainGrpo(
    {
      ...task,
      ...theatreTerms(),
    },
    around(run, world),
  );
  return models.trainable;
}

function streamOf({ samplesFile }: RankRun, library: ClipLibrary, order: ClipOrder<Sample>) {
  const { progress, interrupt } = quietRun();
  const settings = clipSettings.parse({ mode: "stream", workers: 1 });
  const shared = { file: samplesFile, maxSkippedFraction: 0, maxPromptTokens: null, progress, interrupt };
  return openClips(library, order, { settings, ...shared });
}

async function learnSft(
  run: RankRun,
  fitted: readonly FittedSample[],
  world: World,
): Promise<ReadonlyMap<string, Tensor>> {
  const overrides = ["samplesPerStep=3", "steps=1", "maxGradNorm=1000000", "warmupRatio=0", ...(run.overrides ?? [])];
  const config = resolveConfig(sftSchema, { overrides });
  const models = await openPolicy({ ...config, model: run.model, isAlone: true, ...shardOf(world, config) });
  const library = new ClipLibrary(models.reference);
  library.add(fitted, 1);
  const order = learningOrder(fitted.map(conversationOf), config);
  const task = { config, models, steps: order.steps, clips: heldClips(library, order), heldOut: null, world };
  await trainSft(task, around(run, world));
  return models.trainable;
}

function conversationOf({ sample }: FittedSample): Conversation {
  const text = (value: string) => ({ type: "text" as const, text: value });
  return {
    id: sample.id,
    place: sample.id,
    isNamed: true,
    turns: [
      { role: "user", parts: [{ type: "clip", clip: sample, shows: null }, text(reasoningQuestion)] },
      { role: "assistant", parts: [text(responseText(sample.reasoning, sample.labels.join(", ")))] },
    ],
  };
}
