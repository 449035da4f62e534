// Conversations with clips that can be shown as they ask. What a row lacks is known when its clips are read, at the first step or on
// the way; it then drops out of its batch, is counted and named, as a clip does that cannot be read.
import type { ClipLibrary } from "../../corpus/clips/clip-library.ts";
import type { ClipOrder, ClipSource } from "../../corpus/clips/clip-source.ts";
import type { SkippedSample } from "../../corpus/clips/fitted-samples.ts";
import { SkipLog } from "../../corpus/clips/skip-log.ts";
import type { Conversation } from "../../data/conversations/conversation.ts";
import { OppoError } from "../../error.ts";
import type { OmniModel } from "../../models/omni-model.ts";
import { ConversationExamples, longestTokens, missingModality } from "./conversation-examples.ts";

export interface ShownRowsOptions {
  readonly model: OmniModel;
  readonly source: ClipSource<Conversation>;
  readonly order: Pick<ClipOrder<Conversation>, "items">;
  /** Longer conversations are left out; null: none is. */
  readonly maxTokens: number | null;
  readonly maxSkippedFraction: number;
  /** Where rows that are left out are listed, with reasons; null: nowhere. */
  readonly skipFile: string | null;
  /** Names the rows in errors. */
  readonly file: string;
  /** Told of every row that is left out. */
  readonly onSkip: (id: string, reason: string) => void;
}

/** Borrows its source. */
export class ShownRows implements ClipSource<Conversation> {
  readonly library: ClipLibrary;
  readonly #options: ShownRowsOptions;
  readonly #skips: SkipLog;
  readonly #shown = new Set<string>();

  constructor(options: ShownRowsOptions) {
    this.library = options.source.library;
    this.#options = options;
    this.#skips = new SkipLog(options.skipFile);
  }

  get skipped(): readonly SkippedSample[] {
    return this.#skips.skipped;
  }

  /** @throws OppoError ERR_TOO_MANY_SKIPPED, ERR_NO_SAMPLES */
  async ready(step: number): Promise<readonly Conversation[]> {
    const { source, order } = this.#options;
    const seen = new Set<Conversation>();
    for (let at = step; ; at++) {
      const rows = await source.ready(at);
      const shown = rows.filter((row) => this.#isShown(row, step));
      if (shown.length > 0) return shown;
      for (const row of rows) seen.add(row);
      if (seen.size >= order.items.length || at - step > order.items.length) throw this.#noneLeft();
    }
  }

  #isShown(row: Conversation, step: number): boolean {
    if (this.#shown.has(row.id)) return true;
    if (this.#skips.isSkipped(row.id, step)) return false;
    const reason = this.#problemOf(row);
    if (reason === null) {
      this.#shown.add(row.id);
      return true;
    }
    if (this.#skips.skip(row.id, reason, step)) this.#options.onSkip(row.id, reason);
    const { order, maxSkippedFraction: limit, file } = this.#options;
    const most = Math.floor(limit * order.items.length);
    const count = this.skipped.length;
    if (count <= most) return false;
    throw new OppoError(
      "ERR_TOO_MANY_SKIPPED",
      `${file}: expected at most ${most} of ${order.items.length} rows to be left out, got ${count}; the last is ${row.id}: ${reason}. Repair or remove them, give shorter clips, or raise maxSkippedFraction or maxTokens.`,
    );
  }

  #problemOf(row: Conversation): string | null {
    const { model, maxTokens } = this.#options;
    const missing = missingModality(row, (clip) => this.library.shape(clip));
    if (missing !== null || maxTokens === null) return missing;
    using examples = new ConversationExamples(model, this.library);
    const length = longestTokens(examples.of(row));
    return length > maxTokens ? `${length} tokens with its clips and answers; maxTokens is ${maxTokens}` : null;
  }

  #noneLeft(): OppoError {
    const { file, skipFile } = this.#options;
    return new OppoError(
      "ERR_NO_SAMPLES",
      `${file}: expected at least one row that can be shown, got none. ${skipFile} says why.`,
    );
  }

  [Symbol.dispose](): void {}
}
