// The wording of a yes/no question about one cue: the benchmark asks what the cold start has taught to answer.
import type { CueKind } from "./cue.ts";

/** "does the video show a furrowed brow?" / "does the audio contain a loud voice?" */
export function probeQuestion(modality: Exclude<CueKind, "emotion">, phrase: string): string {
  return modality === "video" ? `does the video show ${phrase}?` : `does the audio contain ${phrase}?`;
}
