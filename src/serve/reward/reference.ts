// What a completion is compared with: cues and labels that come with the request, or those of a sample of the corpus that
// the server was started with. What is missing is refused: a reward without a reference would be a silent zero.
import type { Cue, CueKind } from "../../evidence/cue.ts";
import { HttpError } from "../http/http-error.ts";

export interface Reference {
  readonly cues: readonly Cue[];
  readonly labels: readonly string[];
}

/** As a request says it; undefined or null: not said. */
export interface GivenReference {
  readonly sample?: unknown;
  readonly cues?: unknown;
  readonly labels?: unknown;
}

export type Corpus = ReadonlyMap<string, Reference>;

const maxCues = 512;
const maxCueLength = 500;
const maxLabels = 64;
const maxLabelLength = 200;
const kinds: readonly CueKind[] = ["video", "audio", "emotion"];

/**
 * @param where names the item, such as "items.3"
 * @param corpus null where the server has none
 * @throws HttpError ERR_REWARD_SAMPLE, ERR_REWARD_CUES, ERR_REWARD_LABELS
 */
export function readReference(given: GivenReference, where: string, corpus: Corpus | null): Reference {
  const known = isSaid(given.sample) ? sampleOf(given.sample, where, corpus) : null;
  const cues = isSaid(given.cues) ? readCues(given.cues, where) : known?.cues;
  const labels = isSaid(given.labels) ? readLabels(given.labels, where) : known?.labels;
  if (cues === undefined) {
    throw wrong("ERR_REWARD_CUES", where, "cues, or the id of a sample of --data", "neither", "Send one of them.");
  }
  if (labels === undefined || labels.length === 0) {
    const got = labels === undefined ? "none" : "an empty list";
    throw wrong("ERR_REWARD_LABELS", where, "labels, or the id of a sample that has some", got, "Send them.");
  }
  return { cues, labels };
}

function isSaid(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function sampleOf(id: unknown, where: string, corpus: Corpus | null): Reference {
  if (typeof id !== "string" && typeof id !== "number") {
    throw wrong("ERR_REWARD_SAMPLE", where, "a sample's id", kindOf(id), "Send a text.");
  }
  const text = String(id);
  const found = corpus?.get(text);
  if (found !== undefined) return found;
  const got = corpus === null ? "a server without --data" : JSON.stringify(text.slice(0, 80));
  throw wrong(
    "ERR_REWARD_SAMPLE",
    where,
    "a sample of the server's corpus",
    got,
    "Send cues and labels, or another id.",
  );
}

/** A list of `{ kind, text }`, or lists by kind. */
function readCues(value: unknown, where: string): Cue[] {
  const cues = Array.isArray(value) ? value.map((cue) => readCue(cue, where)) : cuesByKind(value, where);
  if (cues.length <= maxCues) return cues;
  throw wrong("ERR_REWARD_CUES", where, `at most ${maxCues} cues`, String(cues.length), "Send fewer.");
}

function readCue(value: unknown, where: string): Cue {
  const { kind, text } = (value ?? {}) as { kind?: unknown; text?: unknown };
  if (!kinds.includes(kind as CueKind)) {
    throw wrong(
      "ERR_REWARD_CUES",
      where,
      '{"kind": "video", "audio" or "emotion", "text"}',
      kindOf(value),
      "Correct it.",
    );
  }
  return { kind: kind as CueKind, text: cueText(text, where) };
}

function cuesByKind(value: unknown, where: string): Cue[] {
  if (typeof value !== "object") {
    throw wrong("ERR_REWARD_CUES", where, "a list of cues, or lists by kind", kindOf(value), "Correct it.");
  }
  return Object.entries(value as object).flatMap(([kind, texts]) => {
    if (!kinds.includes(kind as CueKind) || !Array.isArray(texts)) {
      throw wrong(
        "ERR_REWARD_CUES",
        where,
        'lists by "video", "audio" and "emotion"',
        `"${kind.slice(0, 30)}"`,
        "Correct it.",
      );
    }
    return texts.map((text): Cue => ({ kind: kind as CueKind, text: cueText(text, where) }));
  });
}

function cueText(text: unknown, where: string): string {
  if (typeof text === "string" && text.trim() !== "" && text.length <= maxCueLength) return text;
  const got = typeof text === "string" ? `${text.length} characters` : kindOf(text);
  throw wrong("ERR_REWARD_CUES", where, `a cue of 1 to ${maxCueLength} characters`, got, "Send short phrases.");
}

/** A list of words, or one text with commas between them. */
function readLabels(value: unknown, where: string): string[] {
  const labels = typeof value === "string" ? value.replace(/[[\]'"]/g, "").split(/[,;]/) : value;
  if (!Array.isArray(labels) || labels.length > maxLabels) {
    const got = Array.isArray(labels) ? String(labels.length) : kindOf(value);
    throw wrong("ERR_REWARD_LABELS", where, `a list of at most ${maxLabels} words`, got, "Correct it.");
  }
  return labels.flatMap((label: unknown) => {
    if (typeof label === "string" && label.length <= maxLabelLength) return label.trim() === "" ? [] : [label.trim()];
    throw wrong(
      "ERR_REWARD_LABELS",
      where,
      `words of at most ${maxLabelLength} characters`,
      kindOf(label),
      "Correct them.",
    );
  });
}

export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function wrong(
  code: "ERR_REWARD_SAMPLE" | "ERR_REWARD_CUES" | "ERR_REWARD_LABELS",
  where: string,
  expected: string,
  got: string,
  advice: string,
): HttpError {
  return new HttpError(400, code, `${where}: expected ${expected}, got ${got}. ${advice}`, { param: where });
}
