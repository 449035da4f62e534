// Operations as they are reckoned against those of real steps of a very small model: every pass of the policy, the reference and the
// towers is counted where it is made, with its own lengths.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ClipLibrary } from "../../../src/corpus/clips/clip-library.ts";
import type { Cue } from "../../../src/evidence/cue.ts";
import type { MediaSize, ModelShape } from "../../../src/models/model-shape.ts";
import type { ClipFeatures, ModelPrompt, OmniModel } from "../../../src/models/omni-model.ts";
import { readModelShape } from "../../../src/models/read-model-shape.ts";
import { resolveConfig } from "../../../src/run/config.ts";
import { type TrainConfig, trainSchema } from "../../../src/train/config.ts";
import { decoderFlops, headFlops, towerFlops } from "../../../src/train/cost/flops.ts";
import { gpus } from "../../../src/train/cost/gpus.ts";
import { readsOf } from "../../../src/train/cost/reading.ts";
import { estimateTime } from "../../../src/train/cost/time.ts";
import { trainGrpo } from "../../../src/train/grpo.ts";
import { grpoTask } from "../../../src/train/memory/config-task.ts";
import { noCounterfactuals } from "../../../src/train/memory/counterfactuals.ts";
import type { MemoryTask } from "../../../src/train/memory/task.ts";
import { openPolicy } from "../../../src/train/policy.ts";
import { fitAll, type SmallTheatre, smallTheatre } from "../../support/small-theatre.ts";
import { theatreTerms } from "../../support/theatre-training.ts";
import { interruptAt } from "../../support/training-runs.ts";

const steps = 4;
const newTokens = 6;
const tolerance = 0.02;
let theatre: SmallTheatre;
before(async () => {
  theatre = await smallTheatre(6);
});
after(() => theatre[Symbol.dispose]());

interface Counted {
  readonly shape: ModelShape;
  readonly task: MemoryTask;
  /** Operations of a step. */
  readonly forward: number;
  readonly reference: number;
  readonly reading: number;
  /** Masked clips that the reference read. */
  readonly read: number;
  readonly towers: number;
}

/** A model whose own pass tells of itself. */
function watch<Name extends "trunk" | "hidden" | "encode">(
  model: OmniModel,
  name: Name,
  tell: (...given: Parameters<OmniModel[Name]>) => void,
): void {
  const original = model[name].bind(model) as (...given: Parameters<OmniModel[Name]>) => ReturnType<OmniModel[Name]>;
  Object.defineProperty(model, name, {
    value: (...given: Parameters<OmniModel[Name]>) => {
      tell(...given);
      return original(...given);
    },
  });
}

async function countSteps(perception: readonly string[]): Promise<Counted> {
  const directory = join(theatre.root, `run-${perception.length}-${perception.at(-1)!.replace(/\W/g, "")}`);
  mkdirSync(directory, { recursive: true });
  const shared = [
    "promptsPerStep=5",
    `steps=${steps}`,
    "groupSize=2",
    `maxNewTokens=${newTokens}`,
    "trainable=decoder",
  ];
  // Prefixes that masked inputs share with the full one are not reckoned.
  const all = [...shared, "perception.sharedPrefix=false", ...perception];
  const config = resolveConfig(trainSchema, { overrides: all }) as TrainConfig;
  const model = theatre.freshModel(1);
  using models = await openPolicy({ ...config, model });
  const { policy, reference } = models;
  const shape = await readModelShape(model);
  const fitted = await fitAll(theatre, policy);
  const [{ clip }] = fitted as [(typeof fitted)[0]];
  const media: MediaSize = { ...clip, frames: clip.numFrames, audioSeconds: clip.waveform.length / clip.sampleRateHz };
  const counts = { forward: 0, reference: 0, reading: 0, read: 0, towers: 0 };
  let promptTokens = 0;
  const passes = (prompts: readonly ModelPrompt[], completions: readonly (readonly Int32Array[])[]) =>
    prompts.reduce((sum, { tokens }, p) => {
      const own = completions[p]!;
      const longest = Math.max(...own.map(({ length }) => length));
      promptTokens = Math.max(promptTokens, tokens.ids.length);
      return sum + decoderFlops(shape, { prompts: 1, prefix: tokens.ids.length, group: own.length, tokens: longest });
    }, 0);
  watch(policy, "trunk", (...given) => {
    counts.forward += passes(given[0], given[1]);
  });
  watch(reference, "trunk", (...given) => {
    counts.reference += passes(given[0], given[1]);
  });
  watch(reference, "hidden", (prompts, completions) => {
    if (prompts.length === 1) counts.read++;
    const scored = completions.flat().reduce((sum, { length }) => sum + length, 0);
    counts.reading += passes(prompts, completions) + headFlops(shape, scored);
  });
  using library = new ClipLibrary(reference);
  library.add(fitted);
  // Blanks are made once of a run; clips once of every step by a run that holds none.
  for (const modality of ["video", "audio"] as const) library.blankRows(fitted[0]!.sample.id, modality);
  const clips = config.promptsPerStep * towerFlops(shape, media);
  watch(reference, "encode", (features: readonly ClipFeatures[]) => {
    for (const one of features) {
      for (const modality of ["video", "audio"] as const) {
        if (one[modality] !== null) counts.towers += towerFlops(shape, media, modality);
      }
    }
  });
  const has = (cues: readonly Cue[], kind: string) => cues.some((cue) => cue.kind === kind);
  // Of a clip without cues of a modality nothing is read.
  const samples = fitted.flatMap(({ sample }) =>
    has(sample.cues, "video") && has(sample.cues, "audio") ? [sample] : [],
  );
  await trainGrpo({ config, models, library, samples, ...theatreTerms() }, { directory, interrupt: interruptAt(null) });
  const place = { kind: "cpu", fusesAttention: false, gpus: 1 } as const;
  const task = grpoTask(shape, config, media, place);
  const ofStep = Object.fromEntries(Object.entries(counts).map(([name, flops]) => [name, flops / steps]));
  return {
    ...{ shape, task: { ...task, batch: { ...task.batch, promptTokens } } },
    ...(ofStep as typeof counts),
    towers: clips + counts.towers / steps,
  };
}

function reckoned(task: MemoryTask, name: string): number {
  const parts = estimateTime(task, gpus.h100!).parts.filter((part) => part.name === name);
  return parts.reduce((sum, { flops }) => sum + flops, 0);
}

function requireNear(counted: number, estimate: number, what: string, within = tolerance): void {
  assert.ok(Math.abs(estimate / counted - 1) <= within, `${what}: reckoned / counted is ${estimate / counted}`);
}

/** Kinds of which all leave nothing, as many of either modality: every degraded prompt has as many inputs, whatever is drawn. */
const gone = [
  "perception.maskFamily={ video: [grey, blur, clouds], audio: [hum, chord, rustle] }",
  "perception.maskRatio=1",
];

test("of a family: completions about degraded clips, and what they are compared on", async () => {
  const family = [...gone, "perception.views=none", "perception.rolloutShare=0.4"];
  const counted = await countSteps([...family, "perception.alikeWeight=1", "perception.alikeKinds=2"]);
  const { task, forward, reference } = counted;
  requireNear(forward, reckoned(task, "forward"), "forward");
  requireNear(reference, reckoned(task, "reference"), "reference");
  const without = { ...task, batch: { ...task.batch, counterfactuals: noCounterfactuals } };
  assert.ok(reckoned(without, "forward") < 0.7 * forward, "they are seen to be left out");
  assert.ok(reckoned(without, "towers") < 0.9 * counted.towers);
});

test("of views: one of two drawn for a prompt, masks for both, and the reference on them", async () => {
  const views = [...gone, "perception.views=papoDual", "perception.viewDraw=half-of-views"];
  const { task, forward, reference, reading } = await countSteps([...views, "perception.anchorWeight=0"]);
  requireNear(forward, reckoned(task, "forward"), "forward");
  requireNear(reference, reckoned(task, "reference"), "reference");
  assert.equal(reading, 0);
});

test("the reference reads: a pass for every masked clip, and the whole and blank ones of the first time", async () => {
  const views = [...gone, "perception.views=papoDual", "perception.viewDraw=all", "perception.rolloutShare=0.2"];
  const counted = await countSteps([...views, "perception.alikeWeight=1", "perception.support=reference"]);
  const estimate = reckoned(counted.task, "reading by the reference");
  assert.equal(counted.read, readsOf(counted.task));
  // The theatre has fewer cues of a modality than the estimate takes, and shows a clip again: more is reckoned.
  assert.ok(counted.reading > 0.2 * estimate && counted.reading <= estimate, `${counted.reading} of ${estimate}`);
  requireNear(counted.forward, reckoned(counted.task, "forward"), "forward");
});
