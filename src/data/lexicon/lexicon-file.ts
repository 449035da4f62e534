// An imported lexicon as one JSON file: the tables, where they came from, and their hash, which is checked when it is read.
import { readFileSync } from "node:fs";
import { z } from "zod";
import { type EmotionLexicon, lexiconFromTables, lexiconHash } from "../../emotion/wheel.ts";
import { DatasetError } from "../jsonl.ts";

const words = z.record(z.string(), z.array(z.string()));
const ring = z.record(z.string(), z.string());
const fileSchema = z.object({
  format: z.literal("oppo-lexicon-1"),
  name: z.string().min(1),
  source: z.string(),
  hash: z.string(),
  forms: words,
  synonyms: words,
  wheelMaps: z.record(z.string(), z.object({ level1: ring, level2: ring })),
});

export function lexiconText(lexicon: EmotionLexicon, source: string): string {
  const content: z.infer<typeof fileSchema> = {
    format: "oppo-lexicon-1",
    name: lexicon.name,
    source,
    hash: lexiconHash(lexicon),
    forms: Object.fromEntries(lexicon.forms ?? []) as Record<string, string[]>,
    synonyms: Object.fromEntries(lexicon.synonyms ?? []) as Record<string, string[]>,
    wheelMaps: Object.fromEntries(
      lexicon.wheels.map(({ name, levels }) => [
        name,
        { level1: Object.fromEntries(levels.level1), level2: Object.fromEntries(levels.level2) },
      ]),
    ),
  };
  return `${JSON.stringify(content)}\n`;
}

/** @throws DatasetError ERR_LEXICON_FILE for a file that is none, or was changed after its import */
export function readLexiconFile(file: string): EmotionLexicon {
  const content = fileSchema.safeParse(parseJson(file));
  if (!content.success)
    throw fileError(file, "a lexicon written by `oppo lexicon import`", content.error.issues[0]!.message);
  const { name, hash, ...tables } = content.data;
  const lexicon = lexiconFromTables(name, tables);
  const actual = lexiconHash(lexicon);
  if (actual === hash) return lexicon;
  throw fileError(file, `tables with the hash ${hash}`, `tables with ${actual}: the file was changed`);
}

function parseJson(file: string): unknown {
  const text = readFileSync(file, "utf8");
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw fileError(file, "JSON", (cause as Error).message);
  }
}

function fileError(file: string, expected: string, got: string): DatasetError {
  const message = `${file}: expected ${expected}, got ${got.slice(0, 200)}. Import the lexicon again.`;
  return new DatasetError("ERR_LEXICON_FILE", message, { file });
}
