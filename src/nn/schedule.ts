// Learning rate schedules: multipliers in [0, 1] of the peak rate, as functions of the step (counted from 0).

export interface Schedule {
  /** Steps of the whole run. */
  readonly total: number;
  /** Steps of linear rise at the start; the first already learns, step `warmup - 1` has the full rate. */
  readonly warmup?: number;
  /** Multiplier at the end and after it. */
  readonly floor?: number;
}

/** Progress from the end of the warm-up to the end of the run, in [0, 1]. */
function progress(step: number, total: number, warmup: number): number {
  return Math.min(1, (step - warmup) / Math.max(1, total - warmup));
}

function schedule(step: number, options: Schedule, shape: (progress: number) => number): number {
  const { total, warmup = 0, floor = 0 } = options;
  if (step < warmup) return (step + 1) / warmup;
  return floor + (1 - floor) * shape(progress(step, total, warmup));
}

/** Rises over the warm-up, then falls along half a cosine to the floor. */
export function cosineSchedule(step: number, options: Schedule): number {
  return schedule(step, options, (x) => 0.5 * (1 + Math.cos(Math.PI * x)));
}

/** Rises over the warm-up, then falls in a straight line to the floor. */
export function linearSchedule(step: number, options: Schedule): number {
  return schedule(step, options, (x) => 1 - x);
}
