// The theatre's SFT data: what an annotator writes about a clip (another annotator every time, each leaving other cues
// out, or a small model would learn the gaps by heart), and one think-first yes/no probe per clip and step.
import type { Sample } from "../data/sample.ts";
import { annotate, drawProbe, promptText, reasoningQuestion } from "../data/theatre/script.ts";
import type { OmniModel } from "../models/omni-model.ts";
import { createRandom } from "../random.ts";
import { deriveSeed } from "../run/seeds.ts";
import type { ClipLibrary } from "./clip-library.ts";
import type { SftExample } from "./sft.ts";
import { sceneOf } from "./theatre-scenes.ts";

export interface TheatreExampleOptions {
  readonly seed: number;
  readonly probeWeight: number;
  readonly verdictWeight: number;
}

/** `<think>reasoning</think><answer>labels</answer>` */
export function responseText(think: string, answer: string): string {
  return `<think>${think}</think><answer>${answer}</answer>`;
}

/** The annotated reasoning and a fresh probe for one clip at one step. */
export function theatreExamples(
  model: OmniModel,
  library: ClipLibrary,
  sample: Sample,
  step: number,
  options: TheatreExampleOptions,
): SftExample[] {
  const random = createRandom(deriveSeed(options.seed, "probe", step, sample.id));
  const scene = sceneOf(sample);
  const probe = drawProbe(scene, random.next() < 0.5 ? "video" : "audio", random);
  const { reasoning: written, labels } = annotate(scene, random);
  const reasoning = targetOf(model, responseText(written, labels.join(", ")));
  const answer = targetOf(model, responseText(probe.think, probe.answer));
  const verdict = model.encodeText(probe.answer)[0]!;
  return [
    {
      prompt: library.prompt(sample.id, promptText(sample.subtitle, reasoningQuestion)),
      target: reasoning,
      weights: new Float32Array(reasoning.length).fill(1),
    },
    {
      prompt: library.prompt(sample.id, promptText(sample.subtitle, probe.question)),
      target: answer,
      weights: Float32Array.from(answer, (id) => options.probeWeight * (id === verdict ? options.verdictWeight : 1)),
    },
  ];
}

function targetOf(model: OmniModel, text: string): Int32Array {
  return Int32Array.from([...model.encodeText(text), model.stopIds[0]!]);
}
