// The clips that a run does without, as RUN/skipped.jsonl: id, reason, and the first step that was to show it. A run that goes on
// does without the same ones from the same steps on, whether or not they could be read by now.
import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";
import { OppoError } from "../../error.ts";
import { replaceFile } from "../../run/checkpoint.ts";
import type { SkippedSample } from "./fitted-samples.ts";

/** A corpus that was held in memory skips before its first step. */
const rowSchema = z.object({ id: z.string(), reason: z.string(), step: z.int().min(0).default(0) });

interface Skip extends SkippedSample {
  readonly step: number;
}

/** How many have to be looked at before the share among them says something of the corpus. */
const fewestTried = 16;

export class SkipLog {
  readonly #path: string | null;
  readonly #skips = new Map<string, Skip>();
  /** By this process, and how many of them it could not read. */
  readonly #tried = new Set<string>();
  #numFailed = 0;

  /** @param path of skipped.jsonl; null: nothing is kept. @throws OppoError ERR_LOG_BROKEN */
  constructor(path: string | null) {
    this.#path = path;
    if (path === null || !existsSync(path)) return;
    for (const [i, line] of readFileSync(path, "utf8").split("\n").entries()) {
      if (line.trim() === "") continue;
      const row = parseRow(line, path, i + 1);
      this.#skips.set(row.id, row);
    }
  }

  get skipped(): readonly SkippedSample[] {
    return [...this.#skips.values()];
  }

  /** Whether a step does without the clip. */
  isSkipped(id: string, step: number): boolean {
    const skip = this.#skips.get(id);
    return skip !== undefined && skip.step <= step;
  }

  read(id: string): void {
    this.#tried.add(id);
  }

  /** @returns false: it was known of an earlier attempt */
  skip(id: string, reason: string, step: number): boolean {
    if (!this.#tried.has(id)) this.#numFailed++;
    this.#tried.add(id);
    const known = this.#skips.get(id);
    this.#skips.set(id, { id, reason, step: Math.min(step, known?.step ?? step) });
    if (this.#path !== null) {
      replaceFile(this.#path, [...this.#skips.values()].map((skip) => `${JSON.stringify(skip)}\n`).join(""));
    }
    return known === undefined;
  }

  /**
   * The limit is a share of the whole corpus. Long before it is reached, a share among the clips so far that is nearer to all
   * than to the limit says that it will be.
   * @throws OppoError ERR_TOO_MANY_SKIPPED
   */
  refuseTooMany(place: string, total: number, limit: number): void {
    const most = Math.floor(limit * total);
    const tried = this.#tried.size;
    const count = this.#skips.size;
    const isHopeless = tried >= fewestTried && this.#numFailed > ((1 + limit) / 2) * tried;
    if (count <= most && !isHopeless) return;
    const last = [...this.#skips.values()].at(-1)!;
    const got = count <= most ? `${this.#numFailed} of the first ${tried}` : `${count}`;
    throw new OppoError(
      "ERR_TOO_MANY_SKIPPED",
      `${place}: expected at most ${most} of ${total} clips to be unreadable, got ${got}; the last is ${last.id}: ${last.reason} Repair or remove them, or raise maxSkippedFraction.`,
    );
  }
}

function parseRow(line: string, path: string, number: number): Skip {
  try {
    return rowSchema.parse(JSON.parse(line));
  } catch (cause) {
    throw new OppoError(
      "ERR_LOG_BROKEN",
      `${path}:${number}: expected {"id", "reason"} of a clip that is left out, got ${JSON.stringify(line.slice(0, 60))}. Remove that line.`,
      { cause },
    );
  }
}
