// The end of every program that trains: what was learnt becomes models, the last step's and the best evaluation's.
import type { Wording } from "../../corpus/wording.ts";
import { latestCheckpoint } from "../../run/checkpoint.ts";
import type { Interrupt } from "../../run/interrupt.ts";
import type { Progress, Stage } from "../../run/progress.ts";
import type { RunDirectory } from "../../run/run-directory.ts";
import type { World } from "../../tensor/index.ts";
import { type BestModel, exportModel, lastModel, saveModels } from "../export.ts";
import type { OpenedPolicy } from "../policy.ts";
import type { StepsDone } from "../run-steps.ts";
import { onFirst } from "./together.ts";

export interface Learning {
  readonly directory: RunDirectory;
  readonly models: OpenedPolicy;
  /** How the models are to be asked; null: nobody said. */
  readonly wording: Wording | null;
  /** What the progress bar says, and to how many steps it goes. */
  readonly title: string;
  readonly steps: number;
}

/** Of a run that was stopped the newest checkpoint is left as a model, so that it can be looked at. */
export async function learnAndSave(
  { world, interrupt, progress }: { readonly world: World; readonly interrupt: Interrupt; readonly progress: Progress },
  { directory, models, wording, title, steps }: Learning,
  learn: (stage: Stage) => Promise<StepsDone>,
): Promise<BestModel | null> {
  const stage = progress.stage(title, steps);
  stage.update(latestCheckpoint(directory.checkpoints)?.step ?? 0);
  try {
    const { best } = await learn(stage);
    stage.finish();
    const saved = { directory: directory.path, best, wording };
    return await onFirst(world, "saving of the model", () => saveModels(models, saved, progress.log));
  } catch (error) {
    if (world.rank === 0 && interrupt.signal.aborted && latestCheckpoint(directory.checkpoints) !== null) {
      exportModel(models, wording, lastModel(directory.path));
    }
    throw error;
  }
}
