// The theatre's SFT data: what an annotator writes about a clip (another annotator every time, each leaving other cues
// out, or a small model would learn the gaps by heart), and think-first yes/no probes. Some copies of a clip lack a
// modality that the annotator had: what is written about that one, the cold start decides (`coldStarts`). Where it is
// described all the same, a model learns to claim what it cannot perceive, as on real corpora.

import type { ClipLibrary } from "../../corpus/clips/clip-library.ts";
import type { Sample } from "../../data/sample.ts";
import type { Scene } from "../../data/theatre/draw.ts";
import { sceneOf } from "../../data/theatre/sample-scene.ts";
import {
  annotate,
  drawProbe,
  type PerceivedScene,
  promptText,
  reasoningQuestion,
  sceneWithout,
} from "../../data/theatre/script.ts";
import { type ColdStart, coldStarts, rates } from "../../data/theatre/world.ts";
import type { Modality } from "../../media/clip.ts";
import type { OmniModel } from "../../models/omni-model.ts";
import { createRandom, type Random } from "../../random.ts";
import { deriveSeed } from "../../seeds.ts";
import type { SftExample } from "../sft.ts";
import type { BlankViews } from "./blank-views.ts";

export interface TheatreExampleOptions {
  readonly seed: number;
  /** What is written about a modality that the model's copy lacks. */
  readonly coldStart: ColdStart;
  readonly probeWeight: number;
  readonly verdictWeight: number;
}

/** `<think>reasoning</think><answer>labels</answer>` */
export function responseText(think: string, answer: string): string {
  return `<think>${think}</think><answer>${answer}</answer>`;
}

/** An annotated reasoning and a fresh probe per modality, for one clip at one step. @param blanks of the library's clips */
export function theatreExamples(
  model: OmniModel,
  library: ClipLibrary,
  blanks: BlankViews,
  sample: Sample,
  step: number,
  options: TheatreExampleOptions,
): SftExample[] {
  const random = createRandom(deriveSeed(options.seed, "annotator", step, sample.id));
  const hidden = drawHidden(coldStarts[options.coldStart], random);
  const scene = annotatedScene(sceneOf(sample), hidden);
  const rows = hidden === null ? null : blanks.rows(sample.id, hidden.modality, step);
  const prompt = (question: string) => library.prompt(sample.id, promptText(sample.subtitle, question), rows);
  const { reasoning, labels } = annotate(scene, random);
  const target = targetOf(model, responseText(reasoning, labels.join(", ")));
  const probes = (["video", "audio"] as const).map((modality): SftExample => {
    const probe = drawProbe(scene, modality, random);
    const answer = targetOf(model, responseText(probe.think, probe.answer));
    const verdict = model.encodeText(probe.answer)[0]!;
    const weight = (id: number) => options.probeWeight * (id === verdict ? options.verdictWeight : 1);
    return { prompt: prompt(probe.question), target: answer, weights: Float32Array.from(answer, weight) };
  });
  return [{ prompt: prompt(reasoningQuestion), target, weights: new Float32Array(target.length).fill(1) }, ...probes];
}

interface Hidden {
  readonly modality: Modality;
  /** The annotator still describes what the model cannot see or hear: where claims without evidence are learnt. */
  readonly isDescribed: boolean;
}

/** Which copies lack what is the same in every cold start. */
function drawHidden(describedShare: number, random: Random): Hidden | null {
  const isHidden = random.next() < rates.hiddenModality;
  const modality = random.next() < 0.5 ? "video" : "audio";
  const isDescribed = random.next() < describedShare;
  return isHidden ? { modality, isDescribed } : null;
}

/** What the annotator writes about: the whole scene, or the scene without what the model's copy lacks. */
function annotatedScene(scene: Scene, hidden: Hidden | null): PerceivedScene {
  return hidden === null || hidden.isDescribed ? scene : sceneWithout(scene, hidden.modality);
}

function targetOf(model: OmniModel, text: string): Int32Array {
  return Int32Array.from([...model.encodeText(text), model.stopIds[0]!]);
}
