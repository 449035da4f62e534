// Where every group of rollouts.jsonl stands and the few numbers that lists are ordered by. The texts stay in the file: a page reads
// the lines that it shows.
import { join } from "node:path";
import type { GroupEntry, LogState, RolloutOrder } from "../api.ts";
import { LineTail, type TailLine } from "../logs/line-tail.ts";
import { type LinePlace, readPart } from "../logs/safe-read.ts";
import { countUnsupported, type Group, parseGroup } from "./group-schema.ts";

const maxLineBytes = 4_000_000;
/** Beyond that the oldest are not listed any more. */
const maxGroups = 100_000;

/** A group and where its line stands. */
export interface IndexedGroup extends GroupEntry, LinePlace {}

export interface Query {
  readonly order: RolloutOrder;
  /** Groups from this step on; null: all. */
  readonly since: number | null;
  /** Groups of this step alone; null: of all. */
  readonly step: number | null;
  /** A part of the clip's name; empty: any. */
  readonly sample: string;
}

export class RolloutIndex {
  readonly #path: string;
  readonly #tail: LineTail;
  readonly #threshold: number;
  #groups: IndexedGroup[] = [];
  /** By the clip's name. */
  #ofSample = new Map<string, IndexedGroup[]>();
  #numRollouts = 0;
  #sorted: { readonly key: string; readonly groups: readonly GroupEntry[] } | null = null;

  /** @param threshold delta of the run */
  constructor(directory: string, threshold: number) {
    this.#path = join(directory, "rollouts.jsonl");
    this.#threshold = threshold;
    this.#tail = new LineTail(this.#path, "rollouts.jsonl", {
      maxLineBytes,
      onReset: () => {
        this.#groups = [];
        this.#ofSample.clear();
        this.#numRollouts = 0;
      },
      onLine: (line) => this.#add(line),
    });
  }

  get isWhole(): boolean {
    return this.#tail.isWhole;
  }

  get numGroups(): number {
    return this.#groups.length;
  }

  get numRollouts(): number {
    return this.#numRollouts;
  }

  catchUp(): Promise<void> {
    return this.#tail.catchUp();
  }

  log(): LogState {
    return this.#tail.state();
  }

  /** The groups that are asked for, in order; the last question's answer is kept, so that its pages are cheap. */
  list(query: Query): readonly GroupEntry[] {
    const key = JSON.stringify([query, this.#tail.generation, this.#groups.length, this.#numRollouts]);
    if (this.#sorted?.key !== key) this.#sorted = { key, groups: ordered(this.#groups, query) };
    return this.#sorted.groups;
  }

  find(line: number): IndexedGroup | null {
    const at = line - (this.#groups[0]?.line ?? 0);
    const near = this.#groups[at];
    return near?.line === line ? near : (this.#groups.find((group) => group.line === line) ?? null);
  }

  /** Of one clip, oldest first. */
  of(sample: string): readonly GroupEntry[] {
    return this.#ofSample.get(sample) ?? [];
  }

  /** The line itself; a reason where it is gone or another one by now. */
  read(place: IndexedGroup): Group | string {
    const text = readPart(this.#path, place);
    return text === null ? "the log is gone" : parseGroup(text);
  }

  #add({ number, offset, length, text }: TailLine): string | null {
    if (text === null) return `${length} bytes long, which is more than a group has`;
    const group = parseGroup(text);
    if (typeof group === "string") return group;
    const indexed = { ...entryOf(group, number, this.#threshold), offset, length };
    this.#groups.push(indexed);
    this.#rememberOf(indexed);
    this.#numRollouts += group.rollouts.length;
    if (this.#groups.length > maxGroups + maxGroups / 10) {
      this.#groups = this.#groups.slice(-maxGroups);
      this.#ofSample.clear();
      for (const one of this.#groups) this.#rememberOf(one);
    }
    return null;
  }

  #rememberOf(group: IndexedGroup): void {
    const known = this.#ofSample.get(group.sample);
    if (known === undefined) this.#ofSample.set(group.sample, [group]);
    else known.push(group);
  }
}

function entryOf(group: Group, line: number, threshold: number): GroupEntry {
  const { step, sample, rollouts } = group;
  const rewards = rollouts.map(({ reward }) => reward ?? 0);
  return {
    line,
    step,
    sample,
    numRollouts: rollouts.length,
    mean: rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length,
    lowest: Math.min(...rewards),
    highest: Math.max(...rewards),
    numBroken: rollouts.filter(({ wellFormed }) => !wellFormed).length,
    numUnsupported: countUnsupported(group, threshold),
  };
}

function ordered(groups: readonly IndexedGroup[], query: Query): GroupEntry[] {
  const { order, since, step, sample } = query;
  const isWanted = (group: GroupEntry) =>
    (since === null || group.step >= since) &&
    (step === null || group.step === step) &&
    (sample === "" || group.sample.includes(sample));
  const wanted = groups.filter(isWanted).map(({ offset: _, length: __, ...entry }): GroupEntry => entry);
  const falling = (key: (group: GroupEntry) => number) => wanted.sort((a, b) => key(b) - key(a) || b.line - a.line);
  switch (order) {
    case "oldest":
      return wanted;
    case "newest":
      return wanted.reverse();
    case "lowest":
      return falling(({ mean }) => -mean);
    case "broken":
      return falling(({ numBroken }) => numBroken).filter(({ numBroken }) => numBroken > 0);
    case "unsupported":
      return falling(({ numUnsupported }) => numUnsupported).filter(({ numUnsupported }) => numUnsupported > 0);
    case "spread":
      return falling(({ highest, lowest }) => highest - lowest);
    case "change":
      return changes(wanted);
  }
}

/** The last group of every clip, by how far its reward went from that of the first one. */
function changes(groups: readonly GroupEntry[]): GroupEntry[] {
  const first = new Map<string, GroupEntry>();
  const last = new Map<string, GroupEntry>();
  for (const group of groups) {
    if (!first.has(group.sample)) first.set(group.sample, group);
    last.set(group.sample, group);
  }
  return [...last.values()]
    .map((group) => ({
      ...group,
      change: group.mean - first.get(group.sample)!.mean,
      from: first.get(group.sample)!.line,
    }))
    .filter(({ line, from }) => line !== from)
    .map(({ from: _, ...group }) => group)
    .sort((a, b) => Math.abs(b.change) - Math.abs(a.change) || b.line - a.line);
}
