// Where every sample of a corpus stands in its file, and the few things that an order needs: which cues it has and how sure they are.
import { kindOf } from "../../../corpus/kinds.ts";
import { cueKey } from "../../../corpus/review/decision.ts";
import type { CueKeys } from "../../../corpus/review/reviews.ts";
import { parseSample } from "../../../data/jsonl.ts";
import { type FieldMap, keyOf } from "../../../data/row-fields.ts";
import type { Sample } from "../../../data/sample.ts";
import type { Cue } from "../../../evidence/cue.ts";
import { contentRuns } from "../../../evidence/phrase-features.ts";
import { deriveSeed } from "../../../seeds.ts";
import type { LogState } from "../api.ts";
import { LineTail, type TailLine } from "../logs/line-tail.ts";
import { type LinePlace, readPart } from "../logs/safe-read.ts";
import { fieldsOf, maxLineBytes, maxSamples } from "../rollouts/sample-index.ts";

const maxPhrases = 10_000;
/** Phrase -> its content words: a corpus says the same of many clips. */
const wordsOf = new Map<string, readonly string[]>();

export interface IndexedSample extends LinePlace {
  readonly id: string;
  readonly cues: CueKeys;
  /** The lowest of its cues; null where none is known. */
  readonly confidence: number | null;
}

export interface Confidence {
  readonly value: number;
  /** By the row; else it is the share of the cue's words that the account has. */
  readonly isStated: boolean;
}

export interface CorpusRow {
  readonly sample: Sample;
  readonly row: Readonly<Record<string, unknown>>;
  /** Of each of the sample's cues; null where nothing is known. */
  readonly confidences: readonly (Confidence | null)[];
}

export class CorpusIndex {
  readonly fields: FieldMap;
  readonly #file: string;
  readonly #samples = new Map<string, IndexedSample>();
  readonly #tail: LineTail;
  #numCues = 0;

  /** @param fields as a run's settings have them */
  constructor(file: string, name: string, fields: unknown) {
    this.#file = file;
    this.fields = fieldsOf(fields);
    this.#tail = new LineTail(file, name, {
      maxLineBytes,
      onReset: () => {
        this.#samples.clear();
        this.#numCues = 0;
      },
      onLine: (line) => this.#add(line),
    });
  }

  get numCues(): number {
    return this.#numCues;
  }

  get isWhole(): boolean {
    return this.#tail.isWhole;
  }

  /** Changes whenever the samples do. */
  get stamp(): string {
    return `${this.#tail.generation}/${this.#samples.size}`;
  }

  catchUp(): Promise<void> {
    return this.#tail.catchUp();
  }

  log(): LogState {
    return this.#tail.state();
  }

  /** In the corpus' order. */
  samples(): readonly IndexedSample[] {
    return [...this.#samples.values()];
  }

  get(id: string): IndexedSample | null {
    return this.#samples.get(id) ?? null;
  }

  /** null: the line is gone, or another one by now. */
  read(place: IndexedSample): CorpusRow | null {
    const text = readPart(this.#file, place);
    if (text === null) return null;
    const parsed = parseRow(text, this.fields);
    return "sample" in parsed && parsed.sample.id === place.id ? parsed : null;
  }

  #add({ text, offset, length }: TailLine): string | null {
    if (text === null) return `${length} bytes long, which is more than a sample has`;
    if (text.trim() === "") return null;
    if (this.#samples.size >= maxSamples) return `more than ${maxSamples} samples`;
    const parsed = parseRow(text, this.fields);
    if ("reason" in parsed) return parsed.reason;
    const { sample, confidences } = parsed;
    if (this.#samples.has(sample.id)) return `repeated id "${sample.id.slice(0, 100)}"`;
    const known = confidences.filter((one) => one !== null).map(({ value }) => value);
    const confidence = known.length === 0 ? null : Math.min(...known);
    const cues = new HashedKeys(sample.cues);
    this.#samples.set(sample.id, { id: sample.id, offset, length, cues, confidence });
    this.#numCues += cues.size;
    return null;
  }
}

/** A line of the corpus with what it says of its cues; a reason where it is no sample. */
export function parseRow(text: string, fields: FieldMap): CorpusRow | { readonly reason: string } {
  const parsed = parseSample(text, fields);
  if ("reason" in parsed) return parsed;
  const { sample } = parsed;
  const row = JSON.parse(text) as Record<string, unknown>;
  // Cues of a corpus that knows its clips need no account, which says them in other words.
  const said = new Set(kindOf([sample]) === null ? contentRuns(sample.reasoning).flat() : []);
  const stated = row[keyOf(row, "cues", fields) ?? "cues"];
  const confidences = sample.cues.map((cue, i) => {
    const own = Array.isArray(stated) ? (stated[i] as { confidence?: unknown; similarity?: unknown }) : {};
    const value = shareOf(own.confidence) ?? shareOf(own.similarity);
    if (value !== null) return { value, isStated: true };
    const share = said.size === 0 ? null : shareSaid(cue, said);
    return share === null ? null : { value: share, isStated: false };
  });
  return { sample, row, confidences };
}

function shareOf(value: unknown): number | null {
  return typeof value === "number" && value >= -1 && value <= 1 ? Math.max(0, value) : null;
}

/** The share of the cue's content words that stand in its account, negated where they are negated there. */
function shareSaid({ text }: Cue, said: ReadonlySet<string>): number | null {
  let words = wordsOf.get(text);
  if (words === undefined) {
    if (wordsOf.size >= maxPhrases) wordsOf.clear();
    words = contentRuns(text).flat();
    wordsOf.set(text, words);
  }
  return words.length === 0 ? null : words.filter((word) => said.has(word)).length / words.length;
}

/** Keys of a sample's cues in four bytes each: a corpus has a million. */
class HashedKeys implements CueKeys {
  readonly #hashes: Uint32Array;

  constructor(cues: readonly Cue[]) {
    this.#hashes = Uint32Array.from(new Set(cues.map(hashOf)));
  }

  get size(): number {
    return this.#hashes.length;
  }

  has(key: string): boolean {
    return this.#hashes.includes(deriveSeed(0, "cue", key));
  }
}

function hashOf(cue: Cue): number {
  return deriveSeed(0, "cue", cueKey(cue));
}
