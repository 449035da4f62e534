// What servers are asked of a step: its prompts with their clips as the model sees them, and the seeds of their completions.
import type { ClipLibrary } from "../../corpus/clips/clip-library.ts";
import type { OpenClipSource } from "../../corpus/clips/clip-source.ts";
import type { Sample } from "../../data/sample.ts";
import { type RolloutPrompt, rolloutSeeds } from "../../rl/rollout.ts";
import { batchOf } from "../batches.ts";
import type { RolloutRequest } from "./engine.ts";

/** Where a run's prompts come from. */
export interface AskedTask {
  readonly config: { readonly seed: number; readonly groupSize: number; readonly promptsPerStep: number };
  readonly library: ClipLibrary;
  readonly samples: readonly Sample[];
  readonly clips?: Pick<OpenClipSource<Sample>, "upcoming">;
  readonly promptText: (sample: Sample) => string;
}

/** Of the step whose clips are in the library. */
export function presentRequests(task: AskedTask, step: number, prompts: readonly RolloutPrompt[]): RolloutRequest[] {
  const { config, library, promptText } = task;
  return prompts.map(({ sample, prompt }) => ({
    sample,
    prompt,
    text: promptText(sample),
    system: library.system,
    clip: library.fitted(sample.id),
    seeds: rolloutSeeds({ ...config, step }, sample.id),
  }));
}

/** Of a step that is to come: without rows, which servers make themselves. */
export async function upcomingRequests(task: AskedTask, step: number): Promise<RolloutRequest[]> {
  const { config, library, samples, clips, promptText } = task;
  const { model, system } = library;
  const items =
    clips === undefined
      ? batchOf(samples, config.promptsPerStep, config.seed, step).map((item) => ({
          item,
          clip: library.fitted(item.id),
        }))
      : (await clips.upcoming(step)).map(({ item, clips: [clip] }) => ({ item, clip: clip! }));
  return items.map(({ item: sample, clip }) => {
    const text = promptText(sample);
    const tokens = model.promptTokens(text, model.features(clip), system === null ? {} : { system });
    const seeds = rolloutSeeds({ ...config, step }, sample.id);
    return { sample, prompt: { tokens, rows: null }, text, system, clip, seeds };
  });
}
