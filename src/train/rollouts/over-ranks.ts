// Completions of servers for a run of several processes: rank 0 asks for all of a step's and keeps them on the disk, so that adapters are
// saved and loaded once, servers are proved once, and a step is replayed whole; the others wait, and learn from their part.
import { Metrics } from "../../rl/metrics.ts";
import type { World } from "../../tensor/index.ts";
import type { GroupPart } from "../world/over-ranks.ts";
import { onFirst } from "../world/together.ts";
import type { RolloutRequest } from "./engine.ts";
import type { ServedRollouts } from "./served-rollouts.ts";

export class RolloutsOverRanks {
  readonly #world: World;
  readonly #served: ServedRollouts | null;
  #areOurs = true;

  /** @param served rank 0's, which stays its owner's; null on the others */
  constructor(world: World, served: ServedRollouts | null) {
    this.#world = world;
    this.#served = served;
  }

  /** Whether all servers are `oppo serve model`; before the first completion nobody knows. */
  get areOurs(): boolean {
    return this.#areOurs;
  }

  /**
   * The completions of a step: all of them on rank 0, none on the others, who have waited as long as it took.
   * @param requests made on rank 0 alone
   * @throws OppoError ERR_ROLLOUT_* on rank 0, and InterruptedError on all where it was asked to stop
   */
  async parts(step: number, requests: () => readonly RolloutRequest[]): Promise<GroupPart[]> {
    const parts: GroupPart[] = [];
    this.#areOurs = await onFirst(this.#world, "completions of the servers", async () => {
      const groups = await this.#served!.groups(step, requests());
      for (const [place, group] of groups.entries()) parts.push({ place, start: 0, group });
      return this.#served!.areOurs;
    });
    return parts;
  }

  /**
   * Once a step has its completions: begins those of the next where the run looks ahead.
   * @param upcoming of the next step; null: there is none
   * @returns what was counted of the servers, on rank 0
   */
  async goOn(step: number, upcoming: (() => Promise<RolloutRequest[]>) | null): Promise<Metrics> {
    if (this.#served === null) return new Metrics();
    const metrics = this.#served.takeMetrics();
    if (this.#served.ahead > 0 && upcoming !== null) await this.#served.begin(step + 1, step, await upcoming());
    return metrics;
  }
}
