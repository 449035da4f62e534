// SFT cold start: next-token cross-entropy on annotated reasonings and think-first probes. All examples of one clip share
// one prefix: the turns up to where they differ run once, the rest of the prompt and the answer are branches.
// B clips, N examples, C branch tokens (padded), D width, V vocabulary
import type { ModelPrompt, OmniModel, PromptTokens } from "../models/omni-model.ts";
import { Metrics } from "../rl/metrics.ts";
import { indices, op, scope, type Tensor, tensor } from "../tensor/index.ts";
import type { Objective } from "./run-steps.ts";

/** One question about a clip with the answer to learn. */
export interface SftExample {
  readonly prompt: ModelPrompt;
  /** Answer ids, the stop token included. */
  readonly target: Int32Array;
  /** Loss weight of every target id. */
  readonly weights: Float32Array;
}

/** Cross-entropy on the examples of a step's clips: a pure function of the step. */
export function sftObjective(
  model: OmniModel,
  batchOf: (step: number) => readonly (readonly SftExample[])[],
): Objective {
  return {
    gradients: (step) => {
      const batch = batchOf(step);
      const metrics = new Metrics();
      scope(() => {
        const loss = sftLoss(model, batch);
        loss.backward();
        metrics.sum("loss", loss.item());
      });
      metrics.sum(
        "num_tokens",
        batch.flat().reduce((sum, { target }) => sum + target.length, 0),
      );
      return { metrics };
    },
  };
}

/** Weighted mean cross-entropy over all target tokens of the batch. Scalar. */
export function sftLoss(model: OmniModel, batch: readonly (readonly SftExample[])[]): Tensor {
  const branches = batch.map((examples) => branchOff(model, examples));
  const hidden = model.hidden(
    branches.map((branch) => branch.prefix),
    branches.map((branch) => branch.completions),
  ); // [N, C, D]
  const [numRows, numColumns, width] = hidden.shape as [number, number, number];
  const positions: number[] = [];
  const targets: number[] = [];
  const weights: number[] = [];
  let row = 0;
  for (const [b, examples] of batch.entries()) {
    for (const [e, example] of examples.entries()) {
      const start = branches[b]!.completions[e]!.length - example.target.length;
      for (const [t, id] of example.target.entries()) {
        positions.push(row * numColumns + start + t);
        targets.push(id);
        weights.push(example.weights[t]!);
      }
      row++;
    }
  }
  const { device } = hidden;
  const onDevice = (values: readonly number[]) => indices(values).to({ device });
  const rows = hidden.view([numRows * numColumns, width]).indexSelect(0, onDevice(positions)); // [T, D]
  const logprobs = model.logits(rows).logSoftmax(-1).gather(1, onDevice(targets).unsqueeze(1)).squeeze(1); // [T]
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return op.sum(logprobs.mul(tensor(Float32Array.from(weights), [weights.length], { device }))).mul(-1 / total);
}

interface Branches {
  readonly prefix: ModelPrompt;
  readonly completions: readonly Int32Array[];
}

/** Cuts the prompts of one clip, which all show the same rows, at their longest common prefix, which keeps at least one token for each branch. */
function branchOff(model: OmniModel, examples: readonly SftExample[]): Branches {
  const prompts = examples.map((example) => example.prompt.tokens);
  const shared = commonPrefix(prompts);
  const completions = examples.map((example, e) => {
    const rest = prompts[e]!.ids.subarray(shared);
    const branch = new Int32Array(rest.length + example.target.length);
    branch.set(rest);
    branch.set(example.target, rest.length);
    return branch;
  });
  return { prefix: { tokens: model.promptHead(prompts[0]!, shared), rows: examples[0]!.prompt.rows }, completions };
}

function commonPrefix(prompts: readonly PromptTokens[]): number {
  const first = prompts[0]!.ids;
  let length = Math.min(...prompts.map((prompt) => prompt.ids.length));
  for (const { ids } of prompts) {
    let same = 0;
    while (same < length && ids[same] === first[same]) same++;
    length = same;
  }
  return length;
}
