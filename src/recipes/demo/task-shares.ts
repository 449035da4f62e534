// How far the tasks of a stage are, as one number that only grows. A task counts its own work, part by part, and near enough: where
// a part begins anew, or turns out to be longer, the bar waits for it.
import type { TaskProgress } from "../../run/pool/pool.ts";

export class TaskShares {
  readonly #numThere: number;
  readonly #tasks = new Map<string, { readonly share: number; readonly detail: string }>();

  /** @param numThere tasks that were done before */
  constructor(numThere: number) {
    this.#numThere = numThere;
  }

  update(name: string, { done, total, detail = "" }: TaskProgress): void {
    const share = total > 0 ? Math.min(1, done / total) : 0;
    this.#tasks.set(name, { share: Math.max(share, this.#tasks.get(name)?.share ?? 0), detail: `${name}: ${detail}` });
  }

  end(name: string): void {
    this.update(name, { done: 1, total: 1 });
  }

  /** In tasks. */
  get sum(): number {
    return [...this.#tasks.values()].reduce((sum, { share }) => sum + share, this.#numThere);
  }

  /** Of the tasks under way. */
  get detail(): string {
    const active = [...this.#tasks.values()].filter(({ share }) => share > 0 && share < 1);
    return active.map(({ detail }) => detail).join(" | ");
  }
}
