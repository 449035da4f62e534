// Progress of embedding a corpus' cues, shown only where there is something slow to show.
import type { Interrupt } from "../run/interrupt.ts";
import type { Progress, Stage } from "../run/progress.ts";

/** For `onCues` of `chooseEmbedder`. */
export function cueStage(progress: Progress, interrupt: Interrupt): (done: number, total: number) => Promise<void> {
  let stage: Stage | null = null;
  return async (done, total) => {
    stage ??= progress.stage("embedding cues", total);
    stage.update(done);
    if (done === total) stage.finish();
    await interrupt.safePoint();
  };
}
