// Which lexicon a score is made with: one that was imported, a file, or the built-in one; and `oppo lexicon import`.
import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { readLexiconCheckout } from "../data/lexicon/checkout.ts";
import { lexiconText, readLexiconFile } from "../data/lexicon/lexicon-file.ts";
import { openLexicon, openLexiconName } from "../emotion/open-lexicon/open-lexicon.ts";
import { type EmotionLexicon, lexiconHash } from "../emotion/wheel.ts";
import { OppoError } from "../error.ts";
import { replaceFile } from "../run/checkpoint.ts";
import { lexiconPath } from "../run/lexicon-store.ts";

/** The lexicon of published numbers; taken when none is named and it was imported. */
const publishedName = "affectgpt";

/**
 * @param choice a name ("built-in", "affectgpt", "mer2026"), a file, or null for the published one where it is, else the built-in
 * @throws OppoError ERR_LEXICON_UNKNOWN
 */
export function chooseLexicon(choice: string | null, home: string): EmotionLexicon {
  if (choice === null) {
    const published = lexiconPath(home, publishedName);
    return existsSync(published) ? readLexiconFile(published) : openLexicon();
  }
  if (choice === openLexiconName) return openLexicon();
  if (choice.endsWith(".json")) return readLexiconFile(choice);
  const imported = lexiconPath(home, choice);
  if (/^[\w-]+$/.test(choice) && existsSync(imported)) return readLexiconFile(imported);
  throw new OppoError(
    "ERR_LEXICON_UNKNOWN",
    `--lexicon: expected "built-in", an imported lexicon or a file, got "${choice}". ` +
      "Import the community's with: oppo lexicon import DIR (a checkout of AffectGPT or MERTools).",
  );
}

export interface ImportedLexicon {
  readonly name: string;
  readonly hash: string;
  readonly source: string;
  readonly file: string;
  readonly numForms: number;
}

/** Reads every lexicon of a checkout and keeps each as one file. @throws DatasetError ERR_LEXICON_ABSENT, ERR_LEXICON_TABLE */
export async function importLexicons(folder: string, home: string): Promise<ImportedLexicon[]> {
  const found = await readLexiconCheckout(folder);
  return found.map(({ lexicon, source }) => {
    const file = lexiconPath(home, lexicon.name);
    mkdirSync(dirname(file), { recursive: true });
    replaceFile(file, lexiconText(lexicon, source));
    const { name, forms } = lexicon;
    return { name, hash: lexiconHash(lexicon), source, file, numForms: forms?.size ?? 0 };
  });
}
