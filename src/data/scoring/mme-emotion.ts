// The files of MME-Emotion: questions and audio clues as its repository and its hub lay them out, and what models answered, as
// the reference's scripts write it at each of their stages.
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { type FileRow, fileError, readRows, scoreError, shown } from "./rows.ts";

/** What a folder of the benchmark has of one task. */
export interface MmeTaskFiles {
  readonly name: string;
  readonly stems: readonly string[];
  readonly separator: string | null;
}

export interface MmeQuestion {
  readonly videoId: string;
  readonly labels: readonly string[];
  readonly labelSet: readonly string[];
  readonly audioClue: string | null;
}

/**
 * The questions of a task with their audio clues; null where the folder has none of it. Below `root`, or its MME-Emotion-Dataset:
 * TASK/question/TASK.json and TASK/audio_clue/TASK_qwen2_audio_clues.json (the repository), or TASK.json (the hub).
 * @throws DatasetError ERR_SCORE_FILE, ERR_SCORE_NAMES
 */
export function readMmeQuestions(root: string, task: MmeTaskFiles): MmeQuestion[] | null {
  const bases = [root, join(root, "MME-Emotion-Dataset")];
  const found = (paths: (stem: string) => string[]) =>
    bases.flatMap((base) => task.stems.flatMap((stem) => paths(stem).map((path) => join(base, path)))).find(existsSync);
  const file = found((stem) => [join(task.name, "question", `${stem}.json`), `${stem}.json`]);
  if (file === undefined) return null;
  const clueFile = found((stem) => [
    join(task.name, "audio_clue", `${stem}_qwen2_audio_clues.json`),
    `${stem}_qwen2_audio_clues.json`,
  ]);
  const clues = new Map(
    (clueFile === undefined ? [] : readRows(clueFile)).map((row) => [
      textCell(clueFile!, row, "video_id"),
      textCell(clueFile!, row, "audio_clue"),
    ]),
  );
  const questions = new Map<string, MmeQuestion>();
  for (const row of readRows(file)) {
    const question = questionOf(file, row, task.separator);
    if (questions.has(question.videoId)) throw twice(file, row.line, question.videoId);
    questions.set(question.videoId, { ...question, audioClue: clues.get(question.videoId) ?? null });
  }
  if (questions.size === 0) throw fileError(file, 0, "questions", "an empty list", "Download it again.");
  return [...questions.values()];
}

function questionOf(file: string, row: FileRow, separator: string | null): Omit<MmeQuestion, "audioClue"> {
  const videoId = textCell(file, row, "video_id");
  const label = textCell(file, row, "label");
  const { label_set: labelSet } = row.cells;
  if (!Array.isArray(labelSet) || !labelSet.every((item) => typeof item === "string" && item.trim() !== "")) {
    throw fileError(file, row.line, "label_set, a list of labels", shown(labelSet), "Download it again.");
  }
  const labels = (separator === null ? [label] : label.split(separator)).map((text) => text.trim());
  return { videoId, labels: [...new Set(labels)], labelSet: [...new Set(labelSet as string[])] };
}

function textCell(file: string, { line, cells }: FileRow, name: string): string {
  const value = cells[name];
  if (typeof value === "string" && value.trim() !== "") return value.trim();
  throw fileError(file, line, `a text in ${name}`, shown(value), "Repair the row.");
}

/** A row of a response, step or evaluation file. */
export interface MmeResponse {
  readonly videoId: string;
  readonly response: string;
  /** Null before step extraction. */
  readonly steps: string | null;
  /** Null before, or without, a judgement. */
  readonly score: string | null;
  /** Whether the row has been judged, well or not. */
  readonly isJudged: boolean;
  /** The label that the row itself names. */
  readonly groundTruth: string | null;
  readonly file: string;
  readonly line: number;
}

/**
 * The file, or of a folder the JSON files whose names `taskOf` knows, one per task.
 * @param task what a single file's rows are of, where its name says it
 * @throws DatasetError ERR_SCORE_FILE, ERR_SCORE_NAMES
 */
export function readMmeResponses(
  path: string,
  taskOf: (fileName: string) => string | null,
): ReadonlyMap<string, ReadonlyMap<string, MmeResponse>> {
  if (!existsSync(path)) throw fileError(path, 0, "a file or a folder of responses", "nothing", "Check the path.");
  const isFolder = statSync(path).isDirectory();
  const files = isFolder
    ? readdirSync(path)
        .filter((name) => /\.jsonl?$/.test(name))
        .map((name) => join(path, name))
    : [path];
  const byTask = new Map<string, ReadonlyMap<string, MmeResponse>>();
  for (const file of files.sort()) {
    const task = taskOf(basename(file));
    if (task === null && isFolder) continue;
    if (task === null) throw unnamed(file);
    if (byTask.has(task)) {
      throw fileError(path, 0, `one file of ${task}`, "several", "Score the files of one model, and of one stage.");
    }
    byTask.set(task, responsesOf(file));
  }
  if (byTask.size === 0) throw unnamed(path);
  return byTask;
}

const unnamed = (path: string) =>
  fileError(path, 0, "file names that begin with a task (ER_Lab_mine.json)", "none", "Rename the files.");

function responsesOf(file: string): Map<string, MmeResponse> {
  const rows = new Map<string, MmeResponse>();
  for (const row of readRows(file)) {
    const videoId = textCell(file, row, "video_id");
    if (rows.has(videoId)) throw twice(file, row.line, videoId);
    const { model_response: response, step, score, ground_truth: groundTruth } = row.cells;
    // A model that said nothing said something wrong.
    if (typeof response !== "string" && response !== null) {
      throw fileError(file, row.line, "a text in model_response", shown(response), "Repair the row.");
    }
    const textOrNull = (value: unknown) => (typeof value === "string" ? value : null);
    rows.set(videoId, {
      videoId,
      response: response ?? "",
      steps: textOrNull(step),
      score: textOrNull(score),
      isJudged: "score" in row.cells,
      groundTruth: textOrNull(groundTruth),
      file,
      line: row.line,
    });
  }
  return rows;
}

function twice(file: string, line: number, videoId: string) {
  return scoreError("ERR_SCORE_NAMES", file, line, `expected every clip once, got "${videoId}" again. Remove one row.`);
}
