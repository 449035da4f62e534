// Which held-out clips the report plays: clips with plenty of cues in both modalities, of different emotions, and some in
// which face and voice disagree.
import { loadSamples } from "../../data/jsonl.ts";
import type { Sample } from "../../data/sample.ts";
import { sceneOf } from "../../data/theatre/sample-scene.ts";
import { samplesFile } from "../../train/theatre/splits.ts";
import type { DemoPaths } from "./paths.ts";

const minCuesPerModality = 3;

export async function storyClips(paths: DemoPaths, count: number): Promise<Sample[]> {
  const numConflict = Math.floor(count / 3);
  const { samples: congruent } = await loadSamples(samplesFile(paths, "congruent"));
  const { samples: conflict } = await loadSamples(samplesFile(paths, "conflict"));
  return [...oneOfEachEmotion(congruent, count - numConflict), ...oneOfEachEmotion(conflict, numConflict)];
}

function oneOfEachEmotion(samples: readonly Sample[], count: number): Sample[] {
  const rich = samples.filter((sample) =>
    (["video", "audio"] as const).every(
      (kind) => sample.cues.filter((cue) => cue.kind === kind).length >= minCuesPerModality,
    ),
  );
  const chosen = new Map<string, Sample>();
  for (const sample of rich) {
    const key = sceneOf(sample).videoEmotion ?? "plain";
    if (!chosen.has(key)) chosen.set(key, sample);
  }
  return [...chosen.values()].slice(0, count);
}

/** Example: "face happy, voice sad" */
export function storyCaption(sample: Sample): string {
  const { videoEmotion, audioEmotion } = sceneOf(sample);
  if (videoEmotion === audioEmotion) return `face and voice: ${videoEmotion ?? "plain"}`;
  return `face: ${videoEmotion ?? "plain"}, voice: ${audioEmotion ?? "plain"}`;
}
