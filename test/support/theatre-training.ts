// What tests of training on a very small theatre begin with: a model that has the format, and what the theatre brings to a run.
import { join } from "node:path";
import { ClipLibrary } from "../../src/corpus/clips/clip-library.ts";
import { type FittedSample, fitSamples } from "../../src/corpus/clips/fitted-samples.ts";
import { theatreKind } from "../../src/corpus/theatre-kind.ts";
import type { Sample } from "../../src/data/sample.ts";
import { reasoningQuestion } from "../../src/data/theatre/script.ts";
import { loadModel } from "../../src/models/registry.ts";
import { runSteps } from "../../src/train/run-steps.ts";
import { sftObjective } from "../../src/train/sft.ts";
import type { SmallTheatre } from "./small-theatre.ts";
import { examples, interruptAt, plainOptimizer, trainable } from "./training-runs.ts";

export interface WarmModel {
  /** Of the model. */
  readonly directory: string;
  /** The theatre's clips as it sees them. */
  readonly fitted: FittedSample[];
}

/** A model that has the format and still makes mistakes. @param schedule of the learning rate; left out, it stays */
export async function warmModel(
  theatre: SmallTheatre,
  steps: number,
  schedule?: (step: number) => number,
): Promise<WarmModel> {
  const directory = join(theatre.root, "warm");
  using model = await loadModel(theatre.freshModel(1));
  const options = { model, maxSkippedFraction: 0, cacheFile: join(theatre.corpus, "fitted.safetensors") };
  const { fitted } = await fitSamples(theatre.corpus, theatre.samples, options);
  using library = new ClipLibrary(model);
  library.add(fitted);
  const batch = examples(model, library, fitted);
  await runSteps({
    steps,
    objective: sftObjective(model, () => batch),
    trainable: trainable(model),
    optimizer: { ...plainOptimizer, learningRate: 4e-3, schedule: schedule ?? (() => 1) },
    directory: join(theatre.root, "warming"),
    checkpointEvery: steps,
    interrupt: interruptAt(null),
  });
  model.save(directory);
  return { directory, fitted };
}

/** For a run of the method, beside its settings, models and clips. */
export const theatreTerms = () => ({
  promptText: (sample: Sample, question = reasoningQuestion) => theatreKind.userTurn(sample.subtitle, question),
  embedder: theatreKind.embedder(),
  emotionScore: theatreKind.emotion.score,
});
