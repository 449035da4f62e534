// A sample's cues as they stand for somebody: with the decisions that are still on their way, and without what others said of cues
// that one has not decided about, so that two judge independently.
import type { DecisionRequest, ReviewedCue } from "../../src/serve/studio/data/data-api.ts";

export function withWaiting(cues: readonly ReviewedCue[], waiting: readonly DecisionRequest[]): readonly ReviewedCue[] {
  let all = cues;
  for (const { by, act, cue, to } of waiting) {
    if (cue === undefined || act === "undo") continue;
    const isSame = (one: ReviewedCue) => one.cue.kind === cue.kind && one.cue.text === cue.text;
    if (!all.some(isSame)) all = [...all, { cue, addedBy: [by], verdicts: [], confidence: null }];
    const verdict = { by, act: act === "add" ? ("accept" as const) : act, to };
    all = all.map((one) =>
      isSame(one) ? { ...one, verdicts: [...one.verdicts.filter((other) => other.by !== by), verdict] } : one,
    );
  }
  return all;
}

export interface OwnView {
  readonly own: ReviewedCue["verdicts"][number] | null;
  readonly others: ReviewedCue["verdicts"];
}

export function seenBy(by: string, { verdicts }: ReviewedCue, isOpen: boolean): OwnView {
  const own = verdicts.find((verdict) => verdict.by === by) ?? null;
  return { own, others: own === null && !isOpen ? [] : verdicts.filter((verdict) => verdict !== own) };
}
