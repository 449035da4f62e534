// The published lexicon tables, where they are beside the repository.
import { readFileSync } from "node:fs";
import path from "node:path";
import { type EmotionLexicon, type LexiconTables, lexiconFromTables } from "../../src/emotion/wheel.ts";
import { sharedPath } from "./shared.ts";

/** Null where the tables are absent. */
export function publishedLexicon(name: "affectgpt" | "mer2026"): EmotionLexicon | null {
  const directory = sharedPath("lexicon");
  if (directory === null) return null;
  const read = (file: string) => JSON.parse(readFileSync(path.join(directory, file), "utf8"));
  const tables: LexiconTables = {
    forms: read(name === "mer2026" ? "forms_mer2026.json" : "forms.json"),
    synonyms: read("synonyms.json"),
    wheelMaps: read("wheel_maps.json"),
  };
  return lexiconFromTables(name, tables);
}
