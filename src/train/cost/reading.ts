// What it takes to say which cues can still be read under a mask (perception.support): an observer reads a few pooled rows on the
// processor and is made once, the reference runs over the masked clip, and over the whole and the blank one where it has not yet.
import { ownKinds } from "../../media/degrade/degrade.ts";
import { usualShare } from "../memory/counterfactuals.ts";
import { promptsOfGpu } from "../memory/sizes.ts";
import { sum } from "../memory/standing.ts";
import { cuesRead, type MemoryTask } from "../memory/task.ts";
import { observerSettings } from "../observer/settings.ts";
import {
  headsPerQuestion,
  maxPlaces,
  maxWidth,
  numDevOf,
  numObservedViews,
  readerSteps,
  viewsPerStep,
} from "../observer/sizes.ts";
import { decoderFlops, headFlops, towerFlops } from "./flops.ts";
import type { Efficiency, Products, TimePart } from "./parts.ts";

/** Clips that the reference reads for one: as they are, blank and masked. */
const readClips = 3;
/** Of a learning step: there and back. */
const passesOfStep = 3;

/** Changed modalities that are read in a step by one process: of degraded prompts all, of the others its own. */
export function readsOf(task: MemoryTask): number {
  const { shown, counterfactuals } = task.batch;
  const { degradedShare, degraded, views } = counterfactuals;
  return shown * degradedShare * degraded.read + promptsOfGpu(task) * usualShare(counterfactuals) * views.read;
}

export function readingParts(task: MemoryTask, products: Products, { host }: Efficiency): TimePart[] {
  const { reader } = task.batch.counterfactuals;
  const reads = readsOf(task);
  if (reader === "reference") return [readByReference(task, reads, products)];
  if (reader !== "observer") return [];
  const flops = reads * (pooling(task) + reading());
  return [{ name: "observer", flops, seconds: flops / host, assumption: `${round(reads)} clips on the processor` }];
}

function readByReference({ model, batch }: MemoryTask, reads: number, products: Products): TimePart {
  const { cues, tokens } = cuesRead;
  const decoder = decoderFlops(model, { prompts: 1, prefix: batch.promptTokens, group: cues, tokens });
  return products(
    "reading by the reference",
    reads * readClips * (decoder + headFlops(model, cues * tokens)),
    `${round(reads)} masked clips of ${cues} cues; as often the whole and the blank clip, which are read once: of a first epoch`,
  );
}

/** What a run does before its first step; nothing, mostly. */
export function partsBefore(task: MemoryTask, products: Products, { host }: Efficiency): TimePart[] {
  const { model, batch } = task;
  if (batch.counterfactuals.reader !== "observer") return [];
  const { clips } = observerSettings.parse({});
  const dev = numDevOf(clips);
  const views = (["video", "audio"] as const).map((modality) => ({
    modality,
    count: numObservedViews({ clips: clips - dev, dev }, ownKinds[modality].length),
  }));
  const learnt = 2 * readerSteps * viewsPerStep * passesOfStep * reading();
  return [
    products(
      "towers for the observer",
      sum(views.map(({ modality, count }) => count * towerFlops(model, batch.media, modality))),
      `${clips} clips as they are and under every kind of mask`,
    ),
    {
      name: "learning of the observer",
      flops: learnt,
      seconds: learnt / host,
      assumption: `${readerSteps} steps of ${viewsPerStep} views for either modality, on one processor`,
    },
  ];
}

/** The projection of one modality's pooled rows. */
function pooling({ model }: MemoryTask): number {
  const width = model.decoder.hiddenSize;
  return width <= maxWidth ? 0 : 2 * maxPlaces * maxWidth * width;
}

/** A look of every question at the places, and what it makes of them; as many cues as an observer may have. */
function reading(): number {
  const { cues } = observerSettings.parse({});
  return 2 * 2 * cues * headsPerQuestion * maxPlaces * maxWidth;
}

const round = (count: number) => Number(count.toPrecision(2));
