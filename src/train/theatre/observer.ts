// The observer of a cold start's towers: made once from the decorrelated clips, shared by everything that goes out from it.
import type { CueBank } from "../../bench/cue-bank.ts";
import { theatreKind } from "../../corpus/theatre-kind.ts";
import type { OmniModel } from "../../models/omni-model.ts";
import type { Observer } from "../observer/observer.ts";
import { openObserver } from "../observer/stored-observer.ts";
import { type TaskContext, tick } from "./context.ts";
import { fittedSplit } from "./splits.ts";

/** From its folder, or made and put there. @param model with the cold start's towers; the caller owns what is returned */
export async function theatreObserver(context: TaskContext, model: OmniModel, bank: CueBank): Promise<Observer> {
  const clips = await fittedSplit(context, "warmup", model);
  const dev = await fittedSplit(context, "warmupDev", model);
  const options = {
    seed: context.config.seed,
    attributeOf: theatreKind.attributeOf,
    onProgress: (done: number, total: number) => tick(context, done, total, "observer"),
  };
  return openObserver(context.paths.learning("observer"), model, bank, { clips, dev }, options);
}
