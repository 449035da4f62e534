// A step's rollouts over several processes: each samples its part, all get all of them, each rates whole groups, and all compare
// them: what an advantage, a draw of views or a weight depends on is on every rank what it is in one process.
import type { Sample } from "../../data/sample.ts";
import { Metrics } from "../../rl/metrics.ts";
import { compareGroups, rateGroups, type ScoreOptions, scoreGroups } from "../../rl/score.ts";
import type { RolloutGroup, ScoredGroup } from "../../rl/types.ts";
import type { World } from "../../tensor/index.ts";

/** What a process sampled of one prompt: from completion `start` on. */
export interface GroupPart {
  /** Of the prompt in the step. */
  readonly place: number;
  readonly start: number;
  readonly group: RolloutGroup;
}

/** The whole groups of a step. @param samples of all its prompts */
export function joinGroups(world: World, samples: readonly Sample[], own: readonly GroupPart[]): RolloutGroup[] {
  if (world.size === 1) return own.map(({ group }) => group);
  const sent = own.map(({ place, start, group: { sample: _, ...group } }) => ({ place, start, group }));
  const parts = world.gather("rollouts", sent).flat();
  return samples.map((sample, at) => {
    const ofSample = parts.filter(({ place }) => place === at).sort((a, b) => a.start - b.start);
    return { sample, ...ofSample[0]!.group, rollouts: ofSample.flatMap(({ group }) => group.rollouts) };
  });
}

/** Scores the groups of a step, each on one rank. */
export async function scoreOverRanks(
  world: World,
  groups: readonly RolloutGroup[],
  options: ScoreOptions,
): Promise<ScoredGroup[]> {
  if (world.size === 1) return await scoreGroups(groups, options);
  const isOwn = (g: number) => g % world.size === world.rank;
  const own = await rateGroups(
    groups.filter((_, g) => isOwn(g)),
    options,
  );
  const ratings = world.gather(
    "rewards",
    own.map((rated) => rated.map(({ rollout: _, ...rest }) => rest)),
  );
  const rated = groups.map(({ rollouts }, g) =>
    ratings[g % world.size]![Math.floor(g / world.size)]!.map((rest, i) => ({ rollout: rollouts[i]!, ...rest })),
  );
  return compareGroups(groups, rated, options);
}

/** What each rank measured of its part, added up; of times the longest, which all waited for. */
export function metricsOverRanks(world: World, own: Metrics): Metrics {
  if (world.size === 1) return own;
  const all = new Metrics();
  for (const entries of world.gather("metrics", [...own.entries()])) {
    for (const [name, measure] of entries) {
      const isTime = name.startsWith("timing_s/") && measure.kind === "sum";
      all.add(name, isTime ? { kind: "max", value: measure.value } : measure);
    }
  }
  return all;
}
