// How a question about a clip is put to a model: the question, the system text, and where the spoken line goes. A model that was
// trained with one keeps it beside its weights (oppo_prompt.json), so that whoever asks it later asks what it knows.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { OppoError } from "../error.ts";
import { replaceFile } from "../run/checkpoint.ts";
import { readJsonFile } from "../text/json-file.ts";
import type { CorpusKind } from "./corpus-kind.ts";
import { kindOfTemplate } from "./kinds.ts";

export interface Wording {
  /** Asks for a reasoning. */
  readonly question: string;
  /** null: what the chat template says by itself. */
  readonly system: string | null;
  /** The user turn of a clip whose spoken line is known, with {subtitle} and {question}; null: lines are not told. */
  readonly spoken: string | null;
}

export const defaultQuestion =
  "What does the person feel, and why? Reason in <think></think>, then name the emotions in <answer></answer>.";

export const plainWording: Wording = {
  question: defaultQuestion,
  system: null,
  spoken: 'The person says: "{subtitle}". {question}',
};

/**
 * A user turn: the spoken line, when it is known, and a question.
 * Example: `The person says: "get out". What does the person feel, and why?`
 */
export function userTurn({ spoken }: Pick<Wording, "spoken">, subtitle: string, question: string): string {
  if (subtitle === "" || spoken === null) return question;
  // In one go: a line may hold the words of a placeholder.
  return spoken.replaceAll(/\{(subtitle|question)\}/g, (_, name) => (name === "subtitle" ? subtitle : question));
}

export const wordingFile = "oppo_prompt.json";
const version = 1;
const maxLength = 20_000;
const text = z.string().max(maxLength);
const hasBoth = (spoken: string) => ["{subtitle}", "{question}"].every((name) => spoken.split(name).length === 2);
const fileSchema = z.strictObject({
  version: z.literal(version),
  question: text.min(1),
  system: text.nullable(),
  spoken: text.refine(hasBoth, "expected {subtitle} and {question}, once each").nullable(),
});

/** Writes it beside a model or an adapter. @throws OppoError ERR_DISK_FULL */
export function saveWording(directory: string, wording: Wording): void {
  const { question, system, spoken } = wording;
  replaceFile(join(directory, wordingFile), `${JSON.stringify({ version, question, system, spoken }, null, 2)}\n`);
}

/** What a directory keeps; null without one. @throws OppoError ERR_PROMPT_FILE */
export function readWording(directory: string): Wording | null {
  if (!existsSync(join(directory, wordingFile))) return null;
  const checked = fileSchema.safeParse(readJsonFile(directory, wordingFile, "ERR_PROMPT_FILE"));
  if (!checked.success) {
    const { path, message } = checked.error.issues[0]!;
    throw new OppoError(
      "ERR_PROMPT_FILE",
      `${join(directory, wordingFile)}: expected the question that the model was trained with, got ${path.join(".") || "file"}: ${message}. Repair it, or remove it and give --question.`,
    );
  }
  const { version: _, ...wording } = checked.data;
  return wording;
}

export interface KnownWording {
  readonly wording: Wording;
  /** The file that says so; null: nobody did. */
  readonly file: string | null;
}

/**
 * How a model is asked: as it was trained, an adapter's own word first; else as its kind of corpus speaks; else plainly.
 * @param directories of the adapter, if there is one, and of the model
 */
export function wordingOf(directories: readonly string[]): KnownWording {
  for (const directory of directories) {
    const wording = readWording(directory);
    if (wording !== null) return { wording, file: join(directory, wordingFile) };
  }
  const template = join(directories.at(-1)!, "chat_template.jinja");
  const kind = existsSync(template) ? kindOfTemplate(readFileSync(template, "utf8")) : null;
  return { wording: kindWording(kind), file: null };
}

/** As a corpus of the kind speaks; null: any other. */
export function kindWording(kind: CorpusKind | null): Wording {
  return kind === null ? plainWording : { question: kind.question, system: null, spoken: kind.spoken };
}

/** For the log. @param given an explicit --question */
export function wordingNote({ wording, file }: KnownWording, given: string | null): string {
  if (given !== null) {
    const other =
      file !== null && given !== wording.question ? `; the model was trained with "${wording.question}"` : "";
    return `question: ${given} (--question${other})`;
  }
  return file === null
    ? `question: ${wording.question}`
    : `question: ${wording.question} (${file}: what it was trained with)`;
}
