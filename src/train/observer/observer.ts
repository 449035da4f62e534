// The observer: what of a clip can still be read from the rows that a model's towers make of it, whatever was done to its picture
// or sound. A measuring instrument: it has seen every kind of mask, so it says what a model could know, not what one does.
import type { CueBank } from "../../bench/cue-bank.ts";
import type { Calibration, Skill } from "../../bench/support/calibration.ts";
import type { Modality } from "../../media/clip.ts";
import type { ClipRows } from "../../models/omni-model.ts";
import type { CueReader } from "./cue-reader.ts";

/** How good the observer of one modality is on clips of the dev split. */
export interface ReaderReport {
  readonly intact: Calibration;
  /** Over the chance of knowing only how frequent cues are, on intact clips. */
  readonly skill: Skill;
  /** By kind of mask, with doses drawn from 0 to 1. */
  readonly kinds: Readonly<Record<string, Calibration>>;
  readonly temperature: number;
}

export type ObserverReport = Readonly<Partial<Record<Modality, ReaderReport>>>;
export type Readers = Readonly<Partial<Record<Modality, CueReader>>>;

/** Owner of its readers. */
export class Observer implements Disposable {
  readonly bank: CueBank;
  readonly report: ObserverReport;
  readonly #readers: Readers;

  constructor(bank: CueBank, readers: Readers, report: ObserverReport) {
    this.bank = bank;
    this.#readers = readers;
    this.report = report;
  }

  get readers(): Readers {
    return this.#readers;
  }

  /**
   * Per clip p(cue is there | rows of the modality) of every cue of the bank: 0 for cues of the other modality, and for all
   * where the clip has no rows. Milliseconds for a step's clips.
   */
  observe(rows: readonly ClipRows[], modality: Modality): Float32Array[] {
    const observed = rows.map(() => new Float32Array(this.bank.cues.length));
    const reader = this.#readers[modality];
    if (reader === undefined) return observed;
    const seen = rows.flatMap((clip, i) => (clip[modality] === null ? [] : [{ i, rows: clip[modality] }]));
    const pooled = seen.map((clip) => reader.pool(clip.rows));
    try {
      for (const [at, answers] of reader.answers(pooled).entries()) {
        for (const [q, { cues }] of reader.questions.entries()) {
          for (const [c, cue] of cues.entries()) observed[seen[at]!.i]![cue] = answers[q]![c + 1]!;
        }
      }
    } finally {
      for (const one of pooled) one.dispose();
    }
    return observed;
  }

  [Symbol.dispose](): void {
    for (const reader of Object.values(this.#readers)) reader[Symbol.dispose]();
  }
}
