// The updates of one step on its scored completions: mostly one, on all of them. Full and masked branches are computed in every update
// with the policy as it is then; views and masks are drawn once for the step.
import type { OmniModel } from "../../models/omni-model.ts";
import { accumulateGradients, type StepModels } from "../../rl/gradients.ts";
import { Metrics } from "../../rl/metrics.ts";
import type { TrainGroup } from "../../rl/plan.ts";
import type { StepOptions } from "../../rl/step-options.ts";
import { tokenLogprobs } from "../../rl/token-logprobs.ts";
import type { ScoredRollout } from "../../rl/types.ts";
import { alone, scope, type World } from "../../tensor/index.ts";
import { metricsOverRanks } from "../world/over-ranks.ts";
import { miniBatches, type UpdatePlan } from "./mini-batches.ts";

/** The same prompts with rows of towers as they are now, which learn. */
export interface RenewedGroups extends Disposable {
  readonly groups: readonly TrainGroup[];
  /** Sends the gradients of the rows through the towers. */
  backward(): void;
}

export interface UpdatesOptions {
  readonly models: StepModels;
  readonly options: StepOptions;
  readonly plan: UpdatePlan;
  /** Updates from the gradients so far and clears them. */
  readonly update: (measured: Metrics) => void;
  /** Sends the gradients of the first update through towers that learn. */
  readonly backward: () => void;
  /** For later updates of towers that learn, by the groups' places in the step; null: towers stay, and so do their rows. */
  readonly renew: ((places: readonly number[]) => RenewedGroups) | null;
  /** The rollouts of every group of the step, of which `groups` have this process' part; left out, they are all. */
  readonly whole?: readonly (readonly ScoredRollout[])[];
  /** The processes that make the step together; left out: one. */
  readonly world?: World;
}

/** Adds the gradients of the last update to the parameters' `.grad`, all others being done. @returns means over the updates */
export function runUpdates(groups: readonly TrainGroup[], task: UpdatesOptions): Metrics {
  const { models, options, plan, update, backward, renew, world = alone } = task;
  const whole = task.whole ?? groups.map(({ rollouts }) => rollouts);
  const started = withStart(models.policy, groups, options);
  const all = miniBatches([...started.keys()], plan);
  const parts = all.length === 1 ? all : all.filter((part) => part.some((place) => isScored(whole[place]!, options)));
  const metrics = new Metrics();
  let measured = metrics;
  for (const [i, places] of parts.entries()) {
    if (i > 0) update(measured);
    using renewed = i > 0 && renew !== null ? renew(places) : null;
    const part = places.map((place, at): TrainGroup => ({ ...started[place]!, ...renewed?.groups[at] }));
    const ofUpdate = places.flatMap((place) => whole[place]!);
    measured = metricsOverRanks(
      world,
      scope(() => accumulateGradients(models, part, options, ofUpdate)),
    );
    if (renewed === null) backward();
    else renewed.backward();
    metrics.merge(parts.length === 1 ? measured : measured.scaled(1 / parts.length));
  }
  if (parts.length > 1) metrics.sum("optim/updates", parts.length);
  return metrics;
}

function withStart(policy: OmniModel, groups: readonly TrainGroup[], options: StepOptions): readonly TrainGroup[] {
  if (options.oldLogprobs !== "start") return groups;
  const own = groups.filter(({ rollouts }) => rollouts.length > 0);
  const start = tokenLogprobs(policy, own, options);
  return groups.map((group) => ({ ...group, startLogprobs: start[own.indexOf(group)] ?? [] }));
}

/** A part of a step may have nothing but completions that are left out. */
function isScored(rollouts: readonly ScoredRollout[], { truncated }: StepOptions): boolean {
  return rollouts.some(({ rollout }) => rollout.ids.length > 0 && !(truncated === "mask" && rollout.truncated));
}
