// What every prompt of a draw shows and asks: the clip as it is and the task's question, a degraded clip, or a question about one cue.
import { probeEnding, probePrompt } from "../../bench/probe-wording.ts";
import { kindOf } from "../../corpus/kinds.ts";
import type { Sample } from "../../data/sample.ts";
import { drawCueProbes } from "../../evidence/claims/cue-probes.ts";
import { probeQuestion } from "../../evidence/probe-question.ts";
import { createRandom } from "../../random.ts";
import type { AskedProbe } from "../../rl/types.ts";
import { deriveSeed } from "../../seeds.ts";
import { type Showing, stepRoles } from "../step-prompts.ts";
import type { GrpoTask } from "./task.ts";

/** In the order of the samples; a clip of which nothing can be asked is shown as it is. */
export async function drawShowings(task: GrpoTask, samples: readonly Sample[], step: number): Promise<Showing[]> {
  const { seed, probeShare, perception } = task.config;
  const shares = { probeShare, rolloutShare: perception.rolloutShare };
  const { degraded, probes } = stepRoles(samples, shares, { seed, step });
  const asked = await askedProbes(task, samples, probes, step);
  return samples.map((_, i) => ({ isDegraded: degraded.has(i), asked: asked.get(i) ?? null }));
}

/** By place, in the words of the benchmark's probes. */
async function askedProbes(
  { config, claims, embedder }: GrpoTask,
  samples: readonly Sample[],
  places: readonly number[],
  step: number,
): Promise<Map<number, AskedProbe>> {
  if (places.length === 0) return new Map();
  const isKnown = kindOf(samples) !== null;
  const drawn = await drawCueProbes(
    places.map((place) => samples[place]!),
    { bank: claims!.claimBank!, prior: await claims!.claimPrior!(), embedder, areComplete: isKnown },
    createRandom(deriveSeed(config.seed, "probes", step)),
  );
  const ending = probeEnding("tagged", isKnown);
  return new Map(
    drawn.flatMap((probe, i) => {
      if (probe === null) return [];
      const question = probePrompt(probeQuestion(probe.modality, probe.cue.text), ending);
      return [[places[i]!, { question, expected: probe.expected }] as const];
    }),
  );
}
