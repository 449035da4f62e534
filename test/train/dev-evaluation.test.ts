// Evaluation in training: its numbers are those of MEP-Bench and of the reward for the same weights, a function of the weights alone,
// and training does not notice it.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { runMep } from "../../src/bench/mep.ts";
import { probeEnding, probePrompt } from "../../src/bench/probe-wording.ts";
import { ClipLibrary } from "../../src/corpus/clips/clip-library.ts";
import type { FittedSample } from "../../src/corpus/clips/fitted-samples.ts";
import { localRespondent } from "../../src/corpus/clips/local-respondent.ts";
import { makeKnownSet } from "../../src/corpus/mep-set.ts";
import { theatreKind } from "../../src/corpus/theatre-kind.ts";
import { plainWording } from "../../src/corpus/wording.ts";
import type { StepMetrics } from "../../src/rl/metrics.ts";
import { resolveConfig } from "../../src/run/config.ts";
import { trainSchema } from "../../src/train/config.ts";
import { openDevEvaluator } from "../../src/train/dev-evaluation.ts";
import { claimSources, scoreOptions, trainGrpo } from "../../src/train/grpo.ts";
import { type OpenedPolicy, openPolicy } from "../../src/train/policy.ts";
import { type SmallTheatre, smallTheatre } from "../support/small-theatre.ts";
import { warmModel } from "../support/theatre-training.ts";
import { digestOf, interruptAt, withoutTimes } from "../support/training-runs.ts";

const maxNewTokens = 48;
let theatre: SmallTheatre;
let fitted: FittedSample[];
let warm: string;

before(async () => {
  theatre = await smallTheatre(6);
  ({ directory: warm, fitted } = await warmModel(theatre, 40));
});
after(() => theatre[Symbol.dispose]());

const setting = {
  embedder: theatreKind.embedder(),
  emotion: theatreKind.emotion,
  question: theatreKind.question,
  wording: plainWording,
  promptText: (sample: FittedSample["sample"], question = theatreKind.question) =>
    theatreKind.userTurn(sample.subtitle, question),
};

const configOf = (overrides: readonly string[]) =>
  resolveConfig(trainSchema, {
    overrides: [
      ...["promptsPerStep=2", "warmupSteps=0", "learningRate=0.003", "steps=3"],
      `maxNewTokens=${maxNewTokens}`,
      ...overrides,
    ],
  });

function scoringOf(config: ReturnType<typeof configOf>) {
  const samples = fitted.slice(0, 4).map(({ sample }) => sample);
  const claims = claimSources({ config, samples, embedder: setting.embedder });
  return scoreOptions({ config, ...setting, emotionScore: setting.emotion.score }, claims, maxNewTokens);
}

function evaluatorOf(models: OpenedPolicy, clips: readonly FittedSample[], config = configOf([])) {
  const scoring = scoringOf(config);
  return openDevEvaluator({ models, fitted: clips, setting, scoring, maxNewTokens, interrupt: interruptAt(null) });
}

/** Trains on the first four clips, evaluated on the others or not. */
async function train(name: string, trains: string, isEvaluated: boolean) {
  const config = configOf([`trainable=${trains}`, ...(trains === "lora" ? ["lora.dropout=0.3"] : [])]);
  using models = await openPolicy({ ...config, model: warm });
  using library = new ClipLibrary(models.reference);
  library.add(fitted.slice(0, 4));
  using evaluator = await evaluatorOf(models, fitted.slice(4));
  const directory = join(theatre.root, name);
  const evaluations: StepMetrics[] = [];
  await trainGrpo(
    {
      ...{ config, models, library, embedder: setting.embedder, emotionScore: setting.emotion.score },
      samples: fitted.slice(0, 4).map(({ sample }) => sample),
      promptText: setting.promptText,
    },
    {
      directory,
      interrupt: interruptAt(null),
      ...(isEvaluated ? { evaluation: { every: 1, atStart: true, evaluate: () => evaluator.evaluate() } } : {}),
      onEvaluation: (_, metrics) => evaluations.push(metrics),
    },
  );
  const again = await evaluator.evaluate();
  return { log: withoutTimes(directory), weights: digestOf(models.trainable), evaluations, again };
}

for (const trains of ["decoder", "full", "lora"]) {
  test(`training (${trains}) does not notice that it is evaluated, and the same weights give the same numbers`, async () => {
    const watched = await train(`${trains}-watched`, trains, true);
    const alone = await train(`${trains}-alone`, trains, false);
    assert.deepEqual([watched.log, watched.weights], [alone.log, alone.weights]);
    assert.equal(watched.evaluations.length, 4);
    assert.deepEqual(watched.again, watched.evaluations.at(-1));
    assert.deepEqual(alone.again, watched.again);
    // negative control: other weights are seen; a fresh adapter changes nothing
    if (trains !== "lora") assert.notDeepEqual(watched.evaluations[0], watched.evaluations.at(-1));
  });
}

test("the numbers are those of the benchmark and of the reward", async () => {
  using models = await openPolicy({ ...configOf([]), model: warm });
  using evaluator = await evaluatorOf(models, fitted);
  const numbers = await evaluator.evaluate();
  using library = new ClipLibrary(models.reference);
  library.add(fitted);
  const respondent = localRespondent(models.policy, library, { ...setting, name: "same", maxNewTokens });
  const clips = { congruent: fitted.map(({ sample }) => sample), conflict: [] };
  const { report, reasonings } = await runMep(respondent, {
    ...(await makeKnownSet(theatreKind, setting.embedder, clips)),
    reasoningPrompt: () => setting.question,
    emotionScore: setting.emotion.score,
    answerStyle: "tagged",
  });
  for (const name of ["recall", "format", "emotionF1", "accVideo", "accAudio", "yesVideo", "hallucinatedAudio"]) {
    assert.equal(numbers[name], report[name]!.value, name);
  }
  assert.equal(reasonings.intact.length, fitted.length);
  const parts = ["accuracy", "format", "omni"].map((name) => numbers[`rewards/${name}/mean`]!);
  assert.ok(Math.abs(numbers.reward! - (parts[0]! + parts[1]! + 0.5 * parts[2]!)) < 1e-12);
  assert.ok(numbers.recall! > 0.3 && numbers.format! > 0.5, JSON.stringify(numbers));
});

test("terms that look claims up in the corpus are evaluated too", async () => {
  const terms = ["omni", "support", "precision", "informed"].map((name) => ({ name, weight: 1 }));
  const config = configOf([`reward.terms=${JSON.stringify(terms)}`]);
  using models = await openPolicy({ ...config, model: warm });
  using evaluator = await evaluatorOf(models, fitted, config);
  const numbers = await evaluator.evaluate();
  assert.equal(numbers["rewards/support/mean"], 0, "no clip of it is degraded");
  assert.ok(numbers["rewards/precision/mean"]! <= 0);
  assert.ok(Number.isFinite(numbers["rewards/informed/mean"]));
});

test("a probe is put as models of its corpus know it", () => {
  const question = "does the video show a frown?";
  assert.equal(probePrompt(question, probeEnding("tagged", true)), question);
  assert.equal(probePrompt(question, probeEnding("free", true)), "Does the video show a frown? Answer yes or no.");
  assert.match(
    probePrompt(question, probeEnding("tagged", false)),
    /^Does .*\? Reason in <think>.*<answer><\/answer>\.$/,
  );
});
