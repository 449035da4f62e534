// The journal of one corpus as this server knows it: read on before every answer, since other servers and programs may add to it too.

import { checkDecision, type Decision, parseDecision } from "../../../corpus/review/decision.ts";
import { Reviews } from "../../../corpus/review/reviews.ts";
import { appendRow } from "../../../data/append-row.ts";
import { fieldError, HttpError } from "../../http/http-error.ts";
import type { LogState } from "../api.ts";
import { LineTail, type TailLine } from "../logs/line-tail.ts";
import { statRegular } from "../logs/safe-read.ts";
import type { DecisionAnswer, DecisionRequest } from "./data-api.ts";

const maxLineBytes = 10_000;

export class ReviewJournal {
  readonly reviews = new Reviews();
  readonly #path: string;
  readonly #tail: LineTail;
  #stamp: string;

  constructor(path: string) {
    this.#path = path;
    this.#stamp = this.#stampNow();
    this.#tail = new LineTail(path, "annotations", {
      maxLineBytes,
      onReset: () => this.reviews.clear(),
      onLine: (line) => this.#add(line),
    });
  }

  get generation(): number {
    return this.#tail.generation;
  }

  catchUp(): Promise<void> {
    return this.#tail.catchUp();
  }

  log(): LogState {
    return this.#tail.state();
  }

  /** Whether somebody wrote since the last time that this was asked. */
  hasChanged(): boolean {
    const before = this.#stamp;
    this.#stamp = this.#stampNow();
    return before !== this.#stamp;
  }

  /**
   * Takes a decision: it is on the disk when this is done. One that was taken before, by its id, is not taken twice.
   * @throws HttpError ERR_REQUEST_FIELD (400), ERR_STUDIO_ANNOTATIONS (503)
   */
  async take(request: DecisionRequest, now: Date): Promise<DecisionAnswer> {
    await this.catchUp();
    const known = this.reviews.find(request.id);
    if (known !== null) return this.#answer(known);
    const { sample, ...rest } = request;
    const undone = request.act === "undo" ? this.reviews.lastOf(request.by.trim()) : null;
    if (request.act === "undo" && undone === null)
      throw fieldError("act", "a decision to undo", "none", `Nothing that ${request.by} decided stands.`);
    const about = undone === null ? { sample } : { sample: undone.sample, undoes: undone.id };
    const checked = checkDecision({ version: 1, ...rest, ...about, at: now.toISOString() });
    if ("reason" in checked)
      throw fieldError("decision", "a decision", checked.reason, "docs/studio.md says what it has.");
    try {
      appendRow(this.#path, checked.decision);
    } catch (error) {
      const advice =
        "Nothing was decided. Is there room, and may the folder be written to? --annotations DIR names another.";
      const said = `${this.#path}: expected a journal to add to, got "${(error as Error).message}". ${advice}`;
      throw new HttpError(503, "ERR_STUDIO_ANNOTATIONS", said, { cause: error });
    }
    await this.catchUp();
    return this.#answer(checked.decision);
  }

  #answer({ sample, act }: Decision): DecisionAnswer {
    return { sample, isUndone: act === "undo", total: this.reviews.total };
  }

  #add({ text, length }: TailLine): string | null {
    if (text === null) return `${length} bytes long, which is no decision`;
    const parsed = parseDecision(text);
    return "reason" in parsed ? parsed.reason : this.reviews.add(parsed.decision);
  }

  #stampNow(): string {
    const stats = statRegular(this.#path);
    return stats === null ? "-" : `${stats.size}@${stats.mtimeMs}`;
  }
}
