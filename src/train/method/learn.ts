// The second half of a step: masked inputs of its completions, and the gradients of its updates.
import { drawViews } from "../../rl/draw-views.ts";
import type { TokenWatch } from "../../rl/full-branch.ts";
import type { Metrics } from "../../rl/metrics.ts";
import type { StepOptions } from "../../rl/step-options.ts";
import type { ScoredGroup } from "../../rl/types.ts";
import { viewSelectors } from "../../rl/views.ts";
import { deriveUniform } from "../../seeds.ts";
import { alone } from "../../tensor/index.ts";
import { LiveRows } from "../live-rows.ts";
import type { MaskedInputs } from "../masked-inputs.ts";
import type { StepTurn } from "../run-steps.ts";
import { ofUsualPrompts, showPrompt, trainGroups } from "../step-prompts.ts";
import { type Part, partsOf } from "../world/share.ts";
import { knowsReadable, type StepPrompt, wholePrompt } from "./draw-step.ts";
import type { Drawn } from "./spread-groups.ts";
import type { GrpoTask } from "./task.ts";
import { referenceKlAt } from "./update-settings.ts";
import { type RenewedGroups, runUpdates } from "./updates.ts";

export interface StepLearning {
  readonly step: number;
  /** Rows that the prompts were sampled with, where towers learn. */
  readonly live: LiveRows | null;
  readonly turn: StepTurn;
  /** Of the run; what falls or was halved in its course is put in here. */
  readonly options: StepOptions;
  /** Told of every token that a masked input is compared on. */
  readonly onDivergence: TokenWatch;
}

/** Adds the gradients of the last update of a step to the parameters' `.grad`, all others being done. */
export function learn(
  task: GrpoTask,
  drawn: readonly Drawn<StepPrompt>[],
  { step, live, turn, options, onDivergence }: StepLearning,
): Metrics {
  const { config, models, world = alone } = task;
  const { policy, reference } = models;
  const key = { seed: config.seed, step };
  const start = clock();
  const groups = drawn.map(({ group }) => group);
  const selector = ofUsualPrompts(viewSelectors[config.perception.views], groups);
  const views = drawViews(selector, groups, config.perception.viewDraw, (...what) =>
    deriveUniform(config.seed, "views", step, ...what),
  );
  const prepare = (prompts: readonly StepPrompt[], some: typeof groups) =>
    trainGroups(prompts, some, config.perception, key, { views, readsCues: knowsReadable(config) });
  const parts = partsOf(world, groups.length, config.groupSize);
  const own = groups.map((group, g) => partOf(group, parts[g]!));
  const prepared = prepare(
    drawn.map(({ prompt }) => prompt),
    own,
  );
  const encodedAt = clock();
  const renew = (places: readonly number[]): RenewedGroups => {
    const again = new Renewed(task, step);
    const some = places.map((place) => drawn[place]!);
    const prompts = some.map(({ prompt }) => again.prompt(prompt));
    const prepared = prepare(
      prompts,
      places.map((place) => own[place]!),
    );
    return {
      groups: prepared.groups,
      backward: () => again.backward(),
      [Symbol.dispose]: () => again[Symbol.dispose](),
    };
  };
  const metrics = runUpdates(prepared.groups, {
    models: { policy, reference, clock, onDivergence },
    options: { ...optionsAt(options, task, step, turn.perceptionScale), views: prepared.views },
    plan: { ...config, step },
    whole: groups.map(({ rollouts }) => rollouts),
    world,
    ...{ update: turn.update, backward: () => live?.backward(), renew: live === null ? null : renew },
  });
  metrics.sum("timing_s/encode", encodedAt - start);
  return metrics;
}

/** With this process' completions alone. */
function partOf(group: ScoredGroup, { start, end }: Part): ScoredGroup {
  return { ...group, rollouts: group.rollouts.slice(start, end) };
}

const clock = () => performance.now() / 1000;

/** Prompts with the rows of towers as they are after an update. */
class Renewed implements Disposable {
  readonly #task: GrpoTask;
  readonly #step: number;
  readonly #live: LiveRows;
  readonly #inputs = new Map<MaskedInputs, MaskedInputs>();

  constructor(task: GrpoTask, step: number) {
    this.#task = task;
    this.#step = step;
    this.#live = new LiveRows(task.models.policy, task.library);
  }

  /** The same clip, degraded in the same way where it was. */
  prompt({ shown, whole, inputs: before }: StepPrompt): StepPrompt {
    const { config } = this.#task;
    let inputs = this.#inputs.get(before);
    if (inputs === undefined) {
      inputs = before.renewed(this.#live);
      this.#inputs.set(before, inputs);
    }
    const { asked, readable } = shown;
    const prompt = wholePrompt(this.#task, whole, this.#live, asked?.question);
    const key = { seed: config.seed, step: this.#step };
    const showing = { isDegraded: readable !== null, asked };
    return { shown: showPrompt(prompt, showing, config.perception, key, inputs), whole, inputs };
  }

  backward(): void {
    this.#live.backward();
  }

  [Symbol.dispose](): void {
    for (const inputs of this.#inputs.values()) inputs[Symbol.dispose]();
    this.#live[Symbol.dispose]();
  }
}

function optionsAt(options: StepOptions, { config }: GrpoTask, step: number, perceptionScale: number): StepOptions {
  const { perception, referenceKl } = options;
  return {
    ...options,
    referenceKl: { ...referenceKl, weight: referenceKlAt(config, step) },
    perception: { ...perception, weight: perception.weight * perceptionScale },
  };
}
