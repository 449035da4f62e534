// Closed questions from a file: JSON lines, JSON or CSV with the columns id, answer and, where there are any, media, task,
// question, choices and pair. No layout of a benchmark's own: EmoReAlM and EmotionHallucer have not published theirs.
import { type FileRow, fileError, readRows, scoreError, shown } from "./rows.ts";

export interface QuestionRow {
  readonly id: string;
  /** The clip that it is about; questions of one clip are drawn together. */
  readonly media: string | null;
  readonly task: string;
  /** Two or more; null: yes or no. */
  readonly choices: readonly string[] | null;
  /** Index of the right choice; of yes/no 0 is yes. */
  readonly answer: number;
  /** Shared by the two questions of a pair. */
  readonly pair: string | null;
}

/** Where rows name none. */
const onlyTask = "questions";
/** Choices have letters. */
const mostChoices = 26;

/** @throws DatasetError ERR_SCORE_FILE, ERR_SCORE_NAMES */
export function readQuestions(file: string): QuestionRow[] {
  const questions = new Map<string, QuestionRow>();
  const pairs = new Map<string, number>();
  for (const row of readRows(file)) {
    const question = questionOf(file, row);
    if (questions.has(question.id)) {
      const message = `expected every question once, got "${question.id}" again. Remove one row.`;
      throw scoreError("ERR_SCORE_NAMES", file, row.line, message);
    }
    questions.set(question.id, question);
    if (question.pair !== null) pairs.set(question.pair, (pairs.get(question.pair) ?? 0) + 1);
  }
  if (questions.size === 0) throw fileError(file, 0, "questions", "none", "Check the file.");
  const [odd] = [...pairs].filter(([, count]) => count !== 2);
  if (odd !== undefined) {
    throw fileError(file, 0, `two questions of pair "${odd[0]}"`, String(odd[1]), "Repair or leave out the pair.");
  }
  return [...questions.values()];
}

function questionOf(file: string, row: FileRow): QuestionRow {
  const { cells, line } = row;
  const optional = (name: string): string | null => {
    const value = cells[name];
    if (value === undefined || value === null || value === "") return null;
    if (typeof value === "string" || typeof value === "number") return String(value).trim();
    throw fileError(file, line, `a text in ${name}`, shown(value), "Repair the row.");
  };
  const id = optional("id");
  if (id === null) throw fileError(file, line, "an id", "none", "Name every question.");
  const choices = choicesOf(file, row);
  const answer = answerIn(optional("answer") ?? "", choices);
  if (answer === null) {
    const expected = choices === null ? "yes or no" : "a letter or the words of one of the choices";
    throw fileError(file, line, `${expected} in answer`, shown(cells.answer), "Repair the row.");
  }
  return { id, media: optional("media"), task: optional("task") ?? onlyTask, choices, answer, pair: optional("pair") };
}

/** A list, or in CSV the JSON of one. */
function choicesOf(file: string, { cells, line }: FileRow): string[] | null {
  let { choices } = cells;
  if (choices === undefined || choices === null || choices === "") return null;
  if (typeof choices === "string") {
    try {
      choices = JSON.parse(choices);
    } catch {
      throw fileError(file, line, "choices as a JSON list", shown(choices), "Repair the row.");
    }
  }
  const isList = Array.isArray(choices) && choices.every((one) => typeof one === "string" && one.trim() !== "");
  const list = isList ? (choices as string[]) : [];
  if (list.length >= 2 && list.length <= mostChoices && new Set(list).size === list.length) return list;
  throw fileError(file, line, "2 to 26 different texts in choices", shown(cells.choices), "Repair the row.");
}

function answerIn(answer: string, choices: readonly string[] | null): number | null {
  const said = answer.trim().toLowerCase();
  const at = (choices ?? ["yes", "no"]).findIndex((choice) => choice.trim().toLowerCase() === said);
  if (at >= 0) return at;
  const letter = choices !== null && /^\(?([a-z])[).]?$/.exec(said)?.[1]?.charCodeAt(0);
  if (typeof letter !== "number") return null;
  const index = letter - "a".charCodeAt(0);
  return index < choices!.length ? index : null;
}
