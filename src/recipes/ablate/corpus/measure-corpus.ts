// What a model claims of a corpus' clips under every kind of mask, sorted by an observer that was learnt from the corpus it was
// trained on: the sceptic's conditions without anybody who knows the clips. Runs in a process of its own.
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { Measures } from "../../../bench/measure.ts";
import { type MaskCondition, partnersAmong } from "../../../bench/support/conditions.ts";
import { flatSupport, measureSupport } from "../../../bench/support/measure-support.ts";
import { ClipLibrary } from "../../../corpus/clips/clip-library.ts";
import { localRespondent } from "../../../corpus/clips/local-respondent.ts";
import { fitCorpus, readCorpus } from "../../../corpus/clips/read-corpus.ts";
import { comparedAlike } from "../../../corpus/mep-set.ts";
import { chooseSetting, type SettingOptions } from "../../../corpus/setting.ts";
import { fieldMapOf } from "../../../corpus/settings.ts";
import { wordingOf } from "../../../corpus/wording.ts";
import type { Sample } from "../../../data/sample.ts";
import { loadModel } from "../../../models/registry.ts";
import { createRandom, permutation } from "../../../random.ts";
import { replaceFile } from "../../../run/checkpoint.ts";
import type { Interrupt } from "../../../run/interrupt.ts";
import type { Progress } from "../../../run/progress.ts";
import { deriveSeed } from "../../../seeds.ts";
import { observeCorpus } from "../../../train/observer/observe-corpus.ts";
import { observeViews } from "../../../train/observer/observe-views.ts";
import { observeAbove } from "../../../train/observer/read-cues.ts";
import { readingSettings, type SharedSettings } from "./shared.ts";

/** What the parent sends. */
export interface CorpusTask {
  readonly kind: "corpus";
  readonly model: string;
  /** What the observer is learnt from. */
  readonly data: string;
  readonly observers: string;
  readonly shared: SharedSettings;
  readonly seed: number;
  /** null: the observer alone. */
  readonly measured: {
    readonly samples: string;
    readonly conditions: readonly MaskCondition[];
    readonly file: string;
  } | null;
}

export interface Measuring {
  readonly progress: Progress;
  readonly interrupt: Interrupt;
  /** Where imported lexicons are. */
  readonly home: string;
}

/** Clips that are asked about: as many as a MEP set has. */
const maxClips = 300;
/** Of the masks: every model is shown the same. */
const maskSeed = 0;
const maxAnswerTokens = 256;

/** @returns what the observer says of itself */
export async function measureCorpus(
  { model: directory, data, observers, shared, seed, measured }: CorpusTask,
  { progress, interrupt, home }: Measuring,
): Promise<readonly string[]> {
  const reading = readingSettings(shared.all);
  const { clips, observer, maxSkippedRows, maxSkippedFraction, maxPromptTokens, device, dtype } = reading;
  const fields = fieldMapOf(reading.fields);
  const read = (file: string) => readCorpus(file, maxSkippedRows, progress.log, fields);
  const rows = await read(data);
  using model = await loadModel(directory, { device, ...(dtype === null ? {} : { dtype }) });
  const known = wordingOf([directory]);
  using setting = await chooseSetting(rows, {
    ...comparedAlike<Pick<SettingOptions, "access">>({}),
    ...{ ...reading, similarityThreshold: reading.reward.similarityThreshold },
    ...{ wording: known.file === null ? null : known, home },
  });
  const stage = progress.stage("observer", 1);
  using made = await observeCorpus(model, rows, {
    ...{ file: data, clips, observer, seed, maxSkippedFraction, maxPromptTokens },
    ...{ folder: observers, setting, interrupt },
    onProgress: (done, total) => stage.update(done / Math.max(1, total)),
    onNotice: (line) => progress.log(`warning: ${line}`),
  });
  stage.finish();
  if (measured === null) return made.notes;
  const asked = drawAsked(await read(measured.samples), seed);
  const { fitted } = await fitCorpus(model, asked, {
    ...{ file: measured.samples, maxSkippedFraction, maxPromptTokens, progress, interrupt },
  });
  using library = new ClipLibrary(model, setting.wording.system);
  library.add(fitted);
  const samples = fitted.map(({ sample }) => sample);
  const total = measured.conditions.length * samples.length;
  const asking = progress.stage("conditions", total);
  let done = 0;
  const respondent = localRespondent(model, library, {
    name: directory,
    maxNewTokens: Number(shared.measure.maxNewTokens ?? maxAnswerTokens),
    promptText: setting.promptText,
    onBatch: async (numDone, numTotal) => {
      asking.update(done + numDone);
      if (numDone === numTotal) done += numTotal;
      await interrupt.safePoint();
    },
  });
  const observe = observeViews(made.observer, library);
  const support = await measureSupport(respondent, {
    ...{ samples, conditions: measured.conditions, bank: made.observer.bank, seed: maskSeed },
    observe: made.floors === null ? observe : observeAbove(observe, made.floors),
    ...{ question: setting.question, answerStyle: shared.measure.answerStyle === "free" ? "free" : "tagged" },
    partnersOf: partnersAmong(samples, withOtherLabels),
  });
  asking.finish();
  const measures: Measures = flatSupport(support);
  await mkdir(dirname(measured.file), { recursive: true });
  replaceFile(measured.file, `${JSON.stringify({ measures })}\n`);
  return made.notes;
}

/** In the corpus' order. */
function drawAsked(rows: readonly Sample[], seed: number): Sample[] {
  const annotated = rows.filter(({ cues }) => cues.some(({ kind }) => kind !== "emotion"));
  const order = permutation(annotated.length, createRandom(deriveSeed(seed, "conditions")));
  return order
    .slice(0, maxClips)
    .sort((a, b) => a - b)
    .map((i) => annotated[i]!);
}

/** A replaced modality is that of a clip with other labels, where there is one. */
export function withOtherLabels(others: readonly Sample[], sample: Sample): readonly Sample[] {
  const unlike = others.filter(({ labels }) => !labels.some((label) => sample.labels.includes(label)));
  return unlike.length > 0 ? unlike : others;
}
