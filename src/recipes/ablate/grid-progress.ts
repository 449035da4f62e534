// How far a grid's tasks are, as one bar, and why one is missing, in words.
import type { TaskOutcome } from "../../run/pool/task-graph.ts";
import type { Stage } from "../../run/progress.ts";

export function whyMissing(name: string, outcome: Exclude<TaskOutcome, { kind: "done" }>): string {
  if (outcome.kind === "skipped") return `left out, for want of ${outcome.because}`;
  // The pool says whose failure it is, and so does whoever prints this.
  return `failed: ${outcome.error.message.replace(`${name}: `, "")}`;
}

/** Shares of tasks as one bar of seconds. A task may count anew; the bar waits for it. */
export class GridProgress {
  readonly #stage: Stage;
  readonly #weights: ReadonlyMap<string, number>;
  readonly #shares = new Map<string, { readonly share: number; readonly detail: string }>();

  constructor(stage: Stage, weights: ReadonlyMap<string, number>) {
    this.#stage = stage;
    this.#weights = weights;
  }

  update(name: string, share: number, detail = ""): void {
    const known = this.#shares.get(name)?.share ?? 0;
    this.#shares.set(name, { share: Math.max(share, known), detail: `${name}: ${detail}` });
    let done = 0;
    for (const [other, { share: own }] of this.#shares) done += own * this.#weights.get(other)!;
    const active = [...this.#shares.values()].filter(({ share: own }) => own < 1).map(({ detail: own }) => own);
    this.#stage.update(Math.floor(done), active.join(" | "));
  }

  end(name: string): void {
    this.update(name, 1);
  }
}
