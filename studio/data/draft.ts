// What somebody is typing about a clip: kept in this tab until it is kept or left, so that looking at another clip, or a reload, loses
// nothing. Of a cue that is corrected, which one.
import type { CueView } from "../../src/serve/studio/api.ts";

export interface Draft {
  /** The cue that is corrected; null: one is added. */
  readonly old: CueView | null;
  readonly now: CueView;
}

const nameOf = (corpus: string, by: string, sample: string) => `oppo-studio-draft/${corpus}/${by}/${sample}`;

export function readDraft(corpus: string, by: string, sample: string): Draft | null {
  try {
    return JSON.parse(sessionStorage.getItem(nameOf(corpus, by, sample)) ?? "null") as Draft | null;
  } catch {
    return null;
  }
}

/** @param draft null: nothing is typed any more */
export function writeDraft(corpus: string, by: string, sample: string, draft: Draft | null): void {
  const name = nameOf(corpus, by, sample);
  if (draft === null) sessionStorage.removeItem(name);
  else sessionStorage.setItem(name, JSON.stringify(draft));
}
