// What a model claims about a modality that is degraded by any kind of mask at any dose, or that is another clip's: free reasonings,
// counted per clip. A claim is supported if the modality as it is played shows it.
import { type CueBank, ofKind, presentCues, type StatedCues, shareIn } from "../../bench/cue-bank.ts";
import { formatScores } from "../../bench/emotion-score.ts";
import { countMeasure, type Measures, meanMeasure } from "../../bench/measure.ts";
import { clauseStatements } from "../../bench/statements.ts";
import { swapsOf } from "../../bench/swap.ts";
import { statedCues } from "../../bench/utilization.ts";
import { borrowedRows, type ClipLibrary } from "../../corpus/clips/clip-library.ts";
import type { Sample } from "../../data/sample.ts";
import { sceneOf } from "../../data/theatre/sample-scene.ts";
import type { Modality } from "../../media/clip.ts";
import { unitsKind } from "../../media/degrade/degrade.ts";
import { type ClipRows, type ModelPrompt, withoutStop } from "../../models/omni-model.ts";
import { deriveSeed } from "../../seeds.ts";
import { noGrad, scope } from "../../tensor/index.ts";
import { type TaskContext, theatrePrompt, tick } from "./context.ts";
import { type ModelUnderTest, maxAnswerTokens } from "./measure.ts";

/** One way of showing held-out clips. A dose of 0 is the clip as it is. */
export type Condition =
  | { readonly kind: "mask"; readonly modality: Modality; readonly mask: string; readonly dose: number }
  | { readonly kind: "swap"; readonly modality: Modality };

/** Ends the names of its scores. Example: "video blur 1", "audio swap" */
export function conditionName(condition: Condition): string {
  return condition.kind === "swap"
    ? `${condition.modality} swap`
    : `${condition.modality} ${condition.mask} ${condition.dose}`;
}

const batchSize = 64;

/**
 * Scores by `SCORE@CONDITION`: claims about the touched modality per clip; of a swap those that the played clip supports and those
 * that it does not; recall of the cues of the other modality, which is whole; format.
 */
export async function measureConditions(
  context: TaskContext,
  tested: ModelUnderTest,
  conditions: readonly Condition[],
): Promise<Measures> {
  const { bank, congruent } = tested;
  const own = await presentCues(bank, congruent);
  const all: Record<string, Measures[string]> = {};
  for (const [c, condition] of conditions.entries()) {
    const name = conditionName(condition);
    const shown = shownClips(tested, condition);
    const texts = await reasonings(context, tested, shown, { condition, done: c, total: conditions.length });
    const stated = await statedCues(bank, texts.map(clauseStatements));
    const place = new Map(congruent.map(({ id }, i) => [id, i]));
    const cuesOf = (sample: Sample) => own[place.get(sample.id)!]!;
    const values = shown.map((clip, i) => valuesOf(bank, condition, clip, stated[i]!, cuesOf));
    const spread = spreadOver(
      congruent.length,
      shown.map(({ sample }) => place.get(sample.id)!),
    );
    const of = (score: "claims" | "supported" | "unsupported" | "otherRecall") =>
      spread(values.map((value) => value[score]));
    all[`claims@${name}`] = countMeasure("congruent", of("claims"));
    if (condition.kind === "swap") {
      all[`supported@${name}`] = countMeasure("congruent", of("supported"));
      all[`unsupported@${name}`] = countMeasure("congruent", of("unsupported"));
    }
    all[`otherRecall@${name}`] = meanMeasure("congruent", of("otherRecall"));
    all[`format@${name}`] = meanMeasure("congruent", spread(formatScores(texts, "tagged")));
  }
  return all;
}

/** A clip as it is shown: whose modality is played in the place of its own, or null where its own is degraded. */
interface ShownClip {
  readonly sample: Sample;
  readonly partner: Sample | null;
}

function shownClips({ congruent }: ModelUnderTest, condition: Condition): ShownClip[] {
  if (condition.kind === "mask") return congruent.map((sample) => ({ sample, partner: null }));
  const emotion = (sample: Sample) => [sceneOf(sample)[`${condition.modality}Emotion`] ?? "plain"];
  return swapsOf(congruent, emotion);
}

function valuesOf(
  bank: CueBank,
  { modality }: Condition,
  { sample, partner }: ShownClip,
  stated: StatedCues,
  cuesOf: (sample: Sample) => readonly number[],
) {
  const other = modality === "video" ? "audio" : "video";
  const claims = ofKind(bank, stated, modality);
  const played = new Set(partner === null ? [] : cuesOf(partner));
  const supported = claims?.filter((cue) => played.has(cue)).length ?? Number.NaN;
  return {
    claims: claims?.length ?? Number.NaN,
    supported,
    unsupported: (claims?.length ?? Number.NaN) - supported,
    otherRecall: shareIn(ofKind(bank, cuesOf(sample), other), stated),
  };
}

/** Values at their clips' places, NaN where a clip was not shown. */
function spreadOver(length: number, places: readonly number[]): (values: readonly number[]) => number[] {
  return (values) => {
    const all = new Array<number>(length).fill(Number.NaN);
    for (const [i, at] of places.entries()) all[at] = values[i]!;
    return all;
  };
}

interface Asked {
  readonly condition: Condition;
  /** Conditions done, of all. */
  readonly done: number;
  readonly total: number;
}

async function reasonings(
  context: TaskContext,
  tested: ModelUnderTest,
  shown: readonly ShownClip[],
  { condition, done, total }: Asked,
): Promise<string[]> {
  const texts: string[] = [];
  for (let start = 0; start < shown.length; start += batchSize) {
    texts.push(...answerBatch(tested, shown.slice(start, start + batchSize), condition));
    await tick(context, done + texts.length / shown.length, total, conditionName(condition));
  }
  return texts;
}

function answerBatch({ model, library }: ModelUnderTest, batch: readonly ShownClip[], condition: Condition): string[] {
  return scope(() =>
    noGrad(() => {
      const owned: Disposable[] = [];
      const prompts = batch.map((clip): ModelPrompt => {
        const rows = shownRows(library, clip, condition);
        owned.push(rows);
        return library.prompt(clip.sample.id, theatrePrompt(clip.sample), rows);
      });
      const completions = model.sample(prompts, { numSamples: 1, maxNewTokens: maxAnswerTokens, temperature: 0 });
      for (const rows of owned) rows[Symbol.dispose]();
      return completions.map(([completion]) => model.decodePieces(withoutStop(model, completion!.ids)).join(""));
    }),
  );
}

function shownRows(library: ClipLibrary, { sample, partner }: ShownClip, condition: Condition): ClipRows {
  const { modality } = condition;
  if (condition.kind === "swap") {
    const [own, played] = [library.rows(sample.id), library.rows(partner!.id)];
    return modality === "video" ? borrowedRows(played.video, own.audio) : borrowedRows(own.video, played.audio);
  }
  const { mask, dose } = condition;
  const seed = deriveSeed(0, "condition", mask, dose, sample.id);
  const kind = mask === unitsKind ? {} : { kind: mask };
  return library.maskedRows([{ sampleId: sample.id, masks: [{ modality, ratio: dose, seed, ...kind }] }])[0]!;
}
