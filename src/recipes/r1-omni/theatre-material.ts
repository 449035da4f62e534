// The theatre's part: clips of two troupes, a base model's descriptions in free words, the cold start's few reasonings, and labels.
// The label of an emotion is its first word; the base and the cold start say any of its three, as annotators of an open
// vocabulary do. Which of them counts is what label SFT and RLVR learn. Lines are not told: they are heard.
import { join } from "node:path";
import { loadSamples, writeSamples } from "../../data/jsonl.ts";
import type { Sample } from "../../data/sample.ts";
import { type CorpusPlan, defaultClipFormat } from "../../data/theatre/plan.ts";
import { sceneOf } from "../../data/theatre/sample-scene.ts";
import { annotate, reasoningQuestion, sceneEmotions } from "../../data/theatre/script.ts";
import { emotions, emotionWords } from "../../data/theatre/world.ts";
import { createRandom } from "../../random.ts";
import { deriveSeed } from "../../seeds.ts";
import {
  conversationRow,
  labelOnly,
  type Material,
  type TestSet,
  thinkingAnswer,
  writeLabels,
  writeRows,
} from "./material.ts";
import type { RunPaths } from "./paths.ts";
import type { Questions } from "./rows.ts";
import type { ROneOmniConfig } from "./settings.ts";

export const theatreQuestions: Questions = { plain: "what does the person feel?", thinking: reasoningQuestion };
export const theatreLabels: readonly string[] = emotions.map((emotion) => emotionWords[emotion][0]);

export function theatrePlan({ play, seed }: ROneOmniConfig): CorpusPlan {
  const { warmup, base, cold, labels, test } = play.clips;
  return {
    seed: deriveSeed(seed, "r1-omni"),
    format: defaultClipFormat,
    splits: [
      { name: "warmup", kind: "decorrelated", numClips: warmup },
      { name: "base", kind: "train", numClips: base },
      { name: "cold", kind: "train", numClips: cold },
      { name: "labels", kind: "train", numClips: labels },
      { name: "near", kind: "congruent", numClips: test },
      { name: "far", kind: "congruent", numClips: test, troupe: "second" },
    ],
  };
}

const splitSamples = async (paths: RunPaths, split: string) =>
  (await loadSamples(join(paths.data, `${split}.jsonl`))).samples;

/** Writes what is learnt and measured, from the rows of the built corpus. */
export async function theatreMaterial({ seed }: ROneOmniConfig, paths: RunPaths): Promise<Material> {
  const baseFile = join(paths.data, "base.json");
  const said = (sample: Sample) => {
    const random = createRandom(deriveSeed(seed, "annotator", sample.id));
    const { reasoning, labels } = annotate(sceneOf(sample), random);
    return { media: sample.media, reasoning, word: labels[random.int(labels.length)]! };
  };
  const base = (await splitSamples(paths, "base")).map(said);
  const { plain, thinking } = theatreQuestions;
  writeRows(
    baseFile,
    base.flatMap(({ media, reasoning, word }) => [
      conversationRow(media, plain, word),
      conversationRow(media, thinking, reasoning),
    ]),
  );
  const cold = { file: join(paths.data, "cold.json"), media: paths.data };
  writeRows(
    cold.file,
    (await splitSamples(paths, "cold"))
      .map(said)
      .map(({ media, reasoning, word }) => conversationRow(media, thinking, thinkingAnswer(reasoning, word))),
  );
  const shared = await writeLabels(paths.data, labelled(await splitSamples(paths, "labels")), theatreQuestions);
  const test = async (split: string, title: string, isOutside: boolean): Promise<TestSet> => {
    const file = join(paths.data, `test-${split}.jsonl`);
    await writeSamples(file, labelled(await splitSamples(paths, split)));
    return { title, file, labels: theatreLabels, isOutside };
  };
  return {
    base: join(paths.models, "base", "model"),
    cold,
    ...shared,
    sets: [await test("near", "own troupe", false), await test("far", "second troupe", true)],
    questions: theatreQuestions,
  };
}

/** Clips of one emotion, with its word alone. */
function labelled(samples: readonly Sample[]): Sample[] {
  return samples.flatMap((sample) => {
    const [emotion, ...others] = sceneEmotions(sceneOf(sample));
    return others.length > 0 ? [] : [labelOnly({ ...sample, labels: [emotionWords[emotion!][0]] })];
  });
}

/** The base model's training as settings of `oppo sft`. */
export function baseSettings({ play, seed }: ROneOmniConfig, paths: RunPaths) {
  return {
    preset: "sft-theatre",
    run: join(paths.models, "base"),
    model: join(paths.models, "warm"),
    data: join(paths.data, "base.json"),
    media: paths.data,
    format: "conversations",
    seed: deriveSeed(seed, "base"),
    steps: play.baseSteps,
    clips: { cache: paths.cache },
  };
}
