// Who watches is told what changed: the logs' sizes are looked at twice a second while somebody watches, and not at all else. Looking is
// better than the system's notices here: those do not cross network disks and containers.
import { join } from "node:path";
import type { ChangeEvent } from "./api.ts";
import type { Corpora } from "./data/corpora.ts";
import { statRegular } from "./logs/safe-read.ts";
import type { RunPlace } from "./runs/find-runs.ts";
import { logNames } from "./runs/run-facts.ts";
import { type Studio, stampOf } from "./studio.ts";

const lookMilliseconds = 500;
/** Every so many looks all runs are looked at, and their folders found anew. */
const slowEvery = 8;
const maxQuick = 200;

export class Changes {
  readonly #studio: Studio;
  readonly #corpora: Corpora;
  readonly #watchers = new Set<(event: ChangeEvent) => void>();
  #sizes = new Map<string, readonly (string | null)[]>();
  #stamps = new Map<string, string>();
  #timer: NodeJS.Timeout | null = null;
  #numLooks = 0;

  constructor(studio: Studio, corpora: Corpora) {
    this.#studio = studio;
    this.#corpora = corpora;
  }

  get numWatchers(): number {
    return this.#watchers.size;
  }

  /** @returns what ends the watching */
  watch(tell: (event: ChangeEvent) => void): () => void {
    this.#watchers.add(tell);
    if (this.#timer === null) {
      this.#look();
      this.#timer = setInterval(() => this.#look(), lookMilliseconds);
    }
    return () => {
      this.#watchers.delete(tell);
      if (this.#watchers.size === 0) this.close();
    };
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#sizes.clear();
    this.#stamps.clear();
  }

  #look(): void {
    const isFirst = this.#timer === null;
    const isSlow = this.#numLooks++ % slowEvery === 0;
    const places = this.#studio.places();
    const list = isSlow && this.#isOtherList(places);
    const runs: Record<string, readonly string[]> = {};
    for (const place of isSlow ? places : places.slice(0, maxQuick)) {
      const changed = this.#changedLogs(place);
      if (changed.length > 0) runs[place.id] = changed;
    }
    const corpora = this.#corpora.changed();
    if (isFirst || (!list && Object.keys(runs).length === 0 && corpora.length === 0)) return;
    for (const tell of this.#watchers) tell({ list, runs, corpora });
  }

  #changedLogs({ id, path }: RunPlace): string[] {
    const now = logNames.map((name) => {
      const stats = statRegular(join(path, name));
      return stats === null ? null : `${stats.size}@${stats.mtimeMs}`;
    });
    const before = this.#sizes.get(id);
    this.#sizes.set(id, now);
    return before === undefined ? [] : logNames.filter((_, i) => before[i] !== now[i]);
  }

  /** Whether runs came, went, or have other files or settings than before. */
  #isOtherList(places: readonly RunPlace[]): boolean {
    const now = new Map(places.map((place) => [place.id, stampOf(place)]));
    const isOther = now.size !== this.#stamps.size || [...now].some(([id, stamp]) => this.#stamps.get(id) !== stamp);
    this.#stamps = now;
    this.#sizes = new Map([...this.#sizes].filter(([id]) => now.has(id)));
    return isOther;
  }
}
