// Making an observer of a model's frozen towers: views of clips with known cues under all kinds of masks, a reader per modality,
// and numbers on clips of another split that say whether it can be believed.
import type { CueBank } from "../../bench/cue-bank.ts";
import { presentCues } from "../../bench/cue-bank.ts";
import { type Calibration, calibrationOf, type Judged, skillOf } from "../../bench/support/calibration.ts";
import { type AttributeOf, type CueQuestion, cueQuestions, rightAnswers } from "../../bench/support/cue-question.ts";
import type { FittedSample } from "../../corpus/clips/fitted-samples.ts";
import type { Sample } from "../../data/sample.ts";
import { OppoError } from "../../error.ts";
import type { Modality } from "../../media/clip.ts";
import { ownKinds } from "../../media/degrade/degrade.ts";
import type { OmniModel } from "../../models/omni-model.ts";
import { deriveSeed } from "../../seeds.ts";
import type { Tensor } from "../../tensor/index.ts";
import { CueReader } from "./cue-reader.ts";
import { drawViews, encodeViews, type ReadClip, type View } from "./draw-views.ts";
import { fitReader, type LabelledView } from "./fit-reader.ts";
import { Observer, type ReaderReport } from "./observer.ts";
import { drawProjection, pooledRows } from "./pooled-rows.ts";
import { maskedViews, maxDevClips } from "./sizes.ts";

/** A sample with its clip, decoded or read whenever it is looked at. */
export type ObservedSample = FittedSample | (ReadClip & { readonly sample: Sample });

export interface ObserverMaterial<Observed = ObservedSample> {
  /** Best clips on which no cue predicts another: from correlated ones an observer also learns to guess. */
  readonly clips: readonly Observed[];
  /** Clips that are not among them: what the report is about. */
  readonly dev: readonly Observed[];
}

export interface ObserverOptions {
  readonly seed: number;
  /** Which cues exclude one another; left out: none. */
  readonly attributeOf?: AttributeOf;
  /** Called between batches of clips; may let the event loop turn, and may throw to stop. */
  readonly onProgress?: (numDone: number, numTotal: number) => void | Promise<void>;
  /** Called now and then while a reader learns; the same. */
  readonly onTurn?: () => void | Promise<void>;
}

const modalities = ["video", "audio"] as const;
/** One in so many clips decides the temperature and nothing else. */
const heldOutOf = 8;
/** How many standard errors better than chance an observer has to be on intact clips. */
const errorsAboveChance = 3;

/** @throws OppoError ERR_OBSERVER_DATA, ERR_OBSERVER_CHANCE */
export async function fitObserver(
  model: OmniModel,
  bank: CueBank,
  material: ObserverMaterial,
  options: ObserverOptions,
): Promise<Observer> {
  requireClips(material);
  const readers: Partial<Record<Modality, CueReader>> = {};
  const report: Partial<Record<Modality, ReaderReport>> = {};
  try {
    for (const modality of modalities) {
      const questions = cueQuestions(bank, modality, options.attributeOf);
      if (questions.length === 0) continue;
      const fitted = await fitModality(model, bank, material, { ...options, modality, questions });
      if (fitted === null) continue;
      readers[modality] = fitted.reader;
      report[modality] = fitted.report;
      requireSkill(modality, fitted.report);
    }
  } catch (error) {
    for (const reader of Object.values(readers)) reader[Symbol.dispose]();
    throw error;
  }
  return new Observer(bank, readers, report);
}

function requireClips({ clips, dev }: ObserverMaterial): void {
  if (clips.length >= heldOutOf && dev.length > 1) return;
  throw new OppoError(
    "ERR_OBSERVER_DATA",
    `observer: expected at least ${heldOutOf} clips to learn from and 2 of another split to be checked on, got ${clips.length} and ${dev.length}. Give it more clips.`,
  );
}

function requireSkill(modality: Modality, { skill, intact }: ReaderReport): void {
  if (skill.bits > errorsAboveChance * skill.standardError) return;
  throw new OppoError(
    "ERR_OBSERVER_CHANCE",
    `observer: expected to read the ${modality}'s cues from intact clips better than chance, got ${skill.bits.toFixed(3)} bits per question over it (standard error ${skill.standardError.toFixed(3)}; accuracy ${intact.accuracy.toFixed(2)}). Check that cues and clips belong together, give it more clips, or warm up the towers.`,
  );
}

interface ModalityTask extends ObserverOptions {
  readonly modality: Modality;
  readonly questions: readonly CueQuestion[];
}

/** null where no clip has anything of the modality. */
async function fitModality(
  model: OmniModel,
  bank: CueBank,
  { clips, dev }: ObserverMaterial,
  task: ModalityTask,
): Promise<{ reader: CueReader; report: ReaderReport } | null> {
  const { modality, questions, seed } = task;
  const views = drawViews(clips, modality, maskedViews, seed);
  let projection: Tensor | null | undefined;
  const pool = (rows: Tensor) => {
    if (projection === undefined) projection = drawProjection(rows.shape[1]!, deriveSeed(seed, "projection", modality));
    return pooledRows(rows, projection);
  };
  const pooled = await encodeViews(model, clips, modality, views, pool, (done) =>
    task.onProgress?.(done, views.length),
  );
  const seen = pooled.filter((one) => one !== null);
  try {
    if (seen.length === 0) return null;
    const answers = await answersOf(bank, questions, clips);
    const labelled = views.flatMap(({ clip }, i): (LabelledView & { clip: number })[] =>
      pooled[i] === null ? [] : [{ clip, pooled: pooled[i]!, answers: answers[clip]! }],
    );
    const isHeld = ({ clip }: { clip: number }) => clip % heldOutOf === heldOutOf - 1;
    const learnt = labelled.filter((view) => !isHeld(view));
    const reader = CueReader.fresh(questions, seen, projection ?? null, deriveSeed(seed, "reader", modality));
    await fitReader(reader, learnt, labelled.filter(isHeld), deriveSeed(seed, "batches", modality), task.onTurn);
    const report = await checked(model, bank, reader, dev, task, priorsOf(questions, learnt));
    return { reader, report };
  } finally {
    for (const one of seen) one.dispose();
  }
}

async function answersOf(
  bank: CueBank,
  questions: readonly CueQuestion[],
  clips: readonly ObservedSample[],
): Promise<Int32Array[]> {
  const present = await presentCues(
    bank,
    clips.map(({ sample }) => sample),
  );
  return present.map((own) => rightAnswers(questions, own));
}

/** How frequent every answer is, each counted once more than it occurred: none is impossible. */
function priorsOf(questions: readonly CueQuestion[], views: readonly LabelledView[]): Float64Array[] {
  return questions.map(({ cues }, q) => {
    const counts = new Float64Array(cues.length + 1).fill(1);
    for (const { answers } of views) if (answers[q]! >= 0) counts[answers[q]!]!++;
    const total = counts.reduce((sum, count) => sum + count, 0);
    return counts.map((count) => count / total);
  });
}

async function checked(
  model: OmniModel,
  bank: CueBank,
  reader: CueReader,
  dev: readonly ObservedSample[],
  { modality, questions, seed }: ModalityTask,
  priors: readonly ArrayLike<number>[],
): Promise<ReaderReport> {
  const answers = await answersOf(bank, questions, dev);
  const judge = async (views: readonly View[]): Promise<Judged[][]> => {
    const pooled = await encodeViews(model, dev, modality, views, (rows) => reader.pool(rows));
    const kept = views.flatMap(({ clip }, i) => (pooled[i] === null ? [] : [{ clip, rows: pooled[i]! }]));
    const read = reader.answers(kept.map(({ rows }) => rows));
    for (const { rows } of kept) rows.dispose();
    return kept.map(({ clip }, i) =>
      read[i]!.map((probabilities, q) => ({ probabilities, answer: answers[clip]![q]! })),
    );
  };
  const intact = await judge(dev.map((_, clip) => ({ clip, mask: null })));
  const kinds: Record<string, Calibration> = {};
  const few = dev.slice(0, maxDevClips);
  for (const kind of ownKinds[modality]) {
    const masked = drawViews(few, modality, 1, deriveSeed(seed, "check", kind), [kind]).slice(few.length);
    kinds[kind] = calibrationOf((await judge(masked)).flat());
  }
  return {
    intact: calibrationOf(intact.flat()),
    skill: skillOf(intact, priors),
    kinds,
    temperature: reader.temperature,
  };
}
