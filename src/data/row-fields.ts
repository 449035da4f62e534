// Which key of a row holds what. Files of one's own call the same things by other names: the usual ones are known, and any
// other is told with a field map, "id=name,media=video_path".
import { OppoError } from "../error.ts";

/** What a sample is read from -> the keys that hold it, the first that a row has. */
export const sampleKeys = {
  id: ["id", "name", "names", "filename", "video_id", "sample_id", "sample"],
  media: ["media", "video", "video_path", "media_path", "path", "videos"],
  audio: ["audio", "audio_path", "wav", "audios"],
  subtitle: ["subtitle", "subtitles", "transcript", "transcription", "sentence", "utterance"],
  labels: ["labels", "openset", "label", "emotions", "emotion", "emo"],
  reasoning: ["reasoning", "reason", "reasons", "description", "caption"],
  cues: ["cues"],
  meta: ["meta"],
} as const;

export type SampleField = keyof typeof sampleKeys;

/** Field -> the key that holds it, where it is none of the usual ones. */
export type FieldMap = Readonly<Partial<Record<SampleField, string>>>;

const fieldNames = Object.keys(sampleKeys) as SampleField[];

/** From "id=name,media=video_path"; null and an empty text are an empty map. @throws OppoError ERR_FIELDS */
export function parseFieldMap(text: string | null): FieldMap {
  const parts = (text ?? "").split(",").map((part) => part.trim());
  return Object.fromEntries(
    parts
      .filter((part) => part !== "")
      .map((part) => {
        const at = part.indexOf("=");
        const [field, key] = [part.slice(0, at).trim(), part.slice(at + 1).trim()];
        if (at > 0 && key !== "" && fieldNames.includes(field as SampleField)) return [field, key];
        throw new OppoError(
          "ERR_FIELDS",
          `fields: expected FIELD=KEY with one of ${fieldNames.join(", ")}, got "${part.slice(0, 80)}". Example: id=name,media=video_path.`,
        );
      }),
  );
}

/** The key of a row that holds a field, or null. */
export function keyOf(row: Readonly<Record<string, unknown>>, field: SampleField, fields: FieldMap): string | null {
  const named = fields[field];
  const keys: readonly string[] = named === undefined ? sampleKeys[field] : [named];
  return keys.find((key) => Object.hasOwn(row, key)) ?? null;
}

/** A row as our own files have it: their keys, lists of one for one thing, numbers as names, label strings as lists. */
export function namedRow(row: Readonly<Record<string, unknown>>, fields: FieldMap): Record<string, unknown> {
  const found = fieldNames.flatMap((field): [string, unknown][] => {
    const key = keyOf(row, field, fields);
    return key === null ? [] : [[field, plainValue(field, row[key])]];
  });
  return Object.fromEntries(found);
}

function plainValue(field: SampleField, value: unknown): unknown {
  if (field === "labels") return typeof value === "string" ? labelsOf(value) : value;
  if (field === "cues" || field === "meta") return value;
  const one: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value;
  if (field === "id" && typeof one === "number") return String(one);
  // An empty cell of a table.
  return one === null && field !== "id" && field !== "media" ? undefined : one;
}

/** "[happy, 'sad']" and "happy,sad" */
function labelsOf(text: string): string[] {
  const inner = text.trim().replace(/^\[|\]$/g, "");
  return inner
    .split(/['",]/)
    .map((label) => label.trim())
    .filter((label) => label !== "");
}

const mostShown = 12;

/** Which wanted keys a row lacks and which it has instead, or null where it lacks none. */
export function missingKeys(
  row: Readonly<Record<string, unknown>>,
  wanted: readonly SampleField[],
  fields: FieldMap,
): string | null {
  const missing = wanted.filter((field) => keyOf(row, field, fields) === null);
  if (missing.length === 0) return null;
  const asked = missing.map((field) => {
    const others = sampleKeys[field].slice(1);
    return fields[field] === undefined ? `"${field}" (or ${others.join(", ")})` : `"${fields[field]}" for ${field}`;
  });
  return `expected ${asked.join(" and ")}, got the keys ${shownKeys(row)}`;
}

/** Example: name, clip, emotion */
export function shownKeys(row: Readonly<Record<string, unknown>>): string {
  const keys = Object.keys(row);
  const shown = keys.slice(0, mostShown).map((key) => key.slice(0, 40));
  if (keys.length === 0) return "(none)";
  return shown.join(", ") + (keys.length > mostShown ? ` and ${keys.length - mostShown} more` : "");
}
