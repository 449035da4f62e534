// The first half of a step: its prompts, about the clips as they are or degraded, their completions and what these are worth; and others
// in the place of those that are all paid alike.
import type { Sample } from "../../data/sample.ts";
import { OppoError } from "../../error.ts";
import { sameCues } from "../../evidence/claims/claims.ts";
import { swapKind } from "../../media/degrade/degrade.ts";
import { Metrics } from "../../rl/metrics.ts";
import type { PromptPair } from "../../rl/plan.ts";
import { type EndedCompletion, sampleGroups } from "../../rl/rollout.ts";
import { clausesToCome, compareOptions, type ScoreOptions } from "../../rl/score.ts";
import type { RolloutGroup } from "../../rl/types.ts";

import { alone, scope } from "../../tensor/index.ts";
import type { LiveRows } from "../live-rows.ts";
import { type InputMaker, MaskedInputs } from "../masked-inputs.ts";
import { presentRequests, upcomingRequests } from "../rollouts/requests.ts";
import { type ShownPrompt, showPrompt } from "../step-prompts.ts";
import { type GroupPart, joinGroups, metricsOverRanks, scoreOverRanks } from "../world/over-ranks.ts";
import { agreedItems, hasUnits, partsOf } from "../world/share.ts";
import { drawShowings } from "./showings.ts";
import { type Drawn, drawGroups } from "./spread-groups.ts";
import type { GrpoTask } from "./task.ts";

/** A prompt of a step, as its completions were sampled. */
export interface StepPrompt {
  readonly shown: ShownPrompt;
  /** The clip as it is. */
  readonly whole: Sample;
  /** Makes masked inputs with the prompts that were drawn together with this one. */
  readonly inputs: MaskedInputs;
}

/** What a step learns from. An owner of its inputs. */
export interface DrawnStep extends Disposable {
  readonly drawn: readonly Drawn<StepPrompt>[];
  readonly metrics: Metrics;
}

export interface StepDrawing {
  readonly step: number;
  /** Rows of towers that learn, as they are now; null: they stay. */
  readonly live: LiveRows | null;
  readonly maxNewTokens: number;
  readonly scoring: ScoreOptions;
}

const clock = () => performance.now() / 1000;

/** @throws what scoring and reading clips throw */
export async function drawStep(task: GrpoTask, samples: readonly Sample[], drawing: StepDrawing): Promise<DrawnStep> {
  const { config, world = alone } = task;
  const { step, scoring } = drawing;
  const held: MaskedInputs[] = [];
  const dispose = () => {
    for (const inputs of held) inputs[Symbol.dispose]();
  };
  const times = new Metrics();
  const draw = async (some: readonly Sample[]): Promise<Drawn<StepPrompt>[]> => {
    if (some.length === 0) return [];
    const inputs = new MaskedInputs(await inputMaker(task, some, drawing.live));
    held.push(inputs);
    return await sampleAndScore(task, some, inputs, drawing, times);
  };
  try {
    const { drawn, metrics } = await drawGroups(await draw(samples), {
      ...{ samples: task.samples, rounds: config.resampleRounds, seed: config.seed, step },
      compare: compareOptions(scoring),
      draw: async (more) => draw(agreedItems(world, (await task.clips?.more(step, more)) ?? more)),
    });
    metrics.merge(metricsOverRanks(world, times));
    if (task.rollouts !== undefined) {
      const hasNext = step + 1 < config.steps;
      metrics.merge(await task.rollouts.goOn(step, hasNext ? () => upcomingRequests(task, step + 1) : null));
    }
    return { drawn, metrics, [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

async function sampleAndScore(
  task: GrpoTask,
  samples: readonly Sample[],
  inputs: MaskedInputs,
  drawing: StepDrawing,
  times: Metrics,
): Promise<Drawn<StepPrompt>[]> {
  const { config, world = alone } = task;
  const { step, live, scoring } = drawing;
  const start = clock();
  const key = { seed: config.seed, step };
  const shown = (await drawShowings(task, samples, step)).map((showing, i) => {
    const whole = wholePrompt(task, samples[i]!, live, showing.asked?.question);
    return showPrompt(whole, showing, config.perception, key, inputs);
  });
  const parts =
    task.rollouts === undefined
      ? sampleParts(task, shown, drawing)
      : await task.rollouts.parts(step, () => presentRequests(task, step, shown));
  const sampledAt = clock();
  const joined = joinGroups(
    world,
    shown.map(({ sample }) => sample),
    parts,
  );
  const sampled = joined.map((group, g) => asShown(group, shown[g]!));
  const groups = await scoreOverRanks(world, sampled, scoring);
  times.sum("timing_s/rollout", sampledAt - start);
  times.sum("timing_s/reward", clock() - sampledAt);
  return shown.map((prompt, g) => ({ prompt: { shown: prompt, whole: samples[g]!, inputs }, group: groups[g]! }));
}

/** This process' part of the completions, sampled here. */
function sampleParts(
  task: GrpoTask,
  shown: readonly ShownPrompt[],
  { step, maxNewTokens, scoring }: StepDrawing,
): GroupPart[] {
  const { config, embedder, world = alone } = task;
  // Over several processes whoever scores a completion need not be who samples it. An embedder elsewhere begins with a completion's clauses while others are still sampled.
  const ahead = world.size === 1 &&
    embedder.prefetch && {
      onEnd: (ended: EndedCompletion) => embedder.prefetch!(clausesToCome(ended, scoring), "clause"),
    };
  const own = partsOf(world, shown.length, config.groupSize).flatMap((part, place) =>
    hasUnits(part) ? [{ ...shown[place]!, part, place }] : [],
  );
  const drawn = scope(() => sampleGroups(task.models.policy, own, { ...config, maxNewTokens, step, ...ahead }));
  return own.map(({ place, part }, i) => ({ place, start: part.start, group: drawn[i]! }));
}

/**
 * The prompt about a clip as it is. The library's rows are those of the start: the reference's, and the policy's where towers are frozen.
 * @param question in place of the task's
 */
export function wholePrompt(
  { library, promptText }: GrpoTask,
  sample: Sample,
  live: LiveRows | null,
  question?: string,
): { readonly sample: Sample; readonly pair: PromptPair } {
  const reference = library.prompt(sample.id, promptText(sample, question));
  if (live === null) return { sample, pair: { policy: reference } };
  return { sample, pair: { policy: { tokens: reference.tokens, rows: live.rows(sample.id) }, reference } };
}

const hasSwaps = ({ perception }: GrpoTask["config"]): boolean =>
  Object.values(perception.maskFamily).some((kinds) => kinds.includes(swapKind));

/** Whether masks leave something that can be read, as far as anybody knows. */
export function knowsReadable(config: GrpoTask["config"]): boolean {
  return config.perception.support !== "none" || hasSwaps(config);
}

async function inputMaker(task: GrpoTask, samples: readonly Sample[], live: LiveRows | null): Promise<InputMaker> {
  const { config, library, promptText, embedder, readCues = null } = task;
  const { support } = config.perception;
  if ((support === "observer" || support === "reference") && readCues === null) {
    throw new OppoError(
      "ERR_OBSERVER",
      `perception.support: expected somebody who reads cues for ${support}, got nobody. Choose mask or none.`,
    );
  }
  const cues = hasSwaps(config) ? samples.flatMap((sample) => sample.cues) : [];
  const isSame = await sameCues(cues, embedder);
  return { library, live, promptText, samples, support, readCues, isSame };
}

function asShown(group: RolloutGroup, { readable, asked }: ShownPrompt): RolloutGroup {
  return { ...group, ...(readable === null ? {} : { readable }), ...(asked === null ? {} : { asked }) };
}
