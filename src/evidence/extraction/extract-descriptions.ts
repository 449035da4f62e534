// The cues of an account that is made of descriptions, of which it is known what each describes: what is observed in the description
// of a modality is a cue of that modality, whatever a model or a rule takes it for; of an analysis only its conclusions count,
// because it repeats what the others have seen and heard.
import type { CueKind } from "../cue.ts";
import type { LocatedCue } from "./check-phrases.ts";
import { type CueExtraction, nothing } from "./extract-cues.ts";

export interface Description {
  readonly kind: CueKind;
  readonly text: string;
}

/** Between descriptions in the account that they make. */
export const descriptionBreak = "\n";

/**
 * @param extract takes the cues out of one text
 * @returns cues with their places in the joined text; the first description's problem where none could be read
 */
export async function extractDescriptions(
  descriptions: readonly Description[],
  extract: (text: string) => CueExtraction | Promise<CueExtraction>,
): Promise<CueExtraction> {
  const cues: LocatedCue[] = [];
  const dropped: CueExtraction["dropped"][number][] = [];
  const problems: CueExtraction["problem"][] = [];
  const seen = new Set<string>();
  let isCutOff = false;
  let offset = 0;
  for (const { kind, text } of descriptions) {
    const one = await extract(text);
    problems.push(one.problem);
    isCutOff ||= one.isCutOff;
    dropped.push(...one.dropped);
    for (const cue of one.cues) {
      const own = cue.kind === "emotion" ? "emotion" : kind;
      if (own === "emotion" && cue.kind !== "emotion") continue;
      const isRepeated = seen.has(`${own} ${cue.text.toLowerCase()}`);
      seen.add(`${own} ${cue.text.toLowerCase()}`);
      if (isRepeated) dropped.push({ kind: own, text: cue.text, reason: "repeated" });
      else cues.push({ ...cue, kind: own, start: cue.start + offset, end: cue.end + offset });
    }
    offset += text.length + descriptionBreak.length;
  }
  const problem = problems.find((one) => one !== null) ?? null;
  if (problem !== null && problems.every((one) => one !== null)) return { ...nothing(problem), dropped, isCutOff };
  return { cues, dropped, problem: null, isCutOff };
}
