// What stands after all decisions of a journal, or after the first so many: per sample what each annotator says of each cue, and which
// cues were added. Decisions count in the journal's order; the last one of an annotator about a cue is what stands.
import { type Agreement, cohenKappa } from "../../evidence/agreement.ts";
import type { Cue, CueKind } from "../../evidence/cue.ts";
import { cueKey, type Decision } from "./decision.ts";

/** Beyond that nothing is read: a journal of people does not grow so long. */
const maxDecisions = 500_000;
const kinds: readonly CueKind[] = ["video", "audio", "emotion"];

/** What an annotator says of a cue. */
export interface Verdict {
  readonly by: string;
  readonly act: "accept" | "reject" | "correct";
  readonly to?: Cue | undefined;
}

export interface JudgedCue {
  readonly cue: Cue;
  /** Who added it, when the corpus has none such; empty for one of the corpus. */
  readonly addedBy: readonly string[];
  /** At most one of each annotator, in the order of the decisions that stand. */
  readonly verdicts: readonly Verdict[];
}

export interface Annotator {
  readonly name: string;
  readonly numDecisions: number;
  readonly numSamples: number;
}

/** The cues of a sample in the corpus, by key. */
export interface CueKeys {
  readonly size: number;
  has(key: string): boolean;
}

interface Kept {
  readonly decision: Decision;
  readonly number: number;
  /** Number of the line that made it void. */
  undoneAt: number;
}

export class Reviews {
  readonly #kept = new Map<string, Kept>();
  readonly #bySample = new Map<string, Kept[]>();
  #total = 0;

  /** Lines that count: the place in the journal's order that `at` names. */
  get total(): number {
    return this.#total;
  }

  clear(): void {
    this.#kept.clear();
    this.#bySample.clear();
    this.#total = 0;
  }

  /** @returns why it cannot count, or null; one that is known already changes nothing */
  add(decision: Decision): string | null {
    if (this.#kept.has(decision.id)) return null;
    if (this.#total >= maxDecisions) return `more than ${maxDecisions} decisions`;
    if (decision.act === "undo") {
      const undone = this.#kept.get(decision.undoes!);
      if (undone === undefined || undone.decision.by !== decision.by)
        return "undoes none of this annotator's decisions";
      undone.undoneAt = Math.min(undone.undoneAt, this.#total);
    }
    const kept = { decision, number: this.#total++, undoneAt: Number.POSITIVE_INFINITY };
    this.#kept.set(decision.id, kept);
    const list = this.#bySample.get(decision.sample);
    if (list === undefined) this.#bySample.set(decision.sample, [kept]);
    else list.push(kept);
    return null;
  }

  find(id: string): Decision | null {
    return this.#kept.get(id)?.decision ?? null;
  }

  /** The newest decision of an annotator that stands. */
  lastOf(by: string): Decision | null {
    let last: Decision | null = null;
    for (const { decision, undoneAt } of this.#kept.values()) {
      if (decision.by === by && decision.act !== "undo" && undoneAt === Number.POSITIVE_INFINITY) last = decision;
    }
    return last;
  }

  /** The sample's decisions that stand after the first `at` lines. */
  standing(sample: string, at = this.#total): Decision[] {
    return (this.#bySample.get(sample) ?? [])
      .filter(({ decision, number, undoneAt }) => decision.act !== "undo" && number < at && undoneAt >= at)
      .map(({ decision }) => decision);
  }

  /** The sample's cues with what is said of them: those of the corpus, then those that were added. */
  judged(sample: string, cues: readonly Cue[], at = this.#total): JudgedCue[] {
    const found = new Map<string, { cue: Cue; addedBy: string[]; verdicts: Map<string, Verdict> }>();
    for (const cue of cues) found.set(cueKey(cue), { cue, addedBy: [], verdicts: new Map() });
    const own = new Set(found.keys());
    for (const { by, act, cue, to } of this.standing(sample, at)) {
      const key = cueKey(cue!);
      // Of a cue that the corpus does not have any more nothing can be said, but one that was added.
      if (act === "add" && !found.has(key)) found.set(key, { cue: cue!, addedBy: [], verdicts: new Map() });
      const judged = found.get(key);
      if (judged === undefined) continue;
      if (act === "add" && !own.has(key) && !judged.addedBy.includes(by)) judged.addedBy.push(by);
      judged.verdicts.delete(by);
      judged.verdicts.set(by, { by, act: act === "add" ? "accept" : (act as Verdict["act"]), to });
    }
    return [...found.values()].map(({ cue, addedBy, verdicts }) => ({
      cue,
      addedBy,
      verdicts: [...verdicts.values()],
    }));
  }

  /** Whether two annotators say different things of one cue. */
  isDisagreed(sample: string, at = this.#total): boolean {
    if (!this.#bySample.has(sample)) return false;
    const labels = new Map<string, Map<string, string>>();
    for (const [key, by, label] of this.#labels(sample, at)) {
      if (!labels.has(key)) labels.set(key, new Map());
      labels.get(key)!.set(by, label);
    }
    return [...labels.values()].some((own) => new Set(own.values()).size > 1);
  }

  /** How many of the sample's cues, those of the corpus and added ones, an annotator has not decided about. */
  numOpen(sample: string, own: CueKeys, by: string, at = this.#total): number {
    if (!this.#bySample.has(sample)) return own.size;
    const decided = new Set<string>();
    const added = new Set<string>();
    for (const decision of this.standing(sample, at)) {
      const key = cueKey(decision.cue!);
      if (decision.act === "add" && !own.has(key)) added.add(key);
      if (decision.by === by) decided.add(key);
    }
    const numDecided = [...decided].filter((key) => own.has(key)).length;
    return own.size - numDecided + [...added].filter((key) => !decided.has(key)).length;
  }

  /** By name. */
  annotators(): Annotator[] {
    const found = new Map<string, { numDecisions: number; samples: Set<string> }>();
    for (const { decision, undoneAt } of this.#kept.values()) {
      if (decision.act === "undo" || undoneAt !== Number.POSITIVE_INFINITY) continue;
      if (!found.has(decision.by)) found.set(decision.by, { numDecisions: 0, samples: new Set() });
      const own = found.get(decision.by)!;
      own.numDecisions++;
      own.samples.add(decision.sample);
    }
    return [...found]
      .map(([name, { numDecisions, samples }]) => ({ name, numDecisions, numSamples: samples.size }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /**
   * Of the cues that both judged: accepted, rejected, or corrected to the same. A cue that one of them added counts as accepted by
   * whoever added it, once the other one has judged it.
   */
  agreement(first: string, second: string): Readonly<Record<CueKind | "all", Agreement>> {
    const pairs: Record<CueKind, (readonly [string, string])[]> = { video: [], audio: [], emotion: [] };
    for (const sample of this.#bySample.keys()) {
      const labels = { first: new Map<string, string>(), second: new Map<string, string>() };
      for (const [key, by, label] of this.#labels(sample, this.#total)) {
        if (by === first) labels.first.set(key, label);
        if (by === second) labels.second.set(key, label);
      }
      for (const [key, label] of labels.first) {
        const other = labels.second.get(key);
        if (other !== undefined) pairs[key.slice(0, key.indexOf(":")) as CueKind].push([label, other]);
      }
    }
    const of = (kind: CueKind) => cohenKappa(pairs[kind]);
    const all = cohenKappa(kinds.flatMap((kind) => pairs[kind]));
    return { video: of("video"), audio: of("audio"), emotion: of("emotion"), all };
  }

  /** Per decision that stands, in order: cue, annotator and label; later ones take the place of earlier ones. */
  #labels(sample: string, at: number): (readonly [key: string, by: string, label: string])[] {
    return this.standing(sample, at).map(({ by, act, cue, to }) => {
      const label = act === "correct" ? `correct ${cueKey(to!)}` : act === "add" ? "accept" : act;
      return [cueKey(cue!), by, label];
    });
  }
}
