// One rank of speed/scale.ts: steps of the cold start on prompts of its own, with the sum of gradients over all ranks and an update.
import { wholeLearner } from "../../src/nn/index.ts";
import { worldPlace } from "../../src/run/world/address.ts";
import { alone, openWorld, scope } from "../../src/tensor/index.ts";
import { outsideTowers } from "../../src/train/policy.ts";
import { type SftExample, sftGradients } from "../../src/train/sft.ts";
import { randomThinker } from "./random-thinker.ts";

const numPrompts = 4;
const numTargets = 96;
const warmUp = 2;

const place = worldPlace(process.env);
using world = place === null ? alone : openWorld(place);
using model = await randomThinker("tiny", "cpu", "float32");
const parameters = outsideTowers(model);
for (const parameter of parameters.values()) parameter.requiresGrad = true;
using learner = wholeLearner({ parameters, masters: new Map(), optimizer: { lr: 1e-4 }, world });
const words = "what does the person feel, and what of the face and of the voice says so? ".repeat(8);
const tokens = model.promptTokens(words, { video: null, audio: null });
const target = model.encodeText(words).slice(0, numTargets);
const batch = Array.from({ length: numPrompts }, (): SftExample[] => [
  { prompt: { tokens, rows: null }, target, weights: new Float32Array(target.length).fill(1) },
]);
const steps = Number(process.argv[2]);
let start = 0;
for (let step = 0; step < warmUp + steps; step++) {
  if (step === warmUp) {
    world.max("the start", [0]);
    start = performance.now();
  }
  learner.zeroGrad();
  scope(() => sftGradients(model, batch));
  learner.update(1e-4, 1);
}
process.send?.((performance.now() - start) / 1000);
process.disconnect?.();
