// Encoder warm-up: the stand-in for the pre-training that a real checkpoint brings. Each tower learns to tell the states
// of its modality's attributes on clips where no attribute predicts another, through throw-away linear heads over all
// tower tokens. Afterwards the towers are frozen.
// B clips, R tower rows of a clip, D width, S states of an attribute
import type { Modality } from "../media/clip.ts";
import type { ClipFeatures, OmniModel } from "../models/omni-model.ts";
import { Metrics } from "../rl/metrics.ts";
import { Generator, indices, keep, noGrad, op, scope, type Tensor } from "../tensor/index.ts";
import type { Objective } from "./run-steps.ts";

/** One clip with the state index of every attribute of one modality. */
export interface LabelledClip {
  readonly features: ClipFeatures;
  readonly states: readonly number[];
}

/** A classifier over tower rows. Owner of its heads. */
export class StateClassifier implements Disposable {
  readonly #heads: readonly Tensor[];
  readonly #model: OmniModel;
  readonly #modality: Modality;

  /** @param numStates number of states per attribute. */
  constructor(model: OmniModel, modality: Modality, sample: ClipFeatures, numStates: readonly number[], seed: number) {
    this.#model = model;
    this.#modality = modality;
    this.#heads = scope(() => {
      const rows = noGrad(() => this.#rows([sample])); // [1, R * D]
      using generator = new Generator(seed);
      const width = rows.shape[1]!;
      return numStates.map((count) => {
        const drawn = op.randn([count, width], { generator }).to({ device: rows.device });
        const head = noGrad(() => drawn.mul(1 / Math.sqrt(width)));
        head.requiresGrad = true;
        return keep(head);
      });
    });
  }

  /** By name, for a checkpoint. */
  parameters(): ReadonlyMap<string, Tensor> {
    return new Map(this.#heads.map((head, a) => [`heads.${a}.weight`, head]));
  }

  /** Scores of every attribute's states: one [B, S] per attribute. */
  logits(clips: readonly ClipFeatures[]): Tensor[] {
    const rows = this.#rows(clips);
    return this.#heads.map((head) => op.linear(rows, head));
  }

  #rows(clips: readonly ClipFeatures[]): Tensor {
    const only = clips.map((clip) =>
      this.#modality === "video" ? { ...clip, audio: null } : { ...clip, video: null },
    );
    const rows = this.#model.encode(only).map((clip) => clip[this.#modality]!);
    return op.stack(rows).flatten({ startDim: 1 }); // [B, R, D] -> [B, R * D]
  }

  [Symbol.dispose](): void {
    for (const head of this.#heads) head.dispose();
  }
}

/** Cross-entropy of the states of a step's clips, and the share of right ones. */
export function warmUpObjective(
  classifier: StateClassifier,
  batchOf: (step: number) => readonly LabelledClip[],
): Objective {
  return {
    gradients: (step) => {
      const metrics = new Metrics();
      scope(() => {
        const { loss, accuracy } = classify(classifier, batchOf(step));
        loss.backward();
        metrics.sum("loss", loss.item());
        metrics.meanOf("accuracy", accuracy);
      });
      return { metrics };
    },
  };
}

/** Accuracy per attribute on clips that were not trained on. */
export function stateAccuracy(classifier: StateClassifier, clips: readonly LabelledClip[]): number[] {
  const perBatch = 32;
  const totals: number[] = [];
  for (let start = 0; start < clips.length; start += perBatch) {
    const batch = clips.slice(start, start + perBatch);
    const { accuracy } = scope(() => noGrad(() => ({ accuracy: classify(classifier, batch).accuracy })));
    for (const [a, share] of accuracy.entries()) totals[a] = (totals[a] ?? 0) + (share * batch.length) / clips.length;
  }
  return totals;
}

function classify(classifier: StateClassifier, batch: readonly LabelledClip[]): { loss: Tensor; accuracy: number[] } {
  const logits = classifier.logits(batch.map((clip) => clip.features));
  const targets = logits.map(({ device }, a) => indices(batch.map((clip) => clip.states[a]!)).to({ device }));
  const losses = logits.map((scores, a) => op.mean(scores.logSoftmax(-1).gather(1, targets[a]!.unsqueeze(1))).mul(-1));
  const accuracy = logits.map((scores, a) =>
    op.mean(scores.argmax({ dim: -1 }).eq(targets[a]!).to({ dtype: "float32" })).item(),
  );
  return { loss: losses.reduce((sum, loss) => sum.add(loss)), accuracy };
}
