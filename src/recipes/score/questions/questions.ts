// `oppo score questions`: what models answered to closed questions, per task and over all, and systems compared in pairs.
import type { BootstrapOptions } from "../../../bench/bootstrap.ts";
import { type Measures, pairedReport } from "../../../bench/measure.ts";
import { questionMeasures, questionReport } from "../../../bench/questions/measures.ts";
import { type Question, readAnswer } from "../../../bench/questions/question.ts";
import type { PairedDifference, Report } from "../../../bench/report.ts";
import { type ColumnChoice, readPredictions } from "../../../data/scoring/predictions.ts";
import { readQuestions } from "../../../data/scoring/question-file.ts";
import { OppoError } from "../../../error.ts";
import type { NamedSystem } from "../systems.ts";

export interface QuestionsRequest {
  readonly systems: readonly NamedSystem[];
  readonly questions: string;
  readonly missing: "refuse" | "empty";
  readonly columns: ColumnChoice;
  readonly bootstrap: BootstrapOptions;
}

export interface TaskScores {
  readonly name: string;
  readonly numQuestions: number;
  readonly metrics: Report;
}

export interface QuestionsReport {
  readonly questions: string;
  readonly bootstrap: BootstrapOptions;
  readonly systems: readonly {
    readonly name: string;
    readonly tasks: readonly TaskScores[];
    readonly all: TaskScores;
  }[];
  /** first - second, over all questions. */
  readonly comparisons: readonly {
    readonly first: string;
    readonly second: string;
    readonly differences: Readonly<Record<string, PairedDifference>>;
  }[];
  readonly notes: readonly string[];
}

/** @throws OppoError ERR_SCORE_MISSING, DatasetError ERR_SCORE_FILE, ERR_SCORE_NAMES */
export function scoreQuestions(request: QuestionsRequest): QuestionsReport {
  const { systems, bootstrap } = request;
  const questions = readQuestions(request.questions);
  const tasks = [...new Set(questions.map(({ task }) => task))];
  const notes: string[] = [];
  const results = systems.map(({ name, path }) => {
    const texts = answersOf(path, questions, request, (note) => notes.push(`${name}: ${note}`));
    const readings = questions.map((question, i) => readAnswer(texts[i]!, question));
    const scores = (title: string, isOf: (question: Question) => boolean): TaskScores & { measures: Measures } => {
      const own = questions.filter(isOf);
      const measures = questionMeasures(
        own,
        readings.filter((_, i) => isOf(questions[i]!)),
      );
      return { name: title, numQuestions: own.length, measures, metrics: questionReport(measures, bootstrap) };
    };
    return {
      name,
      tasks: tasks.map((task) => scores(task, (one) => one.task === task)),
      all: scores("all", () => true),
    };
  });
  const plain = ({ measures: _, ...scores }: TaskScores & { measures: Measures }): TaskScores => scores;
  return {
    questions: request.questions,
    bootstrap,
    systems: results.map(({ name, tasks: own, all }) => ({ name, tasks: own.map(plain), all: plain(all) })),
    comparisons: results.flatMap((first, i) =>
      results.slice(i + 1).map((second) => ({
        first: first.name,
        second: second.name,
        differences: pairedReport(first.all.measures, second.all.measures, bootstrap),
      })),
    ),
    notes,
  };
}

function answersOf(
  path: string,
  questions: readonly Question[],
  { columns, missing }: QuestionsRequest,
  note: (text: string) => void,
): string[] {
  const { texts } = readPredictions(path, columns);
  const without = questions.filter(({ id }) => !texts.has(id));
  if (without.length > 0 && (missing === "refuse" || without.length === questions.length)) {
    throw new OppoError(
      "ERR_SCORE_MISSING",
      `${path}: expected an answer to each of ${questions.length} questions, got none to ${without.length}, such as "${without[0]!.id}". ` +
        `The answers are to "${[...texts.keys()][0]}" and others. Ask the rest too, or score them as empty answers with --missing empty.`,
    );
  }
  if (without.length > 0) note(`${without.length} questions without an answer, which count as unreadable and wrong.`);
  const ids = new Set(questions.map(({ id }) => id));
  const numUnknown = [...texts.keys()].filter((id) => !ids.has(id)).length;
  if (numUnknown > 0) note(`${numUnknown} answers to questions that the file does not have, which are left out.`);
  return questions.map(({ id }) => {
    const text = texts.get(id) ?? "";
    return typeof text === "string" ? text : [text].flat().join(", ");
  });
}
