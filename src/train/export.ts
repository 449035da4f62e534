// The models that a run leaves: model/, the last step's, and best/, that of the best evaluation; of adapters the adapter too, in
// adapter/ and best-adapter/.
import { join } from "node:path";
import { saveWording, type Wording } from "../corpus/wording.ts";
import { diskFullError, isDiskFull } from "../run/disk.ts";
import type { OpenedPolicy } from "./policy.ts";
import type { BestWeights } from "./watch/evaluations.ts";
import { loadWeights } from "./watch/training-state.ts";

export interface BestModel {
  readonly model: string;
  /** Updates behind it. */
  readonly steps: number;
  readonly measure: string;
  readonly value: number;
}

interface Destination {
  readonly model: string;
  readonly adapter: string;
}

/** Of a run's last step. */
export const lastModel = (directory: string): Destination => ({
  model: join(directory, "model"),
  adapter: join(directory, "adapter"),
});

/** Writes model/ and best/; afterwards the policy has the best weights. @throws OppoError ERR_DISK_FULL: training itself is kept */
export function saveModels(
  models: OpenedPolicy,
  run: { readonly directory: string; readonly best: BestWeights | null; readonly wording: Wording | null },
  log: (line: string) => void,
): BestModel | null {
  const { directory, best, wording } = run;
  exportModel(models, wording, lastModel(directory));
  if (best === null) return null;
  const { checkpoint, measure, value } = best;
  const model = join(directory, "best");
  loadWeights(checkpoint, models.trainable);
  exportModel(models, wording, { model, adapter: join(directory, "best-adapter") });
  const which =
    checkpoint.step === 0
      ? `the start, than which no evaluation has a better ${measure}: nothing was gained on these clips`
      : `that of step ${checkpoint.step}, of the best ${measure}`;
  log(`model/ is the last step's; best/ is ${which} (${value.toFixed(3)})`);
  return { model, steps: checkpoint.step, measure, value };
}

/** A model, and its adapter if it learns one, with the question that it was trained with; null: nobody said. @throws OppoError ERR_DISK_FULL */
export function exportModel(models: OpenedPolicy, wording: Wording | null, { model, adapter }: Destination): void {
  try {
    for (const folder of models.save(model, adapter)) if (wording !== null) saveWording(folder, wording);
  } catch (error) {
    throw isDiskFull(error) ? diskFullError(model, "the model", error) : error;
  }
}
