// Dynamic sampling (DAPO): a prompt whose completions are all paid alike teaches nothing about what is better, so further prompts are
// drawn in its place, a bounded number of times. Which ones is a function of the seed and the step, whatever was drawn before.
import type { Sample } from "../../data/sample.ts";
import { createRandom, permutation } from "../../random.ts";
import { Metrics } from "../../rl/metrics.ts";
import { type CompareOptions, compareAgain, hasSpread } from "../../rl/rewards/compare.ts";
import type { ScoredGroup } from "../../rl/types.ts";
import { deriveSeed } from "../../seeds.ts";

/** A prompt with its scored completions, and whatever the caller keeps beside them. */
export interface Drawn<Prompt> {
  readonly prompt: Prompt;
  readonly group: ScoredGroup;
}

export interface SpreadOptions<Prompt> {
  readonly samples: readonly Sample[];
  /** Further draws, at most. */
  readonly rounds: number;
  readonly seed: number;
  readonly step: number;
  readonly compare: CompareOptions;
  /** Samples completions of these prompts and scores them; a clip that cannot be read is left out. */
  readonly draw: (samples: readonly Sample[]) => Promise<readonly Drawn<Prompt>[]>;
}

/** What a step learns from. */
export interface DrawnGroups<Prompt> {
  readonly drawn: readonly Drawn<Prompt>[];
  /** Under sampling/: rounds beyond the first, prompts put in the place of others, prompts sampled for nothing. */
  readonly metrics: Metrics;
}

/**
 * As many groups as the first draw has, those with a spread first. What is still missing after the last round, or when every sample
 * was tried, is filled with groups without one, the step's own before later ones: where all are equal the step is what it would have
 * been, and its KL and perception terms train.
 */
export async function drawGroups<Prompt>(
  first: readonly Drawn<Prompt>[],
  options: SpreadOptions<Prompt>,
): Promise<DrawnGroups<Prompt>> {
  const { samples, rounds, seed, step, compare, draw } = options;
  const metrics = new Metrics();
  if (rounds === 0) return { drawn: first, metrics };
  const isKept = ({ group }: Drawn<Prompt>) => hasSpread(group.rollouts, compare);
  const kept = first.filter(isKept);
  const equal = first.filter((drawn) => !isKept(drawn));
  const numWanted = first.length;
  const own = new Set(first.map(({ group }) => group.sample.id));
  const candidates = drawOrder(samples, seed, step).filter(({ id }) => !own.has(id));
  let numRounds = 0;
  while (kept.length < numWanted && numRounds < rounds && candidates.length > 0) {
    numRounds++;
    const more = await draw(candidates.splice(0, numWanted - kept.length));
    kept.push(...more.filter(isKept));
    equal.push(...more.filter((drawn) => !isKept(drawn)));
  }
  const chosen = [...kept, ...equal].slice(0, numWanted);
  const groups = compareAgain(
    chosen.map(({ group }) => group),
    compare,
  );
  metrics.sum("sampling/rounds", numRounds);
  metrics.sum("sampling/replaced_prompts", chosen.filter(({ group }) => !own.has(group.sample.id)).length);
  metrics.sum("sampling/dropped_prompts", kept.length + equal.length - chosen.length);
  return { drawn: chosen.map(({ prompt }, g) => ({ prompt, group: groups[g]! })), metrics };
}

function drawOrder(samples: readonly Sample[], seed: number, step: number): Sample[] {
  return permutation(samples.length, createRandom(deriveSeed(seed, "resample", step))).map((i) => samples[i]!);
}
